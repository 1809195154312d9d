"""The guard of a training child with a memory limit: it answers where the child dies without a word.

Under a limit any allocation may fail, also those of libraries that then end the process. So the child that trains is forked, and its
parent, which has no limit and allocates nothing, writes the line that is still owed.
"""

import ctypes
import mmap
import os
import signal
import threading
import time

import orjson

from .stream import write_all

_ADOPTION = 0.25  # seconds between looks at who the parent is
_PR_SET_PDEATHSIG = 1


class Guard:
    """What is owed to whoever reads `out`, known to the child and to its guard.

    Parameters
    ----------
    out : descriptor that answers are written to
    """

    def __init__(self, out: int) -> None:
        self._out = out
        self._owed = mmap.mmap(-1, mmap.PAGESIZE)  # shared; its first byte counts the answers that are owed
        self._lock = threading.Lock()

    def owe(self) -> None:
        """A job has come."""
        with self._lock:
            self._owed[0] = min(self._owed[0] + 1, 255)

    def pay(self, line: bytes) -> None:
        """Writes its answer."""
        write_all(self._out, line)
        with self._lock:
            self._owed[0] = max(self._owed[0] - 1, 0)

    def forgive(self) -> None:
        """Nobody waits for an answer any more."""
        with self._lock:
            self._owed[0] = 0

    def fork(self) -> int | None:
        """None in the child. In its guard the exit code, once the child has ended and what it owed is written."""
        parent, guard = os.getppid(), os.getpid()
        child = os.fork()
        if child == 0:
            _die_with_parent()
            if os.getppid() != guard:  # it was gone before that could be asked for
                os._exit(1)
            return None
        end_with(parent)
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: os.kill(child, signal.SIGKILL))
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        for _ in range(self._owed[0]):
            write_all(self._out, _last_word(code))
        return code if code >= 0 and not self._owed[0] else 1


def end_with(parent: int) -> None:
    """Ends this process soon after another one has adopted it."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_ADOPTION)
        os._exit(1)

    threading.Thread(target=watch, name="parent", daemon=True).start()


def _last_word(code: int) -> bytes:
    how = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
    text = (
        f"the training ended without an answer ({how}), most likely out of memory: raise the memory limit, or train on fewer traces"
    )
    return orjson.dumps({"success": False, "error": text}) + b"\n"


def _die_with_parent() -> None:
    """At once, where the system can do that; else `end_with` notices."""
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
