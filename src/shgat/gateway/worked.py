"""What worked: after which queries, and after which other tools; for nobody in particular, and for each principal besides."""

from collections import Counter, defaultdict

import numpy as np

from .._types import Bool, Float32
from ..serving.searches import ALIKE

MOST = 2000  # queries that are remembered, the latest
SAME, LATEST = 0.95, 5  # cosine from which a query is the same, said otherwise; and how many of those count


class Worked:
    """Safe to read while it is written to by one thread."""

    def __init__(self) -> None:
        self._units: Float32 = np.zeros((MOST, 0), np.float32)
        self._outcomes: list[tuple[str, bool, str]] = [("", False, "")] * MOST
        self._n = 0
        self._times: Counter[tuple[str, str]] = Counter()
        self._next: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)

    def add(self, unit: Float32 | None, before: str, key: str, worked: bool = True, principal: str = "") -> None:
        """One execution.

        Parameters
        ----------
        unit : (d,) of the query that it followed, of length 1; None where there was none
        before : the tool that worked before it in its session, "" for none
        key : of the tool
        principal : who ran it, "" for nobody in particular; another one does not hear of it
        """
        self._times[principal, key] += worked
        if worked and before:
            self._next[principal, before][key] += 1
        if unit is None:
            return
        if self._units.shape[1] != len(unit):
            self._units, self._n = np.zeros((MOST, len(unit)), np.float32), 0
        place = self._n % MOST
        self._units[place], self._outcomes[place] = unit, (key, worked, principal)
        self._n += 1

    def times(self, key: str, principal: str = "") -> int:
        """How often a tool worked."""
        return sum(self._times[who, key] for who in dict.fromkeys((principal, "")))

    def after(self, key: str, most: int, principal: str = "") -> list[str]:
        """What came next after a tool, the most frequent first."""
        found = sum((self._next[who, key] for who in dict.fromkeys((principal, "")) if (who, key) in self._next), Counter[str]())
        return [k for k, _ in found.most_common(most)]

    def answers(self, unit: Float32, principal: str = "") -> bool:
        """Did anything work after a query for much the same?"""
        return any(self._outcomes[i][1] for i in self._heard(self._cosines(unit) >= ALIKE, principal))

    def proven(self, unit: Float32, principal: str = "") -> str:
        """The tool that worked more often than it failed after the latest five times the same was asked; "" where there is none."""
        same = np.array(self._heard(self._cosines(unit) >= SAME, principal), np.int64)
        age = (self._n - 1 - same) % MOST
        votes: Counter[str] = Counter()
        for place in same[np.argsort(age, kind="stable")][:LATEST].tolist():
            key, worked, _ = self._outcomes[place]
            votes[key] += 1 if worked else -1
        key, n = votes.most_common(1)[0] if votes else ("", 0)
        return key if n > 0 else ""

    def _heard(self, places: Bool, principal: str) -> list[int]:
        """Those of the places (n,) that are the principal's, or nobody's in particular."""
        return [i for i in np.flatnonzero(places).tolist() if self._outcomes[i][2] in ("", principal)]

    def _cosines(self, unit: Float32) -> Float32:
        known = self._units[: min(self._n, MOST)]
        return np.asarray(known @ unit, np.float32) if known.shape[1] == len(unit) else np.zeros(0, np.float32)
