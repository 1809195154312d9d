"""What worked: after which queries, and after which other tools."""

from collections import Counter, defaultdict

import numpy as np

from .._types import Float32
from .sessions import ALIKE

MOST = 2000  # queries that are remembered, the latest
SAME, LATEST = 0.95, 5  # cosine from which a query is the same, said otherwise; and how many of those count


class Worked:
    """Safe to read while it is written to by one thread."""

    def __init__(self) -> None:
        self._units: Float32 = np.zeros((MOST, 0), np.float32)
        self._outcomes: list[tuple[str, bool]] = [("", False)] * MOST
        self._n = 0
        self._times: Counter[str] = Counter()
        self._next: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def add(self, unit: Float32 | None, before: str, key: str, worked: bool = True) -> None:
        """One execution.

        Parameters
        ----------
        unit : (d,) of the query that it followed, of length 1; None where there was none
        before : the tool that worked before it in its session, "" for none
        key : of the tool
        """
        self._times[key] += worked
        if worked and before:
            self._next[before][key] += 1
        if unit is None:
            return
        if self._units.shape[1] != len(unit):
            self._units, self._n = np.zeros((MOST, len(unit)), np.float32), 0
        place = self._n % MOST
        self._units[place], self._outcomes[place] = unit, (key, worked)
        self._n += 1

    def times(self, key: str) -> int:
        """How often a tool worked."""
        return self._times[key]

    def after(self, key: str, most: int) -> list[str]:
        """What came next after a tool, the most frequent first."""
        return [k for k, _ in self._next[key].most_common(most)] if key in self._next else []

    def answers(self, unit: Float32) -> bool:
        """Did anything work after a query for much the same?"""
        return any(self._outcomes[i][1] for i in np.flatnonzero(self._cosines(unit) >= ALIKE).tolist())

    def proven(self, unit: Float32) -> str:
        """The tool that worked more often than it failed after the latest five times the same was asked; "" where there is none."""
        cosines = self._cosines(unit)
        same = np.flatnonzero(cosines >= SAME)
        age = (self._n - 1 - same) % MOST
        votes: Counter[str] = Counter()
        for place in same[np.argsort(age, kind="stable")][:LATEST].tolist():
            key, worked = self._outcomes[place]
            votes[key] += 1 if worked else -1
        key, n = votes.most_common(1)[0] if votes else ("", 0)
        return key if n > 0 else ""

    def _cosines(self, unit: Float32) -> Float32:
        known = self._units[: min(self._n, MOST)]
        return np.asarray(known @ unit, np.float32) if known.shape[1] == len(unit) else np.zeros(0, np.float32)
