"""What a report shows of a model and traces: calibration, breakdowns, learning curve, worst intents, and why."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..experiments.confidence import first_tools
from ..experiments.measurement import BLOCK, Measurement, left_out, scores
from ..experiments.pair import CRITERION, MetricTest, PartSummary
from ..experiments.protocols import Trials
from ..graph import Catalog
from ..metrics.calibration import brier, expected_calibration_error, reliability_bins
from ..model import Explanation, scoring
from ..shgat import SHGAT
from ..traces.columns import Traces
from ..training.selection import Variant
from .html import BreakdownRow, ComparisonRow, EvaluationReport, MissedIntent, RankedTool, Reliability

SHOWN = ("hit@1", "recall@5", "ndcg@5", "comp@5", "mrr", "map", CRITERION)
_GROUP = ("recall@5", "ndcg@5", "comp@5")  # of a breakdown
_LISTED = 5  # tools shown of a missed intent
_READING = (
    "Fractions, over the whole catalogue; differences are the first ranker minus the second, with 95 % intervals by paired bootstrap and "
    "p by permutation.",
    "The criterion is the mean of Recall@5, NDCG@5 and COMP@5. COMP@K is the share of intents whose needed tools are all among the first K.",
)
_NUMBERS = ("no", "one", "two", "three", "four", "five")


def build_report(
    model: SHGAT,
    traces: Traces,
    ours: Measurement,
    theirs: Measurement,
    found: Mapping[str, PartSummary],
    tests: Sequence[MetricTest],
    *,
    names: tuple[str, str] = ("shgat", "cosine"),
    about: Mapping[str, str] | None = None,
    worst: int = 8,
) -> EvaluationReport:
    """The report of a model beside another ranker.

    Parameters
    ----------
    traces : those that were measured
    ours, theirs : of `measure` and `measure_cosine`, or of two models
    found, tests : of `summarize_pair` and `compare_metrics`: what is shown elsewhere of the same run is shown here
    names : of the two
    about : shown under the title
    worst : missed intents to explain
    """
    report = _figures(ours, theirs, found["all"], tests, names)
    report["about"] = dict(about or {})
    report["breakdowns"] = {**report["breakdowns"], "server": _by_server(ours, model.catalog)}
    report["worst_intents"] = _worst(model, traces, ours, worst)
    report["notes"] = _notes(model, traces, ours)
    calibration = _calibration(model, traces, ours)
    if calibration is not None:
        report["reliability"] = {names[0]: calibration}
    curve = learning_curve(model.report)
    if curve:
        report["learning_curve"] = curve
    return report


def build_trials_report(
    trials: Trials,
    traces: Traces,
    found: Mapping[str, PartSummary],
    tests: Sequence[MetricTest],
    *,
    about: Mapping[str, str] | None = None,
    worst: int = 8,
) -> EvaluationReport:
    """The report of a protocol: all test intents together, each scored by the model that was not trained on it, and trial by trial.

    Parameters
    ----------
    traces : those that the protocol was run on
    found, tests : of `summarize_pair` and `compare_metrics` on the pooled trials
    about : shown under the title
    worst : missed intents of the last trial to explain
    """
    ours, theirs = trials.pooled()
    last = trials.trials[-1]
    report = _figures(ours, theirs, found["all"], tests, ("shgat", "cosine"))
    report["title"] = f"{trials.protocol}: {report['title']}"
    report["about"] = dict(about or {})
    rows = [
        _group(f"{t.name}, {name}", m, m.parts["all"])
        for t in trials.trials
        for name, m in (("shgat", t.ours), ("cosine", t.cosine))
    ]
    report["breakdowns"] = {"trial": rows, **report["breakdowns"]}
    report["worst_intents"] = _worst(last.model, traces.take(last.split.test), last.ours, worst)
    refused = [
        f"{t.name}: the training was refused and cosine stayed, {t.report.reason}." for t in trials.trials if not t.report.accepted
    ]
    report["notes"] = [*_READING, f"The worst intents are those of {last.name}.", *trials.remarks(traces), *refused]
    return report


def _figures(
    ours: Measurement, theirs: Measurement, everything: PartSummary, tests: Sequence[MetricTest], names: tuple[str, str]
) -> EvaluationReport:
    """What two measurements say, without any model."""
    rows = {test.metric: _row(test) for test in tests}
    return {
        "title": f"{names[0]} against {names[1]}",
        "headline": {**{m: everything.a[m].value for m in SHOWN if m != CRITERION}, "intents": float(everything.n)},
        "compared": names,
        "comparison": [rows[metric] for metric in SHOWN],
        "metrics_by_k": _by_k(ours, theirs, names),
        "breakdowns": {"part of the intents": _parts(ours, theirs, names), "number of tools needed": _by_size(ours)},
    }


def learning_curve(report: Mapping[str, Any] | None) -> dict[str, dict[str, list[tuple[float, float]]]]:
    """Loss and held-out metrics by epoch, one series a run of the chosen variant, from a model's training report; empty without one."""
    curves: dict[str, dict[str, list[tuple[float, float]]]] = {}
    choices = (report or {}).get("choices") or {}
    chosen = str(Variant(bool(choices.get("message_passing")), bool(choices.get("node_offsets")), bool(choices.get("words"))))
    for epoch in (report or {}).get("epochs", ()):
        if "fold" in epoch["stage"] and not epoch["stage"].startswith(f"{chosen}, "):
            continue
        values = {"loss": epoch["loss"]}
        held = (epoch.get("validation") or {}).get("all") or {}
        values |= {m: held[m] for m in ("hit@1", "recall@5") if held.get(m) is not None}
        for quantity, value in values.items():
            if value is not None:
                curves.setdefault(quantity, {}).setdefault(epoch["stage"], []).append((float(epoch["number"]), float(value)))
    return curves


