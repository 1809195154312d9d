"""What this process has open, and whom it started."""

import gc
import os
import signal
import socket
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


def descriptors() -> int:
    """How many are open."""
    gc.collect()
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208


def children() -> list[int]:
    """Pids of its children, zombies too."""
    pids = []
    for thread in Path("/proc/self/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
            pids += [int(pid) for pid in (thread / "children").read_text().split()]
    return pids


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def started(work: Callable[[], object]) -> int:
    """The pid of a forked child, which ends with 0 where the work is true."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        code = 0 if work() else 2
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def ended(pid: int, seconds: float = 60.0) -> bool:
    """Has a child ended well? One that hangs is killed."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status) == 0
        time.sleep(0.01)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return False


def forked(work: Callable[[], object], seconds: float = 60.0) -> bool:
    """Is the work true in a forked child?"""
    return ended(started(work), seconds)
