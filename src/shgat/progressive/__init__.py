"""Progressive training, the part that is storage and history: thousands of repositories under a quota of disk."""

from typing import TYPE_CHECKING

from .. import _lazy

if TYPE_CHECKING:
    from .corpus import Line, Source, read_list
    from .generator import Plan, Planted, make
    from .history import History
    from .kernel import Kernel, joined
    from .layout import Layout
    from .ledger import Ledger
    from .loop import Event, Loop, Report
    from .manifest import Repo
    from .settings import Settings

__all__ = [
    "Event",
    "History",
    "Kernel",
    "Layout",
    "Ledger",
    "Line",
    "Loop",
    "Plan",
    "Planted",
    "Repo",
    "Report",
    "Settings",
    "Source",
    "joined",
    "make",
    "read_list",
]

__getattr__, __dir__ = _lazy.names(
    __name__,
    {
        "corpus": "Line Source read_list",
        "generator": "Plan Planted make",
        "history": "History",
        "kernel": "Kernel joined",
        "layout": "Layout",
        "ledger": "Ledger",
        "loop": "Event Loop Report",
        "manifest": "Repo",
        "settings": "Settings",
    },
)
