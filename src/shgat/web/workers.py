"""Worker processes: forked from one that has everything open, so that they share its memory, listening on one socket, and watched."""

import gc
import logging
import os
import signal
import time
import traceback
from collections.abc import Callable
from types import FrameType

_log = logging.getLogger("shgat.web")
_PAUSE = 1.0  # seconds at least between two starts of the same worker
_FAILED = 70  # exit status of a worker that raised


class Workers:
    """So many processes that do the same, until a signal ends them; one that dies is started again.

    Parameters
    ----------
    n : of them
    work : what each does, told whether it is the first one that ever starts; it ends by itself at SIGTERM
    """

    def __init__(self, n: int, work: Callable[[bool], None]) -> None:
        self._n, self._work = n, work
        self._started: dict[int, tuple[int, float]] = {}  # process -> which worker, and when it was started
        self._ending = False

    def run(self) -> None:
        """Returns when all have ended after SIGTERM or SIGINT, which they are handed on."""
        gc.collect()
        gc.freeze()  # a collection in a child would write to every page that it shares with its siblings
        before = {sig: signal.signal(sig, self._end) for sig in (signal.SIGTERM, signal.SIGINT)}
        try:
            for which in range(self._n):
                self._start(which, first=which == 0)
            while self._started:
                process, status = os.wait()
                which, since = self._started.pop(process, (-1, 0.0))
                if which >= 0 and not self._ending:
                    _log.error("worker %d ended with status %d and is started again", which, os.waitstatus_to_exitcode(status))
                    time.sleep(max(0.0, since + _PAUSE - time.monotonic()))
                    self._start(which)
        finally:
            for sig, handler in before.items():
                signal.signal(sig, handler)

    def _start(self, which: int, first: bool = False) -> None:
        signals = signal.pthread_sigmask(
            signal.SIG_BLOCK, (signal.SIGTERM, signal.SIGINT)
        )  # none between fork and the child's handlers
        try:
            if self._ending:
                return
            process = os.fork()
            if process == 0:
                self._be(first, signals)
            self._started[process] = which, time.monotonic()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, signals)

    def _be(self, first: bool, signals: "set[int | signal.Signals]") -> None:
        """The child: never returns."""
        status = _FAILED
        try:
            self._started.clear()
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, signals)
            self._work(first)
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)  # the parent's files, connections and handlers are not this process's to end

    def _end(self, signum: int, frame: FrameType | None) -> None:
        self._ending = True
        for process in list(self._started):
            os.kill(process, signal.SIGTERM)
