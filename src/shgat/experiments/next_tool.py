"""What a suggestion of the next tool has to beat: each learns from sessions and scores the whole catalogue at a step.

V tools, n(c) how often c was run, n(a, c) how often right after a, n(a, b, c) right after a and b in this order; steps of traces that worked
count. Nothing before is a symbol of its own.

    popularity      P0(c)       = (n(c) + 1 / V) / (n + 1)
    Markov, first   P1(c | a)   = (n(a, c) + d(a) P0(c)) / (n(a) + d(a))
    Markov, second  P2(c | a b) = (n(a, b, c) + d(a, b) P1(c | b)) / (n(a, b) + d(a, b))
    co-occurrence   mean over a used of (m(a, c) + P0(c)) / (m(a) + 1),     P0(c) where nothing was used

d is the number of different tools that followed (Witten and Bell, 1991), so that what was never seen backs off to what is known of less
context; m(a) is how many sessions used a, and m(a, c) how many both.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from .._types import Float32, Float64, Int64
from ..errors import InputError
from ..traces.session_columns import Sessions
from ..traces.sessions import Step

_START = -1  # before the first tool


class NextTool(Protocol):
    """Scores tools at steps."""

    def scores(self, sessions: Sessions, rows: Int64) -> Float32:
        """(len(rows), n_tools) of the given steps, from their intent and what was used before them; higher is better."""


class Values(Protocol):
    """What a choice is worth for the rest of its session; any object that has this can be evaluated."""

    def values(self, step: Step) -> Float64 | Float32:
        """(n_tools,) expected return of each tool of the catalogue at a step, from its intent and context."""


@dataclass(frozen=True, eq=False)
class Popularity:
    """P0, whatever was used. share : (n_tools,) float64."""

    share: Float64

    @classmethod
    def fit(cls, sessions: Sessions, n_tools: int) -> "Popularity":
        """From the steps of sessions."""
        n = np.bincount(sessions.chosen[sessions.succeeded], minlength=n_tools)
        return cls((n + 1.0 / n_tools) / (n.sum() + 1.0))

    def scores(self, sessions: Sessions, rows: Int64) -> Float32:
        """The same for every step."""
        return np.tile(self.share.astype(np.float32), (len(rows), 1))


@dataclass(frozen=True, eq=False)
class Markov:
    """P1 or P2. followed : (what stood before) -> tool -> how often; the order is that of the longest."""

    popularity: Popularity
    order: int
    followed: Mapping[tuple[int, ...], Counter[int]]

    @classmethod
    def fit(cls, sessions: Sessions, n_tools: int, order: int = 1) -> "Markov":
        """From the steps of sessions, with the last tool before each, or the last two."""
        if order not in (1, 2):
            raise InputError(f"a Markov chain here is of order 1 or 2, not {order!r:.60}")
        followed: dict[tuple[int, ...], Counter[int]] = defaultdict(Counter)
        for t in np.flatnonzero(sessions.succeeded).tolist():
            last = _last(sessions, t, order)
            for i in range(order):
                followed[last[i:]][int(sessions.chosen[t])] += 1
        return cls(Popularity.fit(sessions, n_tools), order, dict(followed))

    def scores(self, sessions: Sessions, rows: Int64) -> Float32:
        """P(tool | what was used last)."""
        return _by_context(sessions, rows, lambda t: _last(sessions, t, self.order), self._given)

    def _given(self, last: tuple[int, ...]) -> Float64:
        less = self._given(last[1:]) if len(last) > 1 else self.popularity.share
        n = self.followed.get(last)
        return less if n is None else (_counts(n, len(less)) + len(n) * less) / (n.total() + len(n))


@dataclass(frozen=True, eq=False)
class CoOccurrence:
    """What sessions used together, in whatever order. together : tool -> other -> sessions that used both; used : tool -> sessions."""

    popularity: Popularity
    together: Mapping[int, Counter[int]]
    used: Counter[int]

    @classmethod
    def fit(cls, sessions: Sessions, n_tools: int) -> "CoOccurrence":
        """From all that each session used."""
        together: dict[int, Counter[int]] = defaultdict(Counter)
        used: Counter[int] = Counter()
        for start, stop in zip(sessions.indptr[:-1].tolist(), sessions.indptr[1:].tolist(), strict=True):
            steps = np.arange(start, stop)
            good = sessions.chosen[steps[sessions.succeeded[steps]]]
            tools = sorted({*sessions.context(start).tolist(), *good.tolist()})
            used.update(tools)
            for tool in tools:
                together[tool].update(other for other in tools if other != tool)
        return cls(Popularity.fit(sessions, n_tools), dict(together), used)

    def scores(self, sessions: Sessions, rows: Int64) -> Float32:
        """The mean share over what was used before."""
        return _by_context(sessions, rows, lambda t: tuple(sorted(set(sessions.context(t).tolist()))), self._given)

    def _given(self, context: tuple[int, ...]) -> Float64:
        base = self.popularity.share
        if not context:
            return base
        found = np.zeros_like(base)
        for tool in context:
            found += (_counts(self.together.get(tool, Counter()), len(base)) + base) / (self.used[tool] + 1.0)
        return found / len(context)


@dataclass(frozen=True, eq=False)
class ByValues:
    """The order of an object with values."""

    of: Values

    def scores(self, sessions: Sessions, rows: Int64) -> Float32:
        """Its values at each step."""
        return np.stack([np.asarray(self.of.values(sessions.steps[t]), np.float32) for t in rows.tolist()])


@dataclass(frozen=True, eq=False)
class NotAgain:
    """Another's order, with what the session used already behind everything else."""

    of: NextTool

    def scores(self, sessions: Sessions, rows: Int64) -> Float32:
        """Its scores, -inf for what was used."""
        found = np.array(self.of.scores(sessions, rows), np.float32)
        for i, t in enumerate(rows.tolist()):
            found[i, sessions.context(t)] = -np.inf
        return found


def repeats(sessions: Sessions) -> tuple[int, int]:
    """(steps that run a tool which their session used before, steps that have any context)."""
    with_context = np.flatnonzero(sessions.until > sessions.begin).tolist()
    return sum(int(sessions.chosen[t]) in sessions.context(t) for t in with_context), len(with_context)


def _last(sessions: Sessions, t: int, order: int) -> tuple[int, ...]:
    used = sessions.context(t)[-order:].tolist()
    return (*([_START] * (order - len(used))), *used)


def _counts(n: Counter[int], n_tools: int) -> Float64:
    found = np.zeros(n_tools)
    found[list(n)] = list(n.values())
    return found


def _by_context(
    sessions: Sessions, rows: Int64, context: Callable[[int], tuple[int, ...]], given: Callable[[tuple[int, ...]], Float64]
) -> Float32:
    """(len(rows), n_tools) of what is given a step's context, computed once for each that occurs."""
    known: dict[tuple[int, ...], Float64] = {}
    found = []
    for t in rows.tolist():
        key = context(t)
        if key not in known:
            known[key] = given(key)
        found.append(known[key])
    return np.array(found, np.float32)
