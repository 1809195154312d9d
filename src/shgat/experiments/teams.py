"""Teams on one gateway, each with its habits: what it is worth to each that they are told apart.

Three teams ask alike. Two of them want what the traces say, the third wants another tool in the place of each: the one nearest to it. A
flood, where there is one, asks as often as all of them together and always reports one tool. Ten tools are shown; what is wanted among them
is run, and that is reported a success; where none is shown the first is run, and it fails. At the end of each day a training follows. The
same days are played twice: with the teams named, and with nobody named, so that all share everything.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from .._types import Bool, Float32, Float64, Int64
from ..metrics.resampling import paired_bootstrap
from .dataset import Dataset

SHOWN = 10
TEAMS = ("usual", "alike", "contrary")
FLOOD = "flood"
NOISE = 0.3  # of each coordinate of a repeated intent, in units of 1 / sqrt(d)


class Gateway(Protocol):
    """What answers teams, and learns."""

    def ask(self, team: str, x: Float32, text: str, k: int) -> tuple[str, Sequence[str]]:
        """The decision's id, and the best k tools for an intent x (d,)."""

    def tell(self, decision: str, tools: Sequence[str], outcome: float) -> None:
        """What was run, and whether it worked."""

    def end_of_day(self) -> None:
        """Trains as far as there is anything new."""

    def about(self) -> dict[str, Any]:
        """What is worth knowing of it, as JSON values."""


Open = Callable[[bool], AbstractContextManager[Gateway]]  # over a new store: are the teams named?


@dataclass(frozen=True)
class Conditions:
    """What the days are like.

    Attributes
    ----------
    days : of each play
    asks : of a team a day
    differ : share of the tools in whose place the contrary team wants another
    flood : does somebody flood the gateway?
    """

    days: int = 10
    asks: int = 40
    differ: float = 1.0
    flood: bool = False


@dataclass(eq=False)
class Play:
    """What happened with teams named, or not.

    Attributes
    ----------
    hits : team -> (days, asks) was what it wanted shown first?
    about : the gateway's own words at the end
    """

    hits: dict[str, Bool]
    about: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Teams:
    """The days over one set of data.

    Attributes
    ----------
    seed : of who asks what, in which words, and of which tools differ
    """

    data: Dataset
    conditions: Conditions
    seed: int = 0

    def wanted(self) -> dict[str, Int64]:
        """Team -> (n_tools,) column of what it wants in the place of each tool."""
        n = len(self.data.catalog.tools)
        usual, unit = np.arange(n), self.data.tools / np.linalg.norm(self.data.tools, axis=1, keepdims=True)
        near = unit @ unit.T
        np.fill_diagonal(near, -np.inf)
        differs = np.random.default_rng([self.seed, 0]).random(n) < self.conditions.differ
        return {"usual": usual, "alike": usual, "contrary": np.where(differs, near.argmax(axis=1), usual)}

    def play(self, opened: Open, named: bool) -> Play:
        """All days, past one gateway."""
        c, rng = self.conditions, np.random.default_rng([self.seed, 1])
        train, wanted = self.data.train, self.wanted()
        rows = np.flatnonzero(train.relevant.degrees > 0)
        hits = {team: np.zeros((c.days, c.asks), bool) for team in TEAMS}
        always = self.data.catalog.tools[int(rng.integers(len(self.data.catalog.tools)))].id
        with opened(named) as gateway:
            for day in range(c.days):
                for ask in range(c.asks):
                    for team in TEAMS:
                        decision, ids, row = self._ask(gateway, team, int(rng.choice(rows)), rng)
                        right = {self.data.catalog.tools[t].id for t in wanted[team][train.relevant.row(row)].tolist()}
                        hits[team][day, ask] = ids[0] in right
                        ran = [t for t in ids if t in right]
                        gateway.tell(decision, ran or ids[:1], 1.0 if ran else 0.0)
                    for _ in TEAMS if c.flood else ():
                        decision, _ids, _row = self._ask(gateway, FLOOD, int(rng.choice(rows)), rng)
                        gateway.tell(decision, [always], 1.0)
                gateway.end_of_day()
            return Play(hits, gateway.about())

    def _ask(self, gateway: Gateway, team: str, row: int, rng: np.random.Generator) -> tuple[str, Sequence[str], int]:
        train = self.data.train
        x = train.vectors(np.array([row]))[0]
        x = x / np.linalg.norm(x) + rng.standard_normal(len(x), np.float32) * np.float32(NOISE / len(x) ** 0.5)
        return *gateway.ask(team, x, str(train.texts[row]), SHOWN), row


def gains(named: Play, nameless: Play) -> dict[str, dict[str, float]]:
    """Team -> Hit@1 of the second half of the days with and without names, and the difference with its 95 % interval."""
    found = {}
    for team in TEAMS:
        ours, theirs = (_later(play.hits[team]) for play in (named, nameless))
        test = paired_bootstrap(ours, theirs, rng=np.random.default_rng(0))
        found[team] = {
            "own": float(ours.mean()), "shared": float(theirs.mean()), "gain": float(ours.mean() - theirs.mean()),
            "low": test.ci_low, "high": test.ci_high,
        }  # fmt: skip
    return found


def _later(hits: Bool) -> Float64:
    return hits[len(hits) // 2 :].astype(np.float64).ravel()
