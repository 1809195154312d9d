"""`shgat runs`: what was tried, and what came of it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import given
from .db import Json

if TYPE_CHECKING:
    from ..experiments.measurement import Measurement
    from ..traces import Traces
    from ..tracking import Recorder, RunComparison, Tracker
    from ..training import Epoch, TrainReport
    from .grid import Grid

app = typer.Typer(help="Runs of experiments: list, show, compare.", rich_markup_mode=None)

Track = Annotated[
    str | None, typer.Option(metavar="PLACE", help="Keep this as a run: a folder, mlflow+URL, or wandb+offline:FOLDER.")
]
Named = Annotated[str | None, typer.Option("--experiment", metavar="NAME", help="Of the run.  [default: default]")]
Expected = Annotated[str | None, typer.Option("--hypothesis", metavar="TEXT", help="What is expected of it.")]
Place = Annotated[
    str,
    typer.Option(
        "--runs",
        envvar="SHGAT_RUNS",
        metavar="PLACE",
        help="A folder, mlflow+http://HOST:PORT, or mlflow+sqlite:///FILE.  [default: runs]",
    ),
]
_FOLD = ", fold "  # in the name of what is of one fold alone, which pages and --json have
_LAST = "all traces"  # the stage whose model serves
_SHOWN = ("shgat.all.recall@5", "shgat.all.mrr", "loss")  # of a run, where its experiment names none


@app.callback()
def _runs() -> None:
    """Runs of experiments: list, show, compare."""


@app.command("list", short_help="All runs, the latest first.")
def list_(
    place: Place = "runs",
    experiment: Annotated[str | None, typer.Option(metavar="NAME", help="Only of this one.")] = None,
    as_json: Json = False,
) -> None:
    """All runs, the latest first, with the figures that decide."""
    from . import output
    from .grid import Grid
    from .versions import day

    runs = _opened(place).runs(experiment)
    if as_json:
        output.write_json([r.to_dict() for r in runs])
        return
    if not runs:
        output.write(f"There is no run in {place}: shgat train --track {place} makes one.")
        return
    names = list(dict.fromkeys(n for r in runs for n in (r.decisive or _SHOWN) if any(n in other.figures for other in runs)))
    grid = Grid("runs")
    for column in ("run", "experiment", "status", "started", "s"):
        grid.add_column(column, "right" if column == "s" else "left")
    for name in names:
        grid.add_column(name, "right")
    for r in runs:
        seconds = "-" if r.seconds is None else f"{r.seconds:.1f}"
        status = f"{r.status} ({r.error})" if r.error else r.status
        grid.add_row(r.id[:8], r.experiment, status, day(r.started_at), seconds, *(_figure(r.figures.get(n)) for n in names))
    output.write(grid)


@app.command(short_help="One run: what was chosen, and what came of it.")
def show(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Its id, or the beginning of it.")],
    place: Place = "runs",
    as_json: Json = False,
) -> None:
    """One run: experiment, parameters, tags, figures and artefacts."""
    from . import output
    from .facts import grids
    from .versions import day

    tracker = _opened(place)
    found = tracker.find(run)
    if as_json:
        points = [{"name": p.name, "value": p.value, "step": p.step, "at": p.at} for p in tracker.points(found.id)]
        output.write_json({**found.to_dict(), "points": points})
    else:
        told = {k: v for k, v in found.to_dict().items() if v not in (None, "", {}, ())}
        told |= {name: f"{day(told[name])} UTC" for name in ("started_at", "ended_at") if name in told}
        output.write(*grids({**told, "figures": {n: v for n, v in found.figures.items() if _FOLD not in n}}))


@app.command(short_help="Two runs beside each other.")
def compare(
    a: Annotated[str, typer.Argument(metavar="RUN", help="Its id, or the beginning of it.")],
    b: Annotated[str, typer.Argument(metavar="RUN", help="The one that it is compared with.")],
    place: Place = "runs",
    plot: Annotated[Path | None, typer.Option(metavar="FILE.html", help="Also a page with their curves.")] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Of resampling.")] = 0,
    as_json: Json = False,
) -> None:
    """What was chosen otherwise, what came of it, and a paired test over the traces that both were measured on."""
    from ..tracking import compare as compared
    from . import output

    given.writable(plot, "--plot")
    tracker = _opened(place)
    found = compared(tracker, a, b, seed=seed)
    if plot is not None:
        from ..reports.runs import comparison_page

        plot.write_text(comparison_page(found, tracker.points(found.a.id), tracker.points(found.b.id)), "utf-8")
    if as_json:
        output.write_json(found.to_dict())
    else:
        output.write(*tables(found))


@app.command(short_help="A page with all runs and their curves.")
def ui(
    out: Annotated[Path, typer.Argument(metavar="FILE.html", help="One page that stands alone.")],
    place: Place = "runs",
    experiment: Annotated[str | None, typer.Option(metavar="NAME", help="Only of this one.")] = None,
) -> None:
    """Write one page with all runs, the latest first, and the curves of the latest."""
    from ..reports.runs import CURVES, runs_page
    from . import output

    given.writable(out, "FILE.html")
    tracker = _opened(place)
    runs = tracker.runs(experiment)
    out.write_text(runs_page(runs, {r.id: tracker.points(r.id) for r in runs[:CURVES]}, tracker.name), "utf-8")
    output.note(f"shgat: {out} written: {len(runs)} runs")


def tables(found: "RunComparison") -> "list[Grid | str]":
    """Parameters that differ, figures, and the test."""
    from .grid import Grid

    names = (found.a.id[:8], found.b.id[:8])
    parts: list[Grid | str] = []
    differ = {**found.parameters, **{f"tag {k}": v for k, v in found.tags.items()}}
    if differ:
        grid = Grid("what differs")
        for column in ("", *names):
            grid.add_column(column)
        for name, (x, y) in differ.items():
            grid.add_row(name, *("-" if v is None else str(v) for v in (x, y)))
        parts.append(grid)
    grid = Grid("figures", "the last of each")
    for column in ("", *names, "difference"):
        grid.add_column(column, "right" if column else "left")
    for name, (p, q) in found.figures.items():
        if _FOLD in name:
            continue
        grid.add_row(name, _figure(p), _figure(q), "-" if p is None or q is None else f"{q - p:+.4g}")
    parts.append(grid)
    if found.why_not:
        return [*parts, f"No paired test: {found.why_not}."]
    grid = Grid(f"{names[1]} less {names[0]}, over the same held-out traces", "paired bootstrap, 95 %")
    for column in ("metric", "n", "difference", "from", "to", "p"):
        grid.add_column(column, "left" if column == "metric" else "right")
    for name, t in found.tests.items():
        grid.add_row(name, str(t.n), *(f"{v:+.4f}" for v in (t.mean_difference, t.ci_low, t.ci_high)), f"{t.p_value:.3g}")
    return [*parts, grid]


@contextmanager
def tracked(
    place: str | None,
    experiment: str | None,
    hypothesis: str | None,
    parameters: "Callable[[], dict[str, Any]]",
    tags: dict[str, str],
) -> "Iterator[Recorder | None]":
    """A run for the length of a command, None where nobody wants one."""
    if place is None:
        given.refuse({"--experiment": experiment, "--hypothesis": hypothesis}, "with --track", "without it")
        yield None
        return
    from ..tracking import Experiment
    from . import output

    with _opened(place).run(Experiment(experiment or "default", hypothesis or ""), parameters=parameters(), tags=tags) as recorder:
        yield recorder
    output.note(f"shgat: run {recorder.id[:8]} is kept in {place}{f', not whole: {recorder.trouble}' if recorder.trouble else ''}")


def told(recorder: "Recorder", epoch: "Epoch") -> None:
    """An epoch as figures of a run: of each stage its loss and held-out metrics, by the number of the epoch."""
    figures = {f"{epoch.stage}.loss": epoch.loss}
    if epoch.run == epoch.runs or epoch.stage == _LAST:  # of the one that is handed out
        figures |= {"loss": epoch.loss, "lr": epoch.lr, "gradient_norm": epoch.gradient_norm}
    for part, metrics in epoch.validation.items():
        figures |= {f"{epoch.stage}.{part}.{name}": value for name, value in metrics.items()}
    recorder.log(figures, epoch.number)


def both(draw: "Callable[[Epoch], None] | None", recorder: "Recorder | None") -> "Callable[[Epoch], None] | None":
    """What is called after each epoch: what draws it, and what keeps it."""
    if recorder is None:
        return draw

    def called(epoch: "Epoch") -> None:
        told(recorder, epoch)
        if draw is not None:
            draw(epoch)

    return called


def concluded(recorder: "Recorder", report: "TrainReport") -> None:
    """What a training came to: held-out figures of the ranking and of cosine, seconds, the report without its lists."""
    import orjson

    figures = {
        f"{who}.{part}.{name}": value
        for who, parts in report.validation.items()
        for part, of in parts.items()
        for name, value in of.items()
    }
    figures |= {f"seconds.{stage}": s for stage, s in report.seconds.items()}
    recorder.log({**figures, "accepted": float(report.accepted), "traces": float(report.n_traces)}, len(report.epochs))
    small: dict[str, Any] = {k: v for k, v in report.to_dict().items() if k not in ("td_errors", "losses", "skipped")}
    recorder.keep("report.json", orjson.dumps(small))


def measured(recorder: "Recorder", traces: "Traces", ours: "Measurement", theirs: "Measurement", names: tuple[str, str]) -> None:
    """What two rankers find of the same traces: means by part, and of ours the figures of each trace, for a paired test with another run."""
    import numpy as np

    from ..tracking import per_trace
    from ..tracking.comparison import PER_TRACE

    for name, m in zip(names, (ours, theirs), strict=True):
        recorder.log({
            f"{name}.{part}.{metric}": float(np.nanmean(values[mask]))
            for part, mask in m.parts.items() for metric, values in m.metrics.items() if not np.isnan(values[mask]).all()
        })  # fmt: skip
    recorder.keep(PER_TRACE, per_trace(traces.ids.tolist(), ours.metrics))


def _opened(place: str) -> "Tracker":
    from ..tracking import open_tracker

    return open_tracker(place)


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"
