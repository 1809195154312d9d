"""Exploration: a few answers show what the ranking would not, with a probability that is known exactly and written down.

The first places are the ranking's. For the last ones there is a pool: what the ranking has there, and the next best. Of `share` decisions
they are drawn from the pool; of the others they are the ranking's. So an item i of the pool stands at a drawn place p with

    P(i at p) = (1 - share) [the ranking has i at p] + share q(i, p)

    epsilon         q(i, p) = 1 / m, m items in the pool
    plackett-luce   one after the other without replacement, by weights exp(score / temperature); q by dynamic programming over the
                    subsets that may stand before p (Plackett, 1975; Luce, 1959)
    thompson        by values drawn from Beta(s p, s (1 - p)) of each calibrated probability p, s = `strength`; q(i, p) is the integral
                    of i's density times the chance that p - 1 others lie above (a Poisson binomial). The densities are histograms of 64
                    cells, of which both the draw and the integral are exact
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, Self

import numpy as np

from .. import _check, _fork
from .._types import Float64, Int64
from ..errors import InputError

WAYS = ("plackett-luce", "epsilon", "thompson")
MOST_PLACES, MOST_POOL = 4, 10
_CELLS = 64
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(5)  # exact for products of nine lines: `MOST_POOL` - 1 others


@dataclass(frozen=True)
class Exploration:
    """How much is explored, and how. Pinned items, those of a stable session, and what a request may not have take no part.

    Attributes
    ----------
    share : of decisions, in (0, 1]; with 1 the last places are always drawn
    places : how many of an answer's last places, at most 4 and never the whole answer
    pool : items that may stand at a drawn place, at most 10
    by : "plackett-luce", "epsilon" or "thompson"; the last needs calibrated probabilities, and waits for them
    loss : mean score per drawn place that an explored decision may cost in expectation; the pool is made smaller until it does not
    temperature : of Plackett-Luce, in units of the score
    strength : of Thompson's draws: as if each probability had been seen that often
    seed : of the draws; None: another one for each process
    """

    share: float = 0.05
    places: int = 1
    pool: int = 8
    by: Literal["plackett-luce", "epsilon", "thompson"] = "plackett-luce"
    loss: float = 0.2
    temperature: float = 0.1
    strength: float = 20.0
    seed: int | None = None

    def __post_init__(self) -> None:
        what = "explore: "
        _check.number(self.share, 1e-6, 1.0, f"{what}share")
        _check.choice(self.by, WAYS, f"{what}by")
        _check.number(self.temperature, 1e-3, 1e3, f"{what}temperature")
        _check.number(self.strength, 1.0, 1e4, f"{what}strength")
        _check.number(self.loss, 0.0, 1.0, f"{what}loss")
        if not 1 <= _check.positive_integer(self.places, f"{what}places") <= MOST_PLACES:
            raise InputError(f"{what}places lies in [1, {MOST_PLACES}], not {self.places}")
        if not self.places < _check.positive_integer(self.pool, f"{what}pool") <= MOST_POOL:
            raise InputError(
                f"{what}pool lies in ({self.places}, {MOST_POOL}], not {self.pool}: it holds more items than are drawn"
            )
        if self.seed is not None:
            _check.seed(self.seed, f"{what}seed")

    @classmethod
    def of(cls, given: object) -> "Self | None":
        """From what `Ranker.open` takes: a share, an Exploration; None or 0 for none."""
        if given is None or (isinstance(given, (int, float)) and not isinstance(given, bool) and given == 0):
            return None
        if isinstance(given, cls):
            return given
        if isinstance(given, bool) or not isinstance(given, (int, float)):
            raise InputError(f"explore is a share of decisions or an Exploration, not {_check.brief(given)}")
        return cls(float(given))


@dataclass(frozen=True, eq=False)
class Draw:
    """What stands at the last places, and with which probability it might have been otherwise.

    Attributes
    ----------
    order : positions in the pool, one for each drawn place
    chances : (m, places) P(i at p) of every item of the pool; columns sum to 1
    """

    order: tuple[int, ...]
    chances: Float64


class Explorer:
    """Draws. Safe from any number of threads.

    Parameters
    ----------
    how : see `Exploration`
    """

    def __init__(self, how: Exploration) -> None:
        self.how = how
        self._rng = np.random.default_rng(how.seed)
        _fork.renew(self)

    def after_fork(self) -> None:
        """The parent's draws are not repeated."""
        self._rng = np.random.default_rng()

    def draw(self, scores: Sequence[float], places: int) -> Draw | None:
        """For a pool with these scores, best first, of which the ranking has the first `places`; None where nothing is to be explored."""
        s = np.array(scores[: self.how.pool], np.float64)
        while len(s) > places and self._cost(s, q := self._q(s, places)) > self.how.loss:
            s = s[:-1]  # what costs most
        if len(s) <= places:
            return None
        chances = self.how.share * q
        chances[np.arange(places), np.arange(places)] += 1.0 - self.how.share
        if self._rng.random() >= self.how.share:
            return Draw(tuple(range(places)), chances)
        return Draw(self._drawn(s, places), chances)

    @staticmethod
    def _cost(s: Float64, q: Float64) -> float:
        """Mean over the drawn places of what the ranking has there less what is expected there."""
        return float(s[: q.shape[1]].mean() - (s @ q).mean())

    def _q(self, s: Float64, places: int) -> Float64:
        """(m, places) probability of each item at each drawn place of an explored decision."""
        if self.how.by == "epsilon":
            return np.full((len(s), places), 1.0 / len(s))
        if self.how.by == "plackett-luce":
            return plackett_luce(self._weights(s), places)
        return thompson(self._cells(s), places)

    def _drawn(self, s: Float64, places: int) -> tuple[int, ...]:
        m, late = len(s), np.empty(0)
        if self.how.by == "epsilon":
            late = np.asarray(self._rng.random(m))
        elif self.how.by == "plackett-luce":  # the exponential race that has this law
            late = np.asarray(self._rng.exponential(size=m) / self._weights(s))
        else:
            at = [self._rng.choice(_CELLS, p=row) for row in self._cells(s)]
            late = np.asarray(-(np.array(at, np.float64) + self._rng.random(m)))
        return tuple(np.argsort(late)[:places].tolist())

    def _weights(self, s: Float64) -> Float64:
        return np.asarray(np.exp(np.maximum((s - s.max()) / self.how.temperature, -50.0)))

    def _cells(self, s: Float64) -> Float64:
        """(m, 64) mass of Beta(s p, s (1 - p)) in each cell of [0, 1], by its density in the middle."""
        p = np.clip(s, 0.01, 0.99)[:, None] * self.how.strength
        t = (np.arange(_CELLS) + 0.5) / _CELLS
        log = (p - 1.0) * np.log(t) + (self.how.strength - p - 1.0) * np.log1p(-t)
        mass = np.exp(log - log.max(axis=1, keepdims=True))
        return np.asarray(mass / mass.sum(axis=1, keepdims=True))