def _row(test: MetricTest) -> ComparisonRow:
    return {
        "metric": test.metric,
        "a": test.a,
        "b": test.b,
        "mean_difference": test.mean_difference,
        "ci_low": test.ci_low,
        "ci_high": test.ci_high,
        "p_value": test.p_permutation,
    }


def _by_k(ours: Measurement, theirs: Measurement, names: tuple[str, str]) -> dict[str, dict[str, dict[int, float]]]:
    found: dict[str, dict[str, dict[int, float]]] = {}
    for name, m in zip(names, (ours, theirs), strict=True):
        rows = m.parts["all"]
        for metric, values in m.metrics.items():
            kind, _, k = metric.partition("@")
            if k:
                found.setdefault(f"{kind}@K", {}).setdefault(name, {})[int(k)] = float(values[rows].mean())
    return found


def _group(name: str, m: Measurement, rows: NDArray[Any], prefix: str = "") -> BreakdownRow:
    return {
        "name": name,
        "n": int(np.count_nonzero(rows)),
        "metrics": {prefix + k: float(m.metrics[k][rows].mean()) for k in _GROUP},
    }


def _parts(ours: Measurement, theirs: Measurement, names: tuple[str, str]) -> list[BreakdownRow]:
    return [
        _group(f"{part}, {n}", m, rows) for part, rows in ours.parts.items() for n, m in zip(names, (ours, theirs), strict=True)
    ]


def _by_size(m: Measurement) -> list[BreakdownRow]:
    sizes = m.relevance.degrees
    return [_group(_NUMBERS[n] if n < len(_NUMBERS) else str(n), m, sizes == n) for n in np.unique(sizes[sizes > 0]).tolist()]


def _by_server(m: Measurement, catalog: Catalog) -> list[BreakdownRow]:
    """Intents that need a tool of each server; an intent counts for every server that it needs."""
    servers = [t.server or "(none)" for t in catalog.tools]
    found = []
    for server in sorted(set(servers)):
        mine = np.array([s == server for s in servers])
        rows = m.relevance.touching(mine)
        if rows.any():
            found.append(_group(server, m, rows))
    return sorted(found, key=lambda row: row["metrics"]["recall@5"])


