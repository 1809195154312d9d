"""Does what was learned of earlier commits find the files of later ones? One repository, split by the order of its commits.

    first 64 %   SHGAT learns
    next 16 %    the weights of blends are fitted on one half, and the other half says which ranking ships
    last 20 %    every ranking is asked; nothing is fitted

Counts and memory go on through all of it, each commit asked before it is counted; parameters and weights stay as the earlier parts made
them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._types import Float64
from ..errors import InputError
from ..metrics.resampling import paired_bootstrap
from .blend import Blend, Case
from .changeset import Changes
from .cochange import closed_sets
from .learner import Learner
from .questions import KINDS, Asked, Kind, asked, names, reciprocal_ranks
from .snapshot import Snapshot

LEARNED, CHOSEN = 0.64, 0.80  # parts of the commits up to which is learned, and chosen
FEWEST = 100  # commits of a history that can be split
MOST_CASES = 300  # that weights are fitted on, evenly spread
BLENDS = ("backed off", "prior", "shgat + prior")
_SERIOUS = {"file": ("confidence", "recency"), "intent": ("words", "recency"), "masked": ("words", "recency")}


@dataclass(frozen=True)
class Ranked:
    """What one kind of question came to.

    Attributes
    ----------
    kind : file, intent or masked
    blends : name -> its weights
    validation : ranking -> MRR@10 on the commits that decided
    test : ranking -> (B,) reciprocal ranks at 10 of the last fifth, the mean of a commit's questions
    """

    kind: Kind
    blends: Mapping[str, Blend]
    validation: Mapping[str, float]
    test: Mapping[str, Float64]

    @property
    def ships(self) -> str:
        """The ranking that was best on the commits that decided."""
        return max(self.validation, key=self.validation.__getitem__)

    @property
    def baseline(self) -> str:
        """The best of those without SHGAT on the commits that decided, the blend of all counts aside."""
        plain = {name: v for name, v in self.validation.items() if "shgat" not in name and name != "prior"}
        return max(plain, key=plain.__getitem__)

    def figures(self, rng: np.random.Generator) -> dict[str, Any]:
        """MRR@10 of each ranking, the share of commits of which something was found, and SHGAT with the counts against the baseline."""
        ours, theirs = self.test["shgat + prior"], self.test[self.baseline]
        test = paired_bootstrap(ours, theirs, rng=rng, n_resamples=2000)
        return {
            "questions": len(ours),
            "mrr": {name: float(v.mean()) for name, v in self.test.items()},
            "found": {name: float((v > 0).mean()) for name, v in self.test.items()},
            "validation": dict(self.validation),
            "ships": self.ships,
            "baseline": self.baseline,
            "gain": {"mean": test.mean_difference, "low": test.ci_low, "high": test.ci_high, "p": test.p_value},
            "weights": {name: blend.record() for name, blend in self.blends.items()},
        }


@dataclass(frozen=True)
class Answered:
    """The questions of one history, answered by every single ranking.

    Attributes
    ----------
    before, after : those of the part that chooses and of the last part
    half : row that parts the first into what weights are fitted on and what decides
    """

    before: list[Asked]
    after: list[Asked]
    half: int

    @classmethod
    def of(cls, changes: Changes, learner: Learner | None, kinds: Sequence[Kind] = KINDS, most: int | None = 600) -> "Answered":
        """Those of one history.

        Parameters
        ----------
        learner : learns from the first part, and is asked with what it then knows; None: an untrained model is
        most : commits that are asked in each part, evenly spread; None: all

        Raises
        ------
        InputError
            for fewer than a hundred commits that could be asked.
        """
        n = len(changes.rows)
        if n < FEWEST:
            raise InputError(
                f"{changes.name or 'the history'} has {n} commits of 1 to 30 files that are no merges, expected {FEWEST} or more"
            )
        learn, choose = int(n * LEARNED), int(n * CHOSEN)
        together = closed_sets(changes.rows[:learn])
        if learner is not None:
            learner.learn(Snapshot.at(changes, learn, together))
        model = None if learner is None else learner.model
        before = list(asked(changes, learn, choose, model, together, kinds=kinds, most=most))
        after = list(asked(changes, choose, n, model, together, kinds=kinds, most=most))
        return cls(before, after, (learn + choose) // 2)

    def cases(self, kind: Kind, start: int = 0, stop: int | None = None) -> list[Case]:
        """Of the part that chooses, those of rows from one to before another."""
        return [a.case for a in self.before if a.kind == kind and start <= a.row and (stop is None or a.row < stop)]

    def ranked(self, kind: Kind, shared: Mapping[str, Blend] | None = None) -> Ranked:
        """Every ranking of a kind of question; blends begin at those that are shared."""
        decided = answers(kind, blends(kind, self.cases(kind, stop=self.half), shared), self.cases(kind, self.half))
        final = blends(kind, self.cases(kind), shared)
        validation = {name: float(v.mean()) if len(v) else 0.0 for name, v in decided.items()}
        last = [a for a in self.after if a.kind == kind]
        return Ranked(kind, final, validation, _by_row(answers(kind, final, [a.case for a in last]), [a.row for a in last]))


def blends(kind: Kind, cases: Sequence[Case], shared: Mapping[str, Blend] | None = None) -> dict[str, Blend]:
    """What is fitted: the serious opponent, a ranking that backs off to recency; all counts; all counts and SHGAT."""
    every, cases = names(kind), cases[:: -(-len(cases) // MOST_CASES) or 1]
    used = {"backed off": _SERIOUS[kind], "prior": every[:-1], "shgat + prior": every}
    return {name: Blend.fitted(every, cases, used[name], None if shared is None else shared[name]) for name in BLENDS}


def shared_blends(kind: Kind, histories: Sequence[Answered]) -> dict[str, Blend]:
    """Those of several histories together, each with as many cases as the one with the fewest has, but fifty at the least."""
    cases = [h.cases(kind, stop=h.half) for h in histories]
    most = max(50, min((len(c) for c in cases if c), default=50))
    return blends(kind, [case for of_one in cases for case in of_one[:most]])


def answers(kind: Kind, found: Mapping[str, Blend], cases: Sequence[Case]) -> dict[str, Float64]:
    """Ranking -> reciprocal ranks of each case, single ones first."""
    every = names(kind)
    plain = {name: reciprocal_ranks([c.features[i] for c in cases], cases) for i, name in enumerate(every)}
    return plain | {name: reciprocal_ranks([b.logits(every, c.features) for c in cases], cases) for name, b in found.items()}


def _by_row(found: Mapping[str, Float64], rows: Sequence[int]) -> dict[str, Float64]:
    """Means of the questions of each commit."""
    _, which, counts = np.unique(np.array(rows, np.int64), return_inverse=True, return_counts=True)
    return {name: np.bincount(which, values, len(counts)) / counts for name, values in found.items()}
