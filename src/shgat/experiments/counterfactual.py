"""Counterfactual evaluation: what would a model have earned on the decisions that another ranker logged?

A log is a store, or JSON lines. Each has `id`, `ranked` (ids that were offered), `propensities` (one for each of them: the chance that
it would be the one chosen), `chosen` (one of them), `outcome` (0 to 1), the intent's `embedding` (or a `.npy` beside the
file, row by row), and optionally `intent` (text) and `context_tools`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .. import _check
from .._files import load_matrix, read_jsonl
from .._types import Float64, Int32, Int64
from ..errors import InputError
from ..graph import Catalog, Incidence
from ..metrics.calibration import PlattScaling
from ..metrics.off_policy import Estimate, LoggedDecisions, clipped_ips, direct_method, doubly_robust, ips, snips, switch_dr
from ..metrics.splits import k_folds
from ..model import scoring
from ..shgat import SHGAT
from ..traces import Trace, Traces
from .measurement import BLOCK, scores

if TYPE_CHECKING:
    from ..store import Decision, Ranked, Store  # an extra

_PAGE = 1000  # decisions read at a time
_FOLDS = 5  # of the reward model: each decision is predicted by one that has not seen it
_SMALLEST = 1e-12


@dataclass(frozen=True, eq=False)
class DecisionLog:
    """Logged decisions of one catalogue.

    Attributes
    ----------
    traces : m decisions as traces: the intent with text and context, the one tool that was chosen, what followed
    offered : (m rows) -> columns of the tools that were offered
    propensity : (m,) chance that the chosen one would be chosen
    skipped : (id, reason) of stored decisions that could not be used
    """

    traces: Traces
    offered: Incidence
    propensity: Float64
    skipped: list[tuple[str, str]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.traces)

    @property
    def chosen(self) -> Int32:
        """(m,) columns of the chosen tools."""
        return self.traces.tools.indices

    @classmethod
    def load(cls, path: str | Path, catalog: Catalog) -> "DecisionLog":
        """Reads a log; InputError names the line and the decision of the first fault."""
        path = Path(path)
        beside = path.with_suffix(".npy")
        matrix = load_matrix(beside, mmap=True) if beside.exists() else None
        rows: list[Mapping[str, Any]] = []
        offered: list[list[int]] = []
        propensity: list[float] = []
        for number, record in read_jsonl(path):
            if not isinstance(record, Mapping):
                raise InputError(f"{path.name}, line {number}: a decision is a record, not {type(record).__name__}")
            key = _check.text(record.get("id"), f"{path.name}, line {number}: the id")
            columns, chance = _decided(record, f"{path.name}, line {number}: decision {key!r}", catalog)
            offered.append(columns)
            propensity.append(chance)
            trace = {name: record.get(name) for name in ("id", "intent", "outcome", "embedding", "context_tools")}
            if matrix is not None and len(rows) < len(matrix):
                trace["embedding"] = np.asarray(matrix[len(rows)], np.float32)
            rows.append({**trace, "tools": [record["chosen"]]})
        if not rows:
            raise InputError(f"{path.name} holds no decision")
        if matrix is not None and len(matrix) != len(rows):
            raise InputError(f"{beside.name} has {len(matrix)} rows, but {path.name} has {len(rows)} decisions")
        return cls(Traces.from_records(rows, catalog), Incidence.from_rows(offered), np.array(propensity))

    @classmethod
    def from_store(cls, store: "Store", catalog: Catalog) -> "DecisionLog":
        """The decisions of a store whose feedback names a tool that was offered; the first one counts as chosen.

        A store logs with which probability its ranker puts a tool at each place where it may stand. Who chose there was an agent, and
        agents look at the first places first: the chance of a choice is the sum, over those places, of that probability times the share of
        choices that fell on the place, over the whole log and counted with one more for each place (a position-based model, see Joachims,
        Swaminathan and Schnabel, 2017). What might have been drawn, and was not, counts as offered.

        Raises
        ------
        InputError
            where no decision can be used; the first reason is in the message, all of them are in `skipped` otherwise.
        """
        rows: list[Trace] = []
        offered: list[list[int]] = []
        n_places, chosen_places = 0, list[int]()
        chances: list[tuple[tuple[int, float], ...]] = []
        skipped: list[tuple[str, str]] = []
        for page in pages(store.decisions()):
            feedback = store.feedback_to([d.id for d in page])
            for decision in page:
                found = usable(decision, feedback.get(decision.id), catalog)
                if isinstance(found, str):
                    skipped.append((decision.id, found))
                    continue
                chosen, trace = found
                rows.append(replace(trace, id=decision.id, embedding=decision.embedding, intent=decision.intent or "", tools=(chosen.id,),
                                    context_tools=decision.context_tools, capability=None))  # fmt: skip
                offered.append([catalog.tool_column[item.id] for item in decision.ranked])
                n_places = max(n_places, *(item.position for item in decision.ranked))
                chosen_places.append(chosen.position - 1)
                chances.append(chosen.places)
        if not rows:
            why = f"{skipped[0][0]!r} {skipped[0][1]}" if skipped else "there is none"
            raise InputError(f"{store.url} holds no decision that can be used: {why}")
        propensity = chances_of_choice(chosen_places, chances, n_places)
        return cls(Traces.from_records(rows, catalog), Incidence.from_rows(offered), propensity, skipped)


def chances_of_choice(places: Sequence[int], chances: Sequence[tuple[tuple[int, float], ...]], n_places: int) -> Float64:
    """(m,) chance of each choice by the position-based model of `DecisionLog.from_store`.

    Parameters
    ----------
    places : m places that were chosen, from 0
    chances : (position from 1, probability of standing there) of what was chosen, m times
    n_places : that were ever shown
    """
    counts = np.bincount(places, minlength=n_places) + 1.0
    share = counts / counts.sum()
    return np.array([sum(chance * share[place - 1] for place, chance in of) for of in chances])


def usable(decision: "Decision", feedback: Trace | None, catalog: Catalog) -> "tuple[Ranked, Trace] | str":
    """What was chosen and what followed, or why the decision cannot be used."""
    if feedback is None:
        return "has no feedback"
    if decision.embedding is None:
        return "has no embedding"
    stranger = next((t for t in (*(r.id for r in decision.ranked), *decision.context_tools) if t not in catalog.tool_column), None)
    if stranger is not None:
        return f"names {stranger!r}, which is no tool of the catalogue"
    ranked = {item.id: item for item in decision.ranked if item.position}
    chosen = next((ranked[t] for t in feedback.tools if t in ranked), None)
    if chosen is None:
        return "was followed by tools that were not offered"
    if chosen.propensity <= 0.0:
        return f"has propensity {chosen.propensity} for the chosen {chosen.id!r}"
    return chosen, feedback


def pages(decisions: "Iterator[Decision]") -> "Iterator[list[Decision]]":
    while page := list(islice(decisions, _PAGE)):
        yield page


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
    offered, reward = log.offered, log.traces.outcome.astype(np.float64)
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


def _decided(record: Mapping[str, Any], what: str, catalog: Catalog) -> tuple[list[int], float]:
    """(columns of the offered tools, propensity of the chosen one) of one checked record."""
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
    stranger = next((t for t in ranked if t not in catalog.tool_column), None)
    if stranger is not None:
        raise InputError(f"{what} names the unknown tool {stranger!r}")
    if record.get("outcome") is None:
        raise InputError(f"{what} has no outcome")
    return [catalog.tool_column[t] for t in ranked], chance


def _shares(model: SHGAT, log: DecisionLog) -> Float64:
    """(nnz,) the model's probability of each offered tool, which sum to 1 over those of a decision."""
    offered, learned = log.offered, model.index().learned
    share = np.empty(offered.nnz, np.float64)
    for start in range(0, len(log), BLOCK):
        rows = np.arange(start, min(start + BLOCK, len(log)))
        z = scores(model, log.traces, rows)
        z = z - z.max(axis=1, keepdims=True)
        p: NDArray[Any] = np.exp(z) if learned is None else scoring.calibrated(model.index(), log.traces.vectors(rows), z)
        entries = slice(int(offered.indptr[rows[0]]), int(offered.indptr[rows[-1] + 1]))
        share[entries] = np.maximum(p[offered.row_of_entry[entries] - start, offered.indices[entries]], _SMALLEST)
    return np.asarray(share / np.bincount(offered.row_of_entry, share, len(log))[offered.row_of_entry])


def _greedy(share: Float64, offered: Incidence) -> Float64:
    """1 for the first of the most probable tools of each decision, else 0."""
    taken = np.zeros_like(share)
    for start, stop in zip(offered.indptr[:-1].tolist(), offered.indptr[1:].tolist(), strict=True):
        taken[start + int(np.argmax(share[start:stop]))] = 1.0
    return taken


def _predicted(s: Float64, at: Int64, offered: Incidence, reward: Float64, rng: np.random.Generator) -> Float64:
    """(nnz,) predicted reward of each offered tool from its log probability s (nnz,), by decisions of other folds."""
    if len(at) < 2:
        return np.full(len(s), 0.5)
    predicted = np.empty(len(s))
    for fold in k_folds(len(at), min(_FOLDS, len(at)), rng):
        entries = np.isin(offered.row_of_entry, fold.test)
        predicted[entries] = PlattScaling.fit(s[at[fold.train]], reward[fold.train]).apply(s[entries])
    return predicted