def plackett_luce(w: Float64, places: int) -> Float64:
    """(m, places) P(i at p) where items are drawn one after the other, without replacement, in proportion to w (m,)."""
    q = np.empty((len(w), places))
    chance: Float64 = np.ones(1)
    for p, (members, before, item, after) in enumerate(_steps(len(w), places)):
        left = w.sum() - members @ w
        flow = chance[before] * w[item] / left[before]
        q[:, p] = np.bincount(item, flow, len(w))
        chance = np.asarray(np.bincount(after, flow), np.float64)
    return q


@lru_cache(maxsize=64)
def _steps(m: int, places: int) -> tuple[tuple[Any, Int64, Int64, Int64], ...]:
    """For each place: which items each subset before it holds (k, m), and the draws: subset before, item, subset after."""
    steps = []
    for size in range(places):
        subsets = list(itertools.combinations(range(m), size))
        larger = {s: i for i, s in enumerate(itertools.combinations(range(m), size + 1))}
        draws = [(i, j, larger[tuple(sorted((*s, j)))]) for i, s in enumerate(subsets) for j in range(m) if j not in s]
        members = np.array([[j in s for j in range(m)] for s in subsets], np.float64).reshape(len(subsets), m)
        steps.append((members, *np.array(draws, np.int64).T))
    return tuple(steps)


def thompson(cells: Float64, places: int) -> Float64:
    """(m, places) P(i at p) where items are sorted by values from histograms (m, 64) over equal cells of [0, 1], highest first."""
    m, n = cells.shape
    inside = (_NODES + 1.0) / 2.0  # of a cell, (5,)
    above = 1.0 - (np.cumsum(cells, axis=1) - cells)[:, :, None] - cells[:, :, None] * inside  # P(value > t), (m, 64, 5)
    q = np.zeros((m, places))
    for i in range(m):
        count = np.zeros((places, n, len(inside)))  # P(exactly r others above t), r < places
        count[0] = 1.0
        for j in range(m):
            if j != i:
                shifted = np.concatenate([np.zeros_like(count[:1]), count[:-1]])
                count = count * (1.0 - above[j]) + shifted * above[j]
        q[i] = (count * (_WEIGHTS / 2.0)).sum(axis=2) @ cells[i]
    return q