def _calibration(model: SHGAT, traces: Traces, m: Measurement) -> Reliability | None:
    """Probabilities of the first ten tools of each intent, and whether each was needed; None for a model without any."""
    learned = model.index().learned
    if learned is None:
        return None
    p, right = [], []
    known = np.flatnonzero(m.parts["all"])
    for start in range(0, len(known), BLOCK):
        rows = known[start : start + BLOCK]
        probability = scoring.calibrated(model.index(), traces.vectors(rows), scores(model, traces, rows))
        first, needed = first_tools(probability, m.relevance.take(rows))
        p.append(first.ravel())
        right.append(needed.ravel())
    predicted, outcome = np.concatenate(p), np.concatenate(right)
    bins = reliability_bins(predicted, outcome)
    lists = ([None if np.isnan(v) else float(v) for v in values] for values in (bins.predicted, bins.observed))
    return {
        "predicted": next(lists),
        "observed": next(lists),
        "ece": expected_calibration_error(predicted, outcome),
        "brier": brier(predicted, outcome),
    }


def _worst(model: SHGAT, traces: Traces, m: Measurement, n: int) -> list[MissedIntent]:
    """The n intents of the lowest criterion, of equal ones those whose needed tools rank lowest, none that lost nothing."""
    deepest = np.zeros(m.relevance.n_rows, np.int64)
    np.maximum.at(deepest, m.relevance.row_of_entry, m.ranks)
    lost = np.flatnonzero(m.parts["all"] & (deepest > m.relevance.degrees))
    order = lost[np.lexsort((-deepest[lost], m.criterion[lost]))]
    return [_missed(model, traces, m, int(row)) for row in order[:n]]


def _missed(model: SHGAT, traces: Traces, m: Measurement, row: int) -> MissedIntent:
    x, text = traces.vectors(np.array([row]))[0], str(traces.texts[row])
    ids = model.tool_ids
    context = [ids[c] for c in traces.context.row(row).tolist()]
    entries = slice(int(m.relevance.indptr[row]), int(m.relevance.indptr[row + 1]))
    needed, ranks = m.relevance.indices[entries], m.ranks[entries]
    ranking = model.rank(x, _LISTED, text=text, context_tools=context, explain=True)
    shown = ranking.scores if ranking.probabilities is None else ranking.probabilities
    seen = _trace_counts(model)
    explained = zip(ranking.ids, shown.tolist(), ranking.explanations or (), strict=True)
    ranked: list[RankedTool] = [{"tool": key, "score": s, "explanation": _because(key, why, seen)} for key, s, why in explained]
    missed = [ids[t] for t, rank in zip(needed.tolist(), ranks.tolist(), strict=True) if rank > len(needed)]
    return {
        "intent": text or str(traces.ids[row]),
        "expected": [ids[t] for t in needed.tolist()],
        "ranked": ranked,
        "why_not": {t: " ".join(model.why_not(x, t, text=text, context_tools=context).sentences()) for t in missed},
    }


def _because(tool: str, why: Explanation, traces: Mapping[str, int] | None) -> str:
    said = [f"cosine {round(why.cosine, 2) + 0.0:.2f}"]
    if why.carried_by:
        said.append(f"carried by {why.carried_by[0][0]} ({100.0 * why.carried_by[0][1]:.0f} %)")
    if traces is not None:
        n = traces.get(tool, 0)
        said.append(f"in {n} trace{'' if n == 1 else 's'}" if n else "in no trace")
    return " · ".join(said)


def _trace_counts(model: SHGAT) -> dict[str, int] | None:
    """Remembered traces of each tool that has any."""
    learned = model.index().learned
    if learned is None:
        return None
    columns, counts = np.unique(learned.channels.memory.tools.indices, return_counts=True)
    ids = model.tool_ids
    return {ids[c]: n for c, n in zip(columns.tolist(), counts.tolist(), strict=True)}


def _notes(model: SHGAT, traces: Traces, m: Measurement) -> Sequence[str]:
    notes = [*_READING, *left_out(traces)]
    if m.cold is not None:
        notes.append("A cold intent needs at least one tool without training traces.")
    if (model.report or {}).get("epochs"):
        notes.append("Learning curves of metrics are over the intents that were held out of each fold of the training.")
    if model.learned is None:
        notes.append("This model has no calibrated probabilities: it was not trained, or training was refused.")
    return notes
