"""How long the latest answers took."""

import numpy as np

_KEPT = 4096


class Latency:
    """The latest 4096 durations; threads that write at once may overwrite each other's, which changes no percentile that matters."""

    def __init__(self) -> None:
        self._seconds = np.zeros(_KEPT, np.float64)
        self._n = 0

    def add(self, seconds: float) -> None:
        self._seconds[self._n % _KEPT] = seconds
        self._n += 1

    def percentiles(self) -> dict[str, float]:
        """p50 and p99 in milliseconds; empty before the first answer."""
        known = self._seconds[: min(self._n, _KEPT)]
        if not len(known):
            return {}
        p50, p99 = np.percentile(known, (50, 99)).tolist()
        return {"p50": 1000 * p50, "p99": 1000 * p99}
