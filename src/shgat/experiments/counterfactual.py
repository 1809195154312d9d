"""Counterfactual evaluation: what would a model have earned on the decisions that another ranker logged?

A log is JSON lines. Each has `id`, `ranked` (ids that were offered), `propensities` (one for each of them: the chance that
it would be the one chosen), `chosen` (one of them), `outcome` (0 to 1), the intent's `embedding` (or a `.npy` beside the
file, row by row), and optionally `intent` (text) and `context_tools`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import _check
from .._files import load_matrix, read_jsonl
from ..errors import InputError
from ..graph import Catalog, Incidence
from ..metrics.calibration import PlattScaling
from ..metrics.off_policy import Estimate, LoggedDecisions, clipped_ips, direct_method, doubly_robust, ips, snips, switch_dr
from ..metrics.ranking import Floats, Integers
from ..metrics.splits import k_folds
from ..shgat import SHGAT
from ..traces.columns import Traces
from .measurement import BLOCK, scores

_FOLDS = 5  # of the reward model: each decision is predicted by one that has not seen it
_SMALLEST = 1e-12


@dataclass(frozen=True, eq=False)
class DecisionLog:
    """Logged decisions of one catalogue.

    Attributes
    ----------
    traces : an intent with text and context each; `tools` are those offered, `outcome` what followed
    chosen : (m,) tool columns
    propensity : (m,) chance that the chosen one would be chosen
    """

    traces: Traces
    chosen: Integers
    propensity: Floats

    def __len__(self) -> int:
        return len(self.chosen)

    @classmethod
    def load(cls, path: str | Path, catalog: Catalog) -> "DecisionLog":
        """Reads a log; InputError names the line and the decision of the first fault."""
        path = Path(path)
        beside = path.with_suffix(".npy")
        matrix = load_matrix(beside, mmap=True) if beside.exists() else None
        rows: list[Mapping[str, Any]] = []
        chosen: list[int] = []
        propensity: list[float] = []
        for number, record in read_jsonl(path):
            if not isinstance(record, Mapping):
                raise InputError(f"{path.name}, line {number}: a decision is a record, not {type(record).__name__}")
            key = _check.text(record.get("id"), f"{path.name}, line {number}: the id")
            column, chance = _decided(record, f"{path.name}, line {number}: decision {key!r}", catalog)
            chosen.append(column)
            propensity.append(chance)
            trace = {name: record.get(name) for name in ("id", "intent", "outcome", "embedding", "context_tools")}
            if matrix is not None and len(rows) < len(matrix):
                trace["embedding"] = np.asarray(matrix[len(rows)], np.float32)
            rows.append({**trace, "tools": record["ranked"]})
        if not rows:
            raise InputError(f"{path.name} holds no decision")
        if matrix is not None and len(matrix) != len(rows):
            raise InputError(f"{beside.name} has {len(matrix)} rows, but {path.name} has {len(rows)} decisions")
        return cls(Traces.from_records(rows, catalog), np.array(chosen), np.array(propensity))


@dataclass(frozen=True, eq=False)
class Counterfactual:
    """Values of a model on a log, in units of the outcome.

    Attributes
    ----------
    logged : mean outcome of what was really chosen, with its interval
    estimates : "ips", "clipped ips", "snips", "direct method", "doubly robust", "switch-dr"
    decisions : the columns that the estimators saw
    """

    logged: Estimate
    estimates: dict[str, Estimate]
    decisions: LoggedDecisions


def value_on_log(
    model: SHGAT,
    log: DecisionLog,
    *,
    rng: np.random.Generator,
    greedy: bool = False,
    clip: float = 10.0,
    confidence: float = 0.95,
) -> Counterfactual:
    """All estimators for the policy that chooses among the offered tools by the model's probabilities.

    Rewards are predicted from the logarithm of those probabilities by Platt scaling, cross-fitted: no decision is predicted
    by a model that has seen it.

    Parameters
    ----------
    rng : draws the folds of the reward model
    greedy : the policy takes the most probable offered tool instead, the first of equal ones
    clip : bound of weights for "clipped ips" and "switch-dr"
    """
    offered, reward = log.traces.tools, log.traces.outcome.astype(np.float64)
    share = _shares(model, log)  # (nnz,) aligned with the entries of `offered`
    at = np.array(
        [int(s) + int(np.searchsorted(offered.row(i), c)) for i, (s, c) in enumerate(zip(offered.indptr, log.chosen, strict=False))]
    )
    policy = _greedy(share, offered) if greedy else share
    predicted = _predicted(np.log(np.maximum(share, _SMALLEST)), at, offered, reward, rng)
    value = np.bincount(offered.row_of_entry, policy * predicted, len(log)).astype(np.float64)
    ids = log.traces.ids.tolist()
    decisions = LoggedDecisions(ids, log.propensity, reward, policy[at], predicted[at], value)
    estimators: dict[str, Callable[[LoggedDecisions], Estimate]] = {
        "ips": lambda d: ips(d, confidence=confidence),
        "clipped ips": lambda d: clipped_ips(d, clip=clip, confidence=confidence),
        "snips": lambda d: snips(d, confidence=confidence),
        "direct method": lambda d: direct_method(d, confidence=confidence),
        "doubly robust": lambda d: doubly_robust(d, confidence=confidence),
        "switch-dr": lambda d: switch_dr(d, threshold=clip, confidence=confidence),
    }
    same = replace(decisions, target_probability=log.propensity)  # the logging policy itself: every weight is 1
    return Counterfactual(ips(same, confidence=confidence), {n: e(decisions) for n, e in estimators.items()}, decisions)


def _decided(record: Mapping[str, Any], what: str, catalog: Catalog) -> tuple[int, float]:
    """(column of the chosen tool, its propensity) of one checked record."""
    ranked = _check.texts(record.get("ranked"), f"{what}: ranked")
    chances = record.get("propensities")
    if len(set(ranked)) < len(ranked):
        raise InputError(f"{what}: ranked names a tool twice")
    if not isinstance(chances, list) or len(chances) != len(ranked):
        raise InputError(f"{what}: propensities are {len(ranked)} numbers, one for each ranked tool, not {chances!r}")
    numbers = [_check.number(p, 0.0, 1.0, f"{what}: propensities[{i}]") for i, p in enumerate(chances)]
    if sum(numbers) > 1.0 + 1e-6:
        raise InputError(f"{what}: propensities add up to {sum(numbers):.6g}, which is more than 1")
    chosen = record.get("chosen")
    if chosen not in ranked:
        raise InputError(f"{what}: chosen {chosen!r} is not among ranked")
    chance = numbers[ranked.index(chosen)]
    if chance <= 0.0:
        raise InputError(f"{what}: the propensity of the chosen {chosen!r} lies in (0, 1], not {chance}")
    if chosen not in catalog.tool_column:
        raise InputError(f"{what} names the unknown tool {chosen!r}")
    if record.get("outcome") is None:
        raise InputError(f"{what} has no outcome")
    return catalog.tool_column[chosen], chance


def _shares(model: SHGAT, log: DecisionLog) -> Floats:
    """(nnz,) the model's probability of each offered tool, which sum to 1 over those of a decision."""
    offered, learned = log.traces.tools, model.index().learned
    share = np.empty(offered.nnz, np.float64)
    for start in range(0, len(log), BLOCK):
        rows = np.arange(start, min(start + BLOCK, len(log)))
        z = scores(model, log.traces, rows)
        z = z - z.max(axis=1, keepdims=True)
        p: NDArray[Any] = np.exp(z) if learned is None else learned[0].probability(z)
        entries = slice(int(offered.indptr[rows[0]]), int(offered.indptr[rows[-1] + 1]))
        share[entries] = np.maximum(p[offered.row_of_entry[entries] - start, offered.indices[entries]], _SMALLEST)
    return np.asarray(share / np.bincount(offered.row_of_entry, share, len(log))[offered.row_of_entry])


def _greedy(share: Floats, offered: Incidence) -> Floats:
    """1 for the first of the most probable tools of each decision, else 0."""
    taken = np.zeros_like(share)
    for start, stop in zip(offered.indptr[:-1].tolist(), offered.indptr[1:].tolist(), strict=True):
        taken[start + int(np.argmax(share[start:stop]))] = 1.0
    return taken


def _predicted(s: Floats, at: Integers, offered: Incidence, reward: Floats, rng: np.random.Generator) -> Floats:
    """(nnz,) predicted reward of each offered tool from its log probability s (nnz,), by decisions of other folds."""
    if len(at) < 2:
        return np.full(len(s), 0.5)
    predicted = np.empty(len(s))
    for fold in k_folds(len(at), min(_FOLDS, len(at)), rng):
        entries = np.isin(offered.row_of_entry, fold.test)
        predicted[entries] = PlattScaling.fit(s[at[fold.train]], reward[fold.train]).apply(s[entries])
    return predicted
