"""How `shgat evaluate` shows what it found: tables for people, JSON for programs, a page."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._json import none_for_not_finite
from . import output

if TYPE_CHECKING:
    import numpy as np

    from ..experiments.counterfactual import DecisionLog
    from ..experiments.measurement import Measurement
    from ..experiments.pair import MetricTest, PartSummary
    from ..experiments.protocols import Trials
    from ..metrics import Verdict
    from ..reports.html import EvaluationReport
    from ..shgat import SHGAT
    from ..traces import Traces
    from .grid import Grid

_LABELS = {"mrr": "MRR", "map": "MAP", "criterion": "criterion"}


def show_pair(
    found: Mapping[str, "PartSummary"], tests: Sequence["MetricTest"], names: tuple[str, str], about: Mapping[str, str],
    gate: "Verdict | None", traces: "Traces", as_json: bool,
) -> None:  # fmt: skip
    """A model beside cosine or another model, and where it was tested metric by metric its p-values."""
    from ..experiments.measurement import left_out

    if as_json:
        keys = ("a", "b") if tests else ("shgat", "cosine")
        value: dict[str, Any] = {**about, "notes": left_out(traces), "parts": {part: _part(s, keys) for part, s in found.items()}}
        if tests:
            value["tests"] = [asdict(t) for t in tests]
        output.write_json(none_for_not_finite({**value, "gate": None if gate is None else asdict(gate)}))
        return
    output.write(*_tables(found, names))
    if tests:
        output.write(_test_table(tests, names))
    _tell(left_out(traces), gate)


def show_trials(
    trials: "Trials", found: Mapping[str, "PartSummary"], gate: "Verdict | None", traces: "Traces", as_json: bool
) -> None:
    """A protocol: each trial, mean and standard deviation over trials, and all test intents together."""
    mean, deviation = trials.mean(), trials.standard_deviation()
    names = ("shgat", "cosine")
    if as_json:
        rows = [
            {"name": t.name, "n_train": len(t.split.train), "n_test": len(t.split.test), "n_counted": t.counted,
             "accepted": t.report.accepted, "reason": t.report.reason, **t.means()}
            for t in trials.trials
        ]  # fmt: skip
        pooled = {part: _part(s, names) for part, s in found.items()}
        value = {"protocol": trials.protocol, "notes": trials.remarks(traces), "trials": rows, "mean": mean}
        value |= {"standard_deviation": deviation, "pooled": pooled}
        output.write_json(none_for_not_finite({**value, "gate": None if gate is None else asdict(gate)}))
        return
    metrics = ("hit@1", "recall@5", "ndcg@5", "comp@5", "mrr", "criterion")
    grid = _grid(
        trials.protocol, ("trial", "left"), ("train", "right"), ("test", "right"), ("counted", "right"),
        *((_label(m), "right") for m in metrics), ("training", "left"),
    )  # fmt: skip
    for t in trials.trials:
        means = t.means()
        cells = [f"{means['shgat'][m]:.3f} ({means['cosine'][m]:.3f})" for m in metrics]
        sizes = (len(t.split.train), len(t.split.test), t.counted)
        grid.add_row(t.name, *map(str, sizes), *cells, "accepted" if t.report.accepted else "refused")
    if len(trials.trials) > 1:
        grid.add_section()
        for name, values in (("mean", mean), ("standard deviation", deviation)):
            grid.add_row(name, "", "", "", *(f"{values['shgat'][m]:.3f} ({values['cosine'][m]:.3f})" for m in metrics), "")
    grid.caption = (
        "in brackets: frozen cosine. refused: training found nothing better than cosine, and the model ranks as cosine does"
    )
    output.write(grid, "All trials together:", *_tables(found, names))
    _tell(trials.remarks(traces), gate)


def show_counterfactual(
    model: "SHGAT", log: "DecisionLog", name: str, rng: "np.random.Generator", greedy: bool, as_json: bool
) -> int:
    """The value of a model on logged decisions by every estimator."""
    from ..experiments.counterfactual import value_on_log

    if log.skipped:
        key, reason = log.skipped[0]
        output.note(f"shgat: {len(log.skipped)} decisions left out, the first is {key!r}: it {reason}")
    found = value_on_log(model, log, rng=rng, greedy=greedy)
    if as_json:
        value = {"log": name, "decisions": len(log), "skipped": len(log.skipped), "logged": asdict(found.logged)}
        estimates = {estimator: asdict(e) for estimator, e in found.estimates.items()}
        output.write_json(none_for_not_finite({**value, "estimates": estimates}))
        return 0
    grid = _grid(f"{len(log)} decisions of {name}", ("policy", "left"), ("value", "right"), ("95 % interval", "right"),
                 ("effective decisions", "right"), ("mean weight", "right"))  # fmt: skip
    grid.add_row("as logged", f"{found.logged.value:.3f}", _interval(found.logged.ci_low, found.logged.ci_high), str(len(log)), "")
    grid.add_section()
    for estimator, e in found.estimates.items():
        size, weight = f"{e.effective_sample_size:.1f}", f"{e.mean_weight:.3f}"
        grid.add_row(f"model, {estimator}", f"{e.value:.3f}", _interval(e.ci_low, e.ci_high), size, weight)
    grid.caption = "a mean weight far from 1 or few effective decisions: the log does not cover what the model does"
    output.write(grid)
    return 0


def show_experiment(path: Path, as_json: bool) -> int:
    """What an A/B test says so far."""
    from ..experiments.ab_test import WATCHED, Experiment, judge

    experiment = Experiment.load(path)
    verdict = judge(experiment)
    treated = int(experiment.treated.sum())
    if as_json:
        output.write_json(
            none_for_not_finite(
                {"log": str(path), "control": len(experiment.treated) - treated, "treated": treated, **asdict(verdict)}
            )
        )
        return 0
    title = f"{len(experiment.treated) - treated} control, {treated} treated"
    grid = _grid(title, ("of treated against control", "left"), ("interval", "right"), ("limit", "right"), ("state", "left"))
    d = verdict.success
    grid.add_row("added success rate", _interval(d.ci_low, d.ci_high), "", f"p {d.p_value:.3g}")
    for g in verdict.guardrails:
        grid.add_row(g.name, _interval(g.ci_low, g.ci_high), f"{g.limit:g}", g.state)
    output.write(grid, f"{verdict.decision}: {verdict.reason}")
    if verdict.unwatched:
        names = " or ".join(name for name in WATCHED if getattr(experiment, name) is None)
        output.note(
            f"shgat: not watched: {', '.join(verdict.unwatched)}, as the log has no {names}; log it in every line to have it judged"
        )
    return 0


def write_page(
    path: Path, model: "SHGAT", traces: "Traces", ours: "Measurement", theirs: "Measurement", found: Mapping[str, "PartSummary"],
    tests: Sequence["MetricTest"], names: tuple[str, str], about: Mapping[str, str],
) -> None:  # fmt: skip
    """The report as one HTML file."""
    from ..reports.evaluation import build_report

    _write(path, build_report(model, traces, ours, theirs, found, tests, names=names, about=about))


def write_trials_page(
    path: Path, trials: "Trials", traces: "Traces", found: Mapping[str, "PartSummary"], tests: Sequence["MetricTest"],
    about: Mapping[str, str],
) -> None:  # fmt: skip
    """The report of a protocol as one HTML file."""
    from ..reports.evaluation import build_trials_report

    _write(path, build_trials_report(trials, traces, found, tests, about=about))


def _write(path: Path, report: "EvaluationReport") -> None:
    from .._files import write_atomically
    from ..reports.html import render_report

    write_atomically(path, render_report(report).encode())
    output.note(f"shgat: wrote {path}")


def _part(summary: "PartSummary", names: tuple[str, str]) -> dict[str, Any]:
    sides = {names[0]: summary.a, names[1]: summary.b, "difference": summary.difference}
    return {"n": summary.n, **{side: {m: asdict(mean) for m, mean in means.items()} for side, means in sides.items()}}


def _tables(found: Mapping[str, "PartSummary"], names: tuple[str, str]) -> "list[Grid]":
    """All intents, then warm and cold ones."""
    grids = [_part_table(part, summary, names) for part, summary in found.items()]
    if len(found) > 1:
        grids[-1].caption = "warm: every needed tool has training traces; cold: one has none"
    return grids


def _part_table(part: str, summary: "PartSummary", names: tuple[str, str]) -> "Grid":
    grid = _grid(f"{part}: {summary.n} intents", ("metric", "left"), (names[0], "right"), ("95 % interval", "right"),
                 (names[1], "right"), ("difference", "right"), ("95 % interval", "right"))  # fmt: skip
    for metric, a in summary.a.items():
        b, d = summary.b[metric], summary.difference[metric]
        mark = " +" if d.ci_low > 0.0 else " -" if d.ci_high < 0.0 else "  "
        grid.add_row(_label(metric), f"{a.value:.3f}", _interval(a.ci_low, a.ci_high), f"{b.value:.3f}", f"{d.value:+.3f}{mark}",
                     _interval(d.ci_low, d.ci_high))  # fmt: skip
    return grid


def _test_table(tests: Sequence["MetricTest"], names: tuple[str, str]) -> "Grid":
    grid = _grid(f"{names[0]} against {names[1]}, tested", ("metric", "left"), ("difference", "right"), ("p, bootstrap", "right"),
                 ("p, permutation", "right"))  # fmt: skip
    for t in tests:
        grid.add_row(_label(t.metric), f"{t.mean_difference:+.3f}", f"{t.p_bootstrap:.4f}", f"{t.p_permutation:.4f}")
    return grid


def _grid(title: str, *columns: tuple[str, Any]) -> "Grid":
    from .grid import Grid

    grid = Grid(title)
    for name, justify in columns:
        grid.add_column(name, justify)
    return grid


def _label(metric: str) -> str:
    kind, at, k = metric.partition("@")
    names = {"hit": "Hit", "recall": "Recall", "ndcg": "NDCG", "comp": "COMP"}
    return names.get(kind, kind) + at + k if at else _LABELS.get(metric, metric)


def _interval(low: float, high: float) -> str:
    return f"{low:.3f} to {high:.3f}"


def _tell(remarks: Sequence[str], gate: "Verdict | None") -> None:
    for remark in remarks:
        output.note(f"shgat: {remark}")
    if gate is not None:
        output.note(f"shgat: gate {'passed' if gate.passed else 'failed'}: {gate.reason}")
