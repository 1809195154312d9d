"""One process writes to a workspace. The lock is the kernel's (flock), so it goes with the process that held it, however it ended."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import BusyError

_PATIENCE = 5.0  # seconds


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Holds the lock.

    Raises
    ------
    BusyError
        at once where another process has it. Where that process is gone, a child of it may hold the lock for the moment between its fork
        and its exec; that is waited for.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        deadline = time.monotonic() + _PATIENCE
        while not _taken(descriptor):
            who = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip()
            if not _gone(who) or time.monotonic() > deadline:
                raise BusyError(f"process {who or 'unknown'} is at {path.parent}; `shgat loop status` shows how far it is")
            time.sleep(0.02)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _gone(pid: str) -> bool:
    """Has a process ended, even if nobody has taken note of it?"""
    try:
        return Path(f"/proc/{int(pid)}/stat").read_bytes().rpartition(b")")[2].split()[0] == b"Z"
    except (FileNotFoundError, ProcessLookupError):
        return True
    except (ValueError, OSError, IndexError):  # nobody said which one it is
        return False
