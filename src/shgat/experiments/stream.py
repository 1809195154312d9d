"""A stream of intents against a ranker that learns from what comes of its answers, beside methods that learn from the same feedback.

The training intents of a set come one by one, in the order of their time stamps where they have one, else shuffled. Ten tools are shown. A
simulated person runs the wanted ones among them, and that is reported a success: what was not shown is never heard of. Where none is
shown the first is run, and it fails. What was learned is measured on the test split, which no part of the stream ever sees.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from .._types import Bool, Float32, Int32, Int64
from ..graph import Catalog, Incidence
from ..metrics.ranking import per_query
from ..shgat import SHGAT
from . import baselines
from .curves import Look, Served
from .dataset import Dataset

SHOWN = 10  # tools of an answer
SURE = 5  # of them that are never left to chance
EXPLORED = 50  # tools that chance chooses the others among
LABELLED = 200  # feedbacks after which full labels are looked at too, as at the end
FIRST = 50  # feedbacks before the second look; each further one comes after twice as many
MOVED = 0.3  # share of the tools that are wanted for something else after a drift
GONE = 0.15  # share of the tools that leave, and that arrive, where there is churn
NOWHERE = np.float32(-1e30)  # the score of a tool that is not there


class Gateway(Protocol):
    """What answers over one catalogue, and learns."""

    def ask(self, x: Float32, text: str, k: int) -> tuple[str, Sequence[str]]:
        """The decision's id, and the best k tools for an intent x (d,)."""

    def tell(self, decision: str, tools: Sequence[str], outcome: float) -> None:
        """What was run, and whether it worked."""

    def learn(self) -> None:
        """Trains as far as there is anything new."""

    def scores(self, x: Float32, texts: Sequence[str]) -> Float32:
        """(B, n_tools) of intents x (B, d) by the model that serves."""

    @property
    def serves(self) -> str:
        """The name of the version that serves."""

    def about(self) -> dict[str, Any]:
        """What is worth knowing of it, as JSON values."""


Open = Callable[[Catalog], AbstractContextManager[Gateway]]  # over the same store each time


@dataclass(frozen=True)
class Conditions:
    """What the stream is like.

    Attributes
    ----------
    wrong : share of the feedbacks that report another shown tool, which is not wanted, as a success
    drift : half way, 30 % of the tools are wanted for what others of them were wanted for
    churn : 15 % of the tools arrive half way, and another 15 % leave
    explore : share of the answers whose places 6 to 10 are drawn at random from places 6 to 50
    shuffled : each feedback reports what worked for another intent: nothing can be learned
    limit : feedbacks, None for one to each training intent
    every : feedbacks between two trainings
    """

    wrong: float = 0.0
    drift: bool = False
    churn: bool = False
    explore: float = 0.0
    shuffled: bool = False
    limit: int | None = None
    every: int = 10


@dataclass(frozen=True, eq=False)
class Phase:
    """A stretch of the stream with the same catalogue and the same preferences.

    Attributes
    ----------
    catalog : what is ranked
    there : (n_tools,) tools of the whole set that it holds
    moved : (n_tools,) column of the tool that is wanted in the place of each
    """

    catalog: Catalog
    there: Bool
    moved: Int64

    @cached_property
    def column(self) -> Int32:
        """(n_tools,) column of the catalogue of each tool that it holds."""
        return np.asarray(np.cumsum(self.there) - 1, np.int32)

    def wanted(self, tools: Incidence) -> Incidence:
        """What is wanted now, as far as it is there."""
        rows = (sorted({t for t in self.moved[tools.row(i)].tolist() if self.there[t]}) for i in range(tools.n_rows))
        return Incidence.from_rows(rows)

    def full(self, scores: Float32) -> Float32:
        """(B, n_tools) over the whole set, of scores over this catalogue."""
        out = np.full((len(scores), len(self.there)), NOWHERE, np.float32)
        out[:, self.there] = scores
        return out

    def only(self, scores: Float32) -> Float32:
        """Scores (B, n_tools) over the whole set with what is not there last."""
        return np.where(self.there, scores, NOWHERE)


