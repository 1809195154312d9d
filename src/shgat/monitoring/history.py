"""What was seen at which time, as far back as the rules look."""

import math
from collections import deque
from collections.abc import Mapping

from .measures import Samples

Matching = Mapping[str, tuple[str, ...]]  # label -> values that are meant


class History:
    """Samples of one target, the latest last.

    Parameters
    ----------
    window : seconds over which increases are taken
    """

    def __init__(self, window: float) -> None:
        self.window = window
        self._seen: deque[tuple[float, Samples]] = deque()

    def add(self, at: float, samples: Samples) -> None:
        """What was seen at a moment, seconds since the epoch; one that is no later than the last is passed over."""
        if self._seen and at <= self._seen[-1][0]:
            return
        self._seen.append((at, samples))
        while len(self._seen) > 2 and self._seen[1][0] <= at - self.window:
            self._seen.popleft()

    @property
    def latest(self) -> tuple[float, Samples] | None:
        """Moment and samples of the last look."""
        return self._seen[-1] if self._seen else None

    def values(self, name: str, matching: Matching) -> list[float]:
        """Of the series that match, now."""
        return [v for labels, v in _series(self._seen[-1][1], name, matching).items() if not math.isnan(v)] if self._seen else []

    def lately(self, name: str, matching: Matching) -> list[float]:
        """Of the series that match, at every look of the window."""
        return [v for _, samples in self._seen for v in _series(samples, name, matching).values() if not math.isnan(v)]

    def increases(self, name: str, matching: Matching) -> dict[tuple[tuple[str, str], ...], float]:
        """Labels -> by how much a counter rose within the window; a fall is a restart. After one look alone: since the process started."""
        found: dict[tuple[tuple[str, str], ...], float] = {}
        before: dict[tuple[tuple[str, str], ...], float] | None = None if len(self._seen) > 1 else {}
        for _, samples in self._seen:
            now = _series(samples, name, matching)
            if before is not None:
                for labels, value in now.items():
                    was = before.get(labels, 0.0)
                    found[labels] = found.get(labels, 0.0) + (value - was if value >= was else value)
                before = {**before, **now}  # a look that failed is no restart
            elif now:
                before = now
        return found

    def to_list(self) -> list[list[object]]:
        """As JSON values."""
        return [[at, [[name, list(labels), value] for (name, labels), value in samples.items()]] for at, samples in self._seen]

    @classmethod
    def of(cls, window: float, given: list[list[object]]) -> "History":
        """What `to_list` wrote.

        Raises
        ------
        ValueError, TypeError, KeyError
            for something else.
        """
        history = cls(window)
        for at, samples in given:
            rows: list[tuple[str, list[tuple[str, str]], float]] = samples  # type: ignore[assignment]
            history.add(float(at), {(name, tuple((k, v) for k, v in labels)): float(value) for name, labels, value in rows})  # type: ignore[arg-type]
        return history


def _series(samples: Samples, name: str, matching: Matching) -> dict[tuple[tuple[str, str], ...], float]:
    found = {}
    for (of, labels), value in samples.items():
        if of == name and all(dict(labels).get(label) in values for label, values in matching.items()):
            found[labels] = value
    return found
