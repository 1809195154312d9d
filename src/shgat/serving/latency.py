"""How many answers there were, and how long the latest took."""

import threading

import numpy as np

from .. import _fork

_KEPT = 4096


class Latency:
    """Counts answers, and keeps the latest 4096 durations.

    Attributes
    ----------
    answers : "all" of them, and those that were "degraded"
    """

    def __init__(self) -> None:
        self._seconds = np.zeros(_KEPT, np.float64)
        self._lock = threading.Lock()
        self.answers = {"all": 0, "degraded": 0}
        _fork.renew(self)

    def after_fork(self) -> None:
        """A thread of the parent may have held the lock."""
        self._lock = threading.Lock()

    def add(self, seconds: float, degraded: bool) -> None:
        with self._lock:
            self._seconds[self.answers["all"] % _KEPT] = seconds
            self.answers["all"] += 1
            self.answers["degraded"] += degraded

    def percentiles(self) -> dict[str, float]:
        """p50 and p99 in milliseconds; empty before the first answer."""
        known = self._seconds[: min(self.answers["all"], _KEPT)]
        if not len(known):
            return {}
        p50, p99 = np.percentile(known, (50, 99)).tolist()
        return {"p50": 1000 * p50, "p99": 1000 * p99}
