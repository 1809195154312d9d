"""The executor that is meant by a name and a number."""

import os

from .. import _check
from ..errors import InputError
from .contract import Executor
from .serial import Serial


def open_executor(name: str = "", jobs: int | None = None) -> Executor:
    """An executor, to be closed by who opened it.

    Parameters
    ----------
    name : "" for processes of this machine; "ray:ADDRESS" or "ray://HOST:PORT" for a Ray cluster, see `RayCluster`
    jobs : how many run at once; None: as many as this process may use processors, or as the cluster has. With one on this machine
        everything stays in this process

    Raises
    ------
    InputError
        for a name that means nothing.
    """
    jobs = None if jobs is None else _check.positive_integer(jobs, "jobs")
    if name.startswith("ray:"):
        from .cluster import RayCluster

        return RayCluster(name if name.startswith("ray://") else name.removeprefix("ray:"), jobs)
    if name:
        raise InputError(
            f"there is no executor {name!r:.100}: leave it out for processes of this machine, or give ray:ADDRESS "
            "(ray:local, ray:auto, ray:HOST:6379, ray://HOST:10001)"
        )
    jobs = processors() if jobs is None else jobs
    if jobs == 1:
        return Serial()
    from .processes import Processes

    return Processes(jobs)


def processors() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
