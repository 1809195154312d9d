"""A shadow: a version that ranks what others have answered, beside the answers, and is only compared with them."""

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from .. import _fork
from .slots import ServedVersion

_log = logging.getLogger("shgat")
WAITING = 256  # requests; what comes in beyond is dropped
SHARE = 0.2  # of the time that the thread works at most
Rank = Callable[[], Sequence[str]]


class Shadow:
    """Compares a shadow's rankings with the answers that went out, in a thread of its own.

    Whoever answers hands over a request and goes on: where too many wait, it is dropped and counted.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, float] = {}
        self._version, self.dropped = "", 0
        self._reset()
        _fork.renew(self)

    def _reset(self) -> None:
        self._waiting: queue.Queue[tuple[str, Rank, tuple[str, ...]] | None] = queue.Queue(WAITING)
        self._thread: threading.Thread | None = None
        self._closed = False

    def after_fork(self) -> None:
        """The thread and what waits are the parent's."""
        self._lock = threading.Lock()
        self._reset()

    def offer(self, version: ServedVersion, rank: Rank, answered: tuple[str, ...]) -> None:
        """Hands over a request; never waits and never raises.

        Parameters
        ----------
        rank : gives the shadow's ids, of as many items as were answered
        answered : the ids that went out
        """
        try:
            self._waiting.put_nowait((version.name, rank, answered))
        except queue.Full:
            self.dropped += 1
            return
        if self._thread is None:
            self._start()

    def stats(self) -> dict[str, Any]:
        """As JSON values. "overlap": mean share of the answered items that the shadow ranks too; "first": how often the first is the same."""
        with self._lock:
            n = max(self._counts.get("compared", 0.0), 1.0)
            return {
                "version": self._version or None,
                "compared": int(self._counts.get("compared", 0)),
                "failed": int(self._counts.get("failed", 0)),
                "dropped": self.dropped,
                "overlap": self._counts.get("overlap", 0.0) / n,
                "first": self._counts.get("first", 0.0) / n,
            }

    def close(self) -> None:
        """Ends the thread."""
        with self._lock:
            thread, self._closed = self._thread, True
        while thread is not None and thread.is_alive():
            with contextlib.suppress(queue.Full):
                self._waiting.put(None, timeout=0.05)
            thread.join(0.05)

    def _start(self) -> None:
        thread = threading.Thread(target=self._work, name="shgat-shadow", daemon=True)
        with self._lock:
            if self._thread is not None or self._closed:
                return
            self._thread = thread
        thread.start()

    def _work(self) -> None:
        while not self._closed and (item := self._waiting.get()) is not None:
            name, rank, answered = item
            started = time.perf_counter()
            try:
                ids = tuple(rank())
                found = {"compared": 1.0, "overlap": _overlap(ids, answered), "first": float(ids[:1] == answered[:1])}
            except Exception as error:  # it is only a shadow
                _log.debug("the shadow failed: %s", error)
                found = {"failed": 1.0}
            with self._lock:
                if name != self._version:
                    self._version, self._counts = name, {}
                for key, value in found.items():
                    self._counts[key] = self._counts.get(key, 0.0) + value
            time.sleep((time.perf_counter() - started) * (1.0 / SHARE - 1.0))  # answers have the rest


def _overlap(ids: Sequence[str], answered: Sequence[str]) -> float:
    """The share of the answered items that are among the ids; 1 where nothing was answered."""
    return len(set(ids) & set(answered)) / len(answered) if answered else 1.0