@dataclass(eq=False)
class Stream:
    """One stream over one set.

    Attributes
    ----------
    seed : of order, chance and the baselines
    heard : training row, columns of what was run, outcome
    served : each version that came to serve
    """

    data: Dataset
    conditions: Conditions
    seed: int = 0
    heard: list[tuple[int, list[int], float]] = field(default_factory=list)
    served: list[Served] = field(default_factory=list)

    @cached_property
    def order(self) -> Int64:
        """Rows of the training traces that are asked, in order; each wants a tool that is there when it is asked."""
        times = self.data.train.timestamp
        good = np.flatnonzero(self.data.train.relevant.degrees > 0)
        if np.isnan(times[good]).any():
            good = np.random.default_rng([self.seed, 0]).permutation(good)
        else:
            good = good[np.argsort(times[good], kind="stable")]
        return np.asarray(good[: self.conditions.limit], np.int64)

    @cached_property
    def phases(self) -> tuple[Phase, ...]:
        """One, or two of the same length."""
        catalog, n = self.data.catalog, len(self.data.catalog.tools)
        rng, still = np.random.default_rng([self.seed, 1]), np.arange(n)
        everything = np.ones(n, bool)
        if not (self.conditions.drift or self.conditions.churn):
            return (Phase(catalog, everything, still),)
        moved = still.copy()
        if self.conditions.drift:
            some = rng.permutation(n)[: round(MOVED * n)]
            moved[some] = np.roll(some, 1)
        before, after = everything.copy(), everything.copy()
        if self.conditions.churn:
            late, gone = np.split(rng.permutation(n)[: 2 * round(GONE * n)], 2)
            before[late], after[gone] = False, False
        return Phase(_holding(catalog, before), before, still), Phase(_holding(catalog, after), after, moved)

    def play(self, opened: Open) -> Iterator[Look]:
        """Asks, tells and trains; a look at 0, 50, 100, 200, ... feedbacks and at the end."""
        rng, tools = np.random.default_rng([self.seed, 2]), self.data.train.relevant
        next_look, n = FIRST, len(self.order)
        for phase, rows in zip(self.phases, np.array_split(self.order, len(self.phases)), strict=True):
            wanted = phase.wanted(tools.take(rows))
            with opened(phase.catalog) as gateway:
                if not self.heard:
                    yield self.look(phase, gateway)  # before the first feedback
                for i, row in enumerate(rows.tolist()):
                    self._one(gateway, row, set(wanted.row(i).tolist()), rng)
                    last = len(self.heard) == n
                    if len(self.heard) % self.conditions.every == 0 or len(self.heard) == next_look or last:
                        gateway.learn()
                        self._watch(phase, gateway)
                    if len(self.heard) == next_look or last:
                        yield self.look(phase, gateway)
                    if len(self.heard) == next_look:
                        next_look *= 2

    def _one(self, gateway: Gateway, row: int, wanted: set[int], rng: np.random.Generator) -> None:
        """One intent: shown, run, told."""
        column, asked = self.data.catalog.tool_column, self.data.train
        exploring = rng.random() < self.conditions.explore
        decision, ids = gateway.ask(asked.vectors(np.array([row]))[0], str(asked.texts[row]), EXPLORED if exploring else SHOWN)
        shown = [column[t] for t in ids]
        if exploring:
            shown = shown[:SURE] + rng.permutation(shown[SURE:]).tolist()[: SHOWN - SURE]
        if self.conditions.shuffled:
            wanted = set(asked.relevant.row(int(rng.choice(self.order))).tolist())
        right, others = [t for t in shown if t in wanted], [t for t in shown if t not in wanted]
        ran, outcome = (right, 1.0) if right else (shown[:1], 0.0)
        if rng.random() < self.conditions.wrong and others:
            ran, outcome = [others[int(rng.integers(len(others)))]], 1.0
        gateway.tell(decision, [self.data.catalog.tools[t].id for t in ran], outcome)
        self.heard.append((row, ran, outcome))

    # ---------------------------------------------------------------- measuring
    def _watch(self, phase: Phase, gateway: Gateway) -> None:
        """Compares what serves now with cosine, if it has changed."""
        if self.served and self.served[-1].version == gateway.serves:
            return
        x, wanted = self.data.intents, phase.wanted(self.data.wanted)
        ours = per_query(phase.full(gateway.scores(x, self.data.texts)), wanted, (5,))["recall@5"]
        theirs = per_query(phase.only(baselines.cosine(x, self.data.tools)), wanted, (5,))["recall@5"]
        gain = (ours - theirs)[~np.isnan(ours)]
        self.served.append(Served(len(self.heard), gateway.serves, float(gain.mean()), float(gain.std() / np.sqrt(len(gain)))))

    def look(self, phase: Phase, gateway: Gateway) -> Look:
        """The test split by what is known now, and, after 200 feedbacks and at the end, by all wanted tools of the intents so far."""
        x, tools = self.data.intents, self.data.tools
        past, ran = self.past(phase)
        wanted = phase.wanted(self.data.wanted)
        rng = np.random.default_rng([self.seed, 3])
        scores = {
            "shgat": phase.full(gateway.scores(x, self.data.texts)),
            "cosine": baselines.cosine(x, tools),
            "knn": baselines.knn(x, tools, past, ran),
            "linear_adapter": baselines.linear_adapter(x, tools, past, ran, rng) if len(past) > 1 else baselines.cosine(x, tools),
        }
        if len(self.heard) in (LABELLED, len(self.order)):
            scores["full_labels"] = self._full_labels(phase)
        methods = {name: per_query(phase.only(s), wanted) for name, s in scores.items()}
        return Look(len(self.heard), methods, gateway.about())

    def past(self, phase: Phase) -> tuple[Float32, Incidence]:
        """Unit intents (N, d) of the feedbacks that worked, and what was run, as far as it is still there."""
        found = [(row, [t for t in ran if phase.there[t]]) for row, ran, outcome in self.heard if outcome > 0.0]
        found = [(row, sorted(ran)) for row, ran in found if ran]
        x = self.data.train.vectors(np.array([row for row, _ in found], np.int64))
        x /= np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)
        return x, Incidence.from_rows(ran for _, ran in found)

    def _full_labels(self, phase: Phase) -> Float32:
        """(B, n_tools) by a `fit` that knows all tools that the intents so far want, by the preferences of now."""
        model, train = SHGAT.from_catalog(phase.catalog), self.data.train.take(self.order[: len(self.heard)])
        known = phase.wanted(train.relevant)
        here = Incidence(known.indptr, phase.column[known.indices])
        labelled = replace(train, tools=here)
        if phase.catalog is not self.data.catalog:  # other columns
            labelled = replace(
                labelled, capability=np.full_like(train.capability, -1), context=Incidence.from_rows([()] * len(train))
            )
        rows = np.flatnonzero(here.degrees > 0)
        if len(rows):
            model.fit(labelled.take(rows), seed=self.seed)
        return phase.full(model.score(self.data.intents, texts=self.data.texts))


def _holding(catalog: Catalog, there: Bool) -> Catalog:
    gone = [t.id for t, stays in zip(catalog.tools, there.tolist(), strict=True) if not stays]
    return catalog.without(*gone) if gone else catalog
