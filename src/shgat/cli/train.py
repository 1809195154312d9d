"""`shgat train`: a model from a catalogue and its traces, if it is better than what there was."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import given, runs, spread

if TYPE_CHECKING:
    from ..shgat import SHGAT
    from ..td.learning import ValueReport
    from ..training import Epoch, TrainReport
    from .grid import Grid

_PAYS = 1000  # traces from which on folds and variants are trained in several processes, which take a second to start
_WIDE = 120  # columns, in which everything fits beside the longest name of a run
_SHOWN = ("recall@5", "comp@5", "ndcg@5", "hit@1", "mrr")


def train(
    catalog: Annotated[Path, given.folder("Catalogue folder.")],
    out: Annotated[Path, typer.Option(metavar="MODEL", help="File to write the model to.")],
    traces: Annotated[Path | None, given.file("Traces to learn from.  [default: DIR/train.jsonl]")] = None,
    sessions: Annotated[
        Path | None, given.file("Sessions to learn values from besides: .jsonl, .csv or .parquet.", "FILE", "--sessions")
    ] = None,
    sessions_from_order: Annotated[
        bool, typer.Option("--sessions-from-order", help="Of --sessions, read traces of no session as sessions, tools in order.")
    ] = False,
    epochs: Annotated[int | None, typer.Option(metavar="N", help="Passes over the traces.  [default: by their number]")] = None,
    batch_size: Annotated[int | None, typer.Option(metavar="N", help="Traces a step.  [default: by their number]")] = None,
    lr: Annotated[float | None, typer.Option(metavar="X", help="Learning rate.  [default: by their number]")] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Of everything random.")] = 0,
    checkpoint: Annotated[
        Path | None, typer.Option(metavar="FILE", help="State after each epoch.  [default: MODEL.checkpoint]")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the checkpoint, if there is one.")] = False,
    skip_unknown: Annotated[
        bool, typer.Option("--skip-unknown", help="Leave out traces of unknown tools or capabilities, or without embedding.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Write the model even where it is not better than cosine.")] = False,
    jobs: spread.Jobs = None,
    executor: spread.On = None,
    track: runs.Track = None,
    experiment: runs.Named = None,
    hypothesis: runs.Expected = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The whole report as JSON.")] = False,
) -> int:
    """Learn a ranking from traces and write it to MODEL.

    Exit code 0: the model is better than cosine on held-out traces (or forced), and was written. Exit code 1: it is not better, or an
    error; nothing was written.
    """
    from ..graph import Catalog
    from ..shgat import SHGAT
    from . import output
    from . import traces as sources

    if sessions is None:
        given.refuse({"--sessions-from-order": sessions_from_order or None}, "with --sessions FILE", "without it")
    file = checkpoint or out.with_name(f"{out.name}.checkpoint")
    _check_places(out, file, resume)
    model = SHGAT.from_catalog(Catalog.load(catalog), seed=seed)
    learned_from = sources.load(traces or given.present(catalog / "train.jsonl", "give --traces FILE"), model.catalog, skip_unknown)
    chosen = {"epochs": epochs, "batch_size": batch_size, "lr": lr, "seed": seed, "resume": resume, "force": force}
    about = {
        "catalog": model.catalog.fingerprint,
        "encoder": model.catalog.encoder,
        "traces": learned_from.fingerprint,
        "model": out.name,
    }
    try:
        with (
            runs.tracked(track, experiment, hypothesis, lambda: {**chosen, "config": model.config.to_dict()}, about) as run,
            progress(quiet) as on_epoch,
            spread.opened(executor, jobs, len(learned_from) >= _PAYS) as spread_over,
        ):
            report = model.fit(
                learned_from, epochs=epochs, batch_size=batch_size, lr=lr, seed=seed, on_epoch=runs.both(on_epoch, run), checkpoint=file,
                resume=resume, keep_checkpoint=True, force=force, executor=spread_over,
            )  # fmt: skip
            if run is not None:
                runs.concluded(run, report)
    except KeyboardInterrupt:
        if file.exists():
            output.note(f"shgat: interrupted; {file} holds the finished epochs: run the same command with --resume to go on")
        raise
    values = None
    if report.accepted:
        if sessions is not None:
            values = _values(model, sessions, sessions_from_order, seed, quiet)
        model.save(out)
    file.unlink(missing_ok=True)  # and not before the model is there
    if as_json:
        output.write_json(
            {"model": str(out) if report.accepted else None, "notes": remarks(report), **report.to_dict(), **_said(values)}
        )
    else:
        if report.comparisons:
            output.write(summary(report))
        for line in (*choices(report), *abstentions(report), *remarks(report)):
            output.note(f"shgat: {line}")
        if values is not None:
            output.note(
                f"shgat: weight {values.weight:g} for values of {values.sessions} sessions, {values.steps} steps: {values.reason}"
            )
        output.note(_verdict(report, out))
    return 0 if report.accepted else 1


def _values(model: "SHGAT", file: Path, from_order: bool, seed: int, quiet: bool) -> "ValueReport":
    """Learned from the sessions of a file."""
    from ..traces import load_sessions
    from . import output

    found = load_sessions(file, model.catalog, from_order=from_order)
    if not quiet:
        output.note(f"shgat: learning values from {len(found)} sessions, and a ranker to judge them by")
    return model.learn_values(found, seed=seed)


def _said(values: "ValueReport | None") -> dict[str, Any]:
    from .._json import none_for_not_finite

    return {} if values is None else {"values": none_for_not_finite(values.to_dict())}


def _check_places(out: Path, checkpoint: Path, resume: bool) -> None:
    """Before any work: can the model be written there, and is no interrupted training overwritten?"""
    from ..errors import InputError

    given.writable(out, "--out")
    given.writable(checkpoint, "--checkpoint")
    if checkpoint.exists() and not resume:
        raise InputError(f"{checkpoint} holds an interrupted training: go on with --resume, or remove the file to begin anew")


def _verdict(report: "TrainReport", out: Path) -> str:
    seconds = f"{report.seconds.get('total', 0.0):.1f} s, {report.n_traces} traces"
    if report.accepted:
        return f"shgat: {out} written ({seconds}): {report.reason}"
    return f"shgat: nothing written ({seconds}): {report.reason}; --force writes it all the same"


def choices(report: "TrainReport") -> list[str]:
    """What was tried, and whether it stayed."""
    return [
        f"{trial.name} {'chosen' if trial.low > 0.0 else 'left out'}: {100 * trial.ours:.1f} on {trial.n} held-out intents, "
        f"{trial.against} {100 * trial.theirs:.1f} (difference {100 * trial.low:+.1f} to {100 * trial.high:+.1f}, 68 %)"
        for trial in report.trials
    ]


def abstentions(report: "TrainReport") -> list[str]:
    """Which `min_score` leaves few intents without a tool that fits."""
    if not report.accepted or not report.min_scores:
        return []
    least = "; ".join(f"{score:.3f} leaves {100 * float(share):g} %" for share, score in report.min_scores.items())
    return [f"min_score, of held-out intents that a tool fits, without any: {least}"]


def remarks(report: "TrainReport") -> list[str]:
    """What looks wrong at first sight, and why it is not: a loss that rose although the result is used."""
    last = [epoch.loss for epoch in report.epochs if epoch.stage == report.epochs[-1].stage]
    if len(last) < 2 or not last[-1] > last[0]:
        return []
    decided = "kept" if report.accepted else "refused"
    return [
        f"the loss rose from {last[0]:.3f} to {last[-1]:.3f} ({report.epochs[-1].stage}). It does not decide: the model was {decided} by how "
        "it ranks held-out traces. The loss is of the traces trained on, with dropout, and weighs errors, not ranks; fewer epochs or a "
        "lower learning rate bring it down"
    ]


def summary(report: "TrainReport") -> "Grid":
    """What the fused ranking finds of held-out traces, beside cosine."""
    from .grid import Grid

    grid = Grid("Held-out traces, ranked over the whole catalogue (%)")
    grid.add_column("traces")
    grid.add_column("n", "right")
    grid.add_column("ranked by")
    for name in _SHOWN:
        grid.add_column(name, "right")
    grid.add_column("against cosine (98 %)", "right")
    for part in ("all", "warm", "cold"):
        ours = report.validation["shgat"].get(part)
        if ours is None:
            continue
        gain = next(c for c in report.comparisons if (c.against, c.part) == ("cosine", part))
        interval = f"{100 * (gain.ours - gain.theirs):+.1f} ({100 * gain.low:+.1f} to {100 * gain.high:+.1f})"
        for name, values, last in (("shgat", ours, interval), ("cosine", report.validation["cosine"][part], "")):
            first = (part, f"{ours['n']:.0f}") if name == "shgat" else ("", "")
            grid.add_row(*first, name, *(f"{100 * values[m]:.1f}" for m in _SHOWN), last)
    grid.caption = "cold: a tool is wanted that no training trace has. Difference: of the mean of recall, NDCG and COMP at 5"
    return grid


@contextmanager
def progress(quiet: bool = False) -> "Iterator[Callable[[Epoch], None] | None]":
    """A callback that draws the epochs on stderr: a bar for people, a line an epoch for log files."""
    if quiet:
        yield None
    elif sys.stderr.isatty():
        with _bar() as draw:
            yield draw
    else:
        yield lambda epoch: print(f"shgat: {epoch.stage}, epoch {epoch.number} of {epoch.of}: {figures(epoch)}", file=sys.stderr)


@contextmanager
def _bar() -> "Iterator[Callable[[Epoch], None]]":
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    console = Console(file=sys.stderr)
    wide = console.width >= _WIDE
    columns = (
        TextColumn("{task.description}"), *([BarColumn(20)] if wide else []), TaskProgressColumn(),
        TextColumn("{task.fields[figures]}"), TextColumn("ETA"), TimeRemainingColumn(compact=True),
    )  # fmt: skip
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("starting", total=None, figures="")
        reached = dict[int, int]()  # of each run, of which several may be under way

        def draw(epoch: "Epoch") -> None:
            reached[epoch.run] = epoch.number
            before = sum(epoch.of for run in range(1, epoch.run) if run not in reached)  # of runs that nobody told of
            bar.update(
                task, description=f"{epoch.stage}, epoch {epoch.number}/{epoch.of}", total=epoch.runs * epoch.of,
                completed=before + sum(reached.values()), figures=figures(epoch) if wide else f"loss {epoch.loss:.3f}",
            )  # fmt: skip

        yield draw


def figures(epoch: "Epoch") -> str:
    """Loss, and where there is validation Hit@1 and MRR."""
    held: dict[str, Any] = epoch.validation.get("all", {})
    found = f", Hit@1 {100 * held['hit@1']:.1f} %, MRR {held['mrr']:.3f}" if held else ""
    return f"loss {epoch.loss:.3f}{found}"
