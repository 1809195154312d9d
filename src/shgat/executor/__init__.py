"""Where work is done that falls into parts: here, in processes of this machine, or on a Ray cluster. The results are the same."""

from typing import TYPE_CHECKING

from .. import _lazy

if TYPE_CHECKING:
    from .cluster import RayCluster
    from .contract import Executor, Shared, Task, Tell
    from .opened import open_executor
    from .processes import Processes
    from .serial import Serial

__all__ = ["Executor", "Processes", "RayCluster", "Serial", "Shared", "Task", "Tell", "open_executor"]

__getattr__, __dir__ = _lazy.names(
    __name__,
    {
        "cluster": "RayCluster",
        "contract": "Executor Shared Task Tell",
        "opened": "open_executor",
        "processes": "Processes",
        "serial": "Serial",
    },
)
