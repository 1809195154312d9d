"""One process writes to a workspace. The lock is the kernel's (flock), so it goes with the process that held it, however it ended."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import BusyError


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Holds the lock.

    Raises
    ------
    BusyError
        at once where another process has it.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            who = os.read(descriptor, 20).decode("ascii", "replace").strip() or "unknown"
            raise BusyError(f"process {who} is at {path.parent}; `shgat loop status` shows how far it is") from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)
