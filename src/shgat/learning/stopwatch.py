"""How long something takes that is done again and again, one at a time."""

import time
from collections import deque
from collections.abc import Callable

LATELY = 5.0  # seconds


class Stopwatch:
    """A context for each time it is done.

    Parameters
    ----------
    clock : monotonic seconds
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._began = clock, 0.0
        self._running = False
        self._done: deque[tuple[float, float]] = deque()  # (ended, seconds), each slower than those after it

    def __enter__(self) -> None:
        self._began, self._running = self._clock(), True

    def __exit__(self, *error: object) -> None:
        ended = self._clock()
        took, self._running = ended - self._began, False
        while self._done and self._done[-1][1] <= took:
            self._done.pop()
        self._done.append((ended, took))

    @property
    def seconds(self) -> float:
        """The slowest of those that are under way or ended in the last five seconds; 0.0 where there is none."""
        now = self._clock()
        under_way = now - self._began if self._running else 0.0
        return max([under_way, *(took for ended, took in tuple(self._done) if now - ended < LATELY)])
