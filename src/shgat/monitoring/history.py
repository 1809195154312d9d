"""What was seen at which time, as far back as the rules look."""

import math
from collections import deque
from collections.abc import Mapping

from .measures import Labels, Samples

Series = dict[Labels, float]
Matching = Mapping[str, tuple[str, ...]]  # label -> values that are meant


class History:
    """Samples of one target, the latest last.

    Parameters
    ----------
    window : seconds over which increases are taken
    """

    def __init__(self, window: float) -> None:
        self.window = window
        self._seen: deque[tuple[float, Samples, dict[str, Series]]] = deque()  # the samples, and the same by name

    def add(self, at: float, samples: Samples) -> None:
        """What was seen at a moment, seconds since the epoch; one that is no later than the last is passed over."""
        if self._seen and at <= self._seen[-1][0]:
            return
        by_name: dict[str, Series] = {}
        for (name, labels), value in samples.items():
            by_name.setdefault(name, {})[labels] = value
        self._seen.append((at, samples, by_name))
        while len(self._seen) > 2 and self._seen[1][0] <= at - self.window:
            self._seen.popleft()

    @property
    def latest(self) -> tuple[float, Samples] | None:
        """Moment and samples of the last look."""
        return self._seen[-1][:2] if self._seen else None

    def values(self, name: str, matching: Matching) -> list[float]:
        """Of the series that match, now."""
        return [v for v in _series(self._seen[-1][2], name, matching).values() if not math.isnan(v)] if self._seen else []

    def lately(self, name: str, matching: Matching) -> list[float]:
        """Of the series that match, at every look of the window."""
        return [v for *_, by_name in self._seen for v in _series(by_name, name, matching).values() if not math.isnan(v)]

    def increases(self, name: str, matching: Matching) -> Series:
        """Labels -> by how much a counter rose within the window; a fall is a restart. After one look alone: since the process started."""
        found: Series = {}
        before: Series | None = None if len(self._seen) > 1 else {}
        for *_, by_name in self._seen:
            now = _series(by_name, name, matching)
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
        return [[at, [[name, list(labels), value] for (name, labels), value in samples.items()]] for at, samples, _ in self._seen]

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


def _series(by_name: Mapping[str, Series], name: str, matching: Matching) -> Series:
    found = by_name.get(name, {})
    if not matching:
        return found
    return {labels: v for labels, v in found.items() if all(dict(labels).get(k) in wanted for k, wanted in matching.items())}
