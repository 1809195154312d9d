"""Does what was learned of some repositories help another one that it never saw? The one claim that makes training progressive.

Held-out repositories are asked after each batch, with parameters that learned nothing of them, and at the end once more after a few steps on
their own earlier commits: beside a model from scratch that was given the same steps. Nothing is learned from commits that are later, by the
calendar, than the first one that is asked.

Each batch makes a register: the parameters after it, and how well they do on one more repository, the judge, that is neither learned from nor
held out. The best register is what goes on, so a batch that spoils what the others taught is given up.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import InputError
from ..metrics.resampling import paired_bootstrap
from ..shgat import SHGAT
from .changeset import Changes
from .cochange import closed_sets
from .learner import Learner
from .questions import KINDS, Kind, asked, names, reciprocal_ranks
from .snapshot import Snapshot
from .temporal import CHOSEN

MOST = 300  # commits of a held-out repository that are asked


@dataclass(frozen=True)
class Curve:
    """One held-out repository.

    Attributes
    ----------
    name : of the repository
    kind : of question
    after : MRR@10 before any batch and with the best register after each
    adapted, scratch : (B,) reciprocal ranks after the same steps on its own commits, from what was learned and from nothing
    """

    name: str
    kind: Kind
    after: list[float]
    adapted: np.ndarray[tuple[int], np.dtype[np.float64]]
    scratch: np.ndarray[tuple[int], np.dtype[np.float64]]

    def figures(self, rng: np.random.Generator) -> dict[str, Any]:
        """As JSON values; `rises` is Spearman's correlation of the batches and what came after them."""
        test = paired_bootstrap(self.adapted, self.scratch, rng=rng, n_resamples=2000)
        return {
            "name": self.name,
            "kind": self.kind,
            "after": self.after,
            "rises": spearman(range(len(self.after)), self.after),
            "adapted": float(self.adapted.mean()),
            "scratch": float(self.scratch.mean()),
            "gain": {"mean": test.mean_difference, "low": test.ci_low, "high": test.ci_high, "p": test.p_value},
        }


def transferred(
    batches: Sequence[Sequence[Changes]],
    held_out: Sequence[Changes],
    learner: Callable[[], Learner],
    on_batch: Callable[[int, bool], None] = lambda *_: None,
    *,
    judge: Changes | None = None,
    kinds: Sequence[Kind] = KINDS[:2],
    most: int = MOST,
) -> list[Curve]:
    """A curve of each held-out repository and kind of question.

    Parameters
    ----------
    batches : histories that are learned from, a list a batch, in order
    held_out : histories that are asked
    learner : makes one that knows nothing
    on_batch : called after each batch, with whether its register is the best so far
    judge : a history that says which register is best; None: the latest is
    most : commits of each history that are asked, evenly spread

    Raises
    ------
    InputError
        for no batch or nothing that is held out.
    """
    if not batches or not held_out:
        raise InputError("transfer needs at least one batch to learn from and one repository that is held out")
    cut = min(c.rows[int(len(c.rows) * CHOSEN)].time for c in held_out)
    warm = learner()
    judged = None if judge is None else judge.first(earlier(judge, cut))
    best = -1.0 if judged is None else _metric(judged, None, kinds, most)
    found: list[dict[Kind, list[float]]] = [
        {kind: [_mean(r)] for kind, r in _ranks(c, None, kinds, most).items()} for c in held_out
    ]
    for number, batch in enumerate(batches, 1):
        before = warm.model
        for changes in batch:
            row = earlier(changes, cut)
            warm.learn(Snapshot.at(changes, row, closed_sets(changes.rows[:row])), from_scratch=False)
        metric = best if judged is None else _metric(judged, warm.model, kinds, most)
        better = metric >= best
        if better:
            best = metric
        else:
            warm.model = before
        for changes, curves in zip(held_out, found, strict=True):
            for kind in kinds:
                curves[kind].append(curves[kind][-1])
            if better:
                for kind, ranks in _ranks(changes, warm.model, kinds, most).items():
                    curves[kind][-1] = _mean(ranks)
        on_batch(number, better)
    curves_of = []
    for changes, curves in zip(held_out, found, strict=True):
        mine, theirs = learner(), learner()
        mine.model, own = warm.model, _own(changes)
        for one in (mine, theirs):
            one.learn(own, from_scratch=False)
        adapted, scratch = _ranks(changes, mine.model, kinds, most), _ranks(changes, theirs.model, kinds, most)
        curves_of += [Curve(changes.name, kind, curves[kind], adapted[kind], scratch[kind]) for kind in kinds]
    return curves_of


def earlier(changes: Changes, time: int) -> int:
    """The row before which everything was committed before a moment."""
    return next((i for i, change in enumerate(changes.rows) if change.time >= time), len(changes.rows))


def spearman(x: Sequence[float] | range, y: Sequence[float]) -> float:
    """Rank correlation, equal values sharing their ranks; NaN where one of them is constant."""
    ranks = []
    for values in (x, y):
        v = np.asarray(values, np.float64)
        ranks.append(((v[:, None] > v).sum(axis=1) + (v[:, None] >= v).sum(axis=1) - 1) / 2.0)
    a, b = (r - r.mean() for r in ranks)
    length = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / length if length > 0 else float("nan")


def _own(changes: Changes) -> Snapshot:
    row = int(len(changes.rows) * CHOSEN)
    return Snapshot.at(changes, row, closed_sets(changes.rows[:row]))


def _ranks(
    changes: Changes, model: SHGAT | None, kinds: Sequence[Kind], most: int
) -> Mapping[Kind, np.ndarray[Any, np.dtype[np.float64]]]:
    """SHGAT's reciprocal ranks for the questions of the last fifth."""
    start = int(len(changes.rows) * CHOSEN)
    found = list(asked(changes, start, len(changes.rows), model, closed_sets(changes.rows[:start]), kinds=kinds, most=most))
    ranks = {}
    for kind in kinds:
        at, cases = names(kind).index("shgat"), [a.case for a in found if a.kind == kind]
        ranks[kind] = reciprocal_ranks([case.features[at] for case in cases], cases)
    return ranks


def _metric(judge: Changes, model: SHGAT | None, kinds: Sequence[Kind], most: int) -> float:
    """Mean over the kinds of question of MRR@10 on the judge."""
    return float(np.mean([_mean(ranks) for ranks in _ranks(judge, model, kinds, most).values()]))


def _mean(values: np.ndarray[Any, np.dtype[np.float64]]) -> float:
    return float(values.mean()) if len(values) else 0.0
