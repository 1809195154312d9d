"""`shgat pipeline`: retrain, prove, and put into production; each step a command."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import given

if TYPE_CHECKING:
    from ..pipeline import Event, Pipeline, Run
    from .grid import Grid

app = typer.Typer(help="Retrain, prove, and put into production by itself.", rich_markup_mode=None)

Config = Annotated[Path, typer.Option("--config", metavar="FILE.toml", help="See `shgat pipeline init`.")]
Json = Annotated[bool, typer.Option("--json", help="JSON for programs.")]
Dry = Annotated[bool, typer.Option("--dry-run", help="Say what would happen, and touch nothing.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress.")]
Again = Annotated[bool, typer.Option("--again", help="Give an open run up, and learn anew though nothing is new.")]
DEFAULT = Path("pipeline.toml")
_AGAIN = "interrupted; the same command goes on where it was"
_GOOD = ("open", "promoted", "unchanged")  # statuses of exit code 0
_SHOWN = 10  # runs


@app.command(short_help="Write an example of the file.")
def init(config: Config = DEFAULT) -> int:
    """Write a file with every key, its default and a comment."""

    def work() -> int:
        from ..pipeline.settings_file import write_example
        from . import output

        given.writable(config, "--config")
        write_example(config)
        output.note(f"shgat: {config} written; it says where the store is by the environment variable SHGAT_STORE_URL")
        return 0

    return given.or_mistake(work, _AGAIN)


@app.command(short_help="All steps, up to the end or to a gate that says no.")
def run(config: Config = DEFAULT, again: Again = False, dry_run: Dry = False, quiet: Quiet = False, as_json: Json = False) -> int:
    """All steps that are not done yet, up to the end or to a gate that says no. What was interrupted goes on where it was. Exit code 0: done,
    1: refused by a gate or rolled back, 2: a mistake, or another process is at it."""
    return _step(config, "", again, dry_run, quiet, as_json)


@app.command("validate-data", short_help="Are there traces, and are they fit to be learned from?")
def validate_data(
    config: Config = DEFAULT, again: Again = False, dry_run: Dry = False, quiet: Quiet = False, as_json: Json = False
) -> int:
    """Begin a run, where none is open: check the traces of the window, and choose what is learned from and what is held out."""
    return _step(config, "validate-data", again, dry_run, quiet, as_json)


_LATER = {
    "train": ("Train a candidate in a child process.", "Train a candidate in a child process, on the earlier traces of the run."),
    "evaluate": (
        "Holdout, temporal and counterfactual.",
        "Does training pay? The protocols of the file, on the earlier traces of the run.",
    ),
    "compare": (
        "The gate: beside cosine and production.",
        "Is the candidate better than cosine and no worse than production, on the traces that were held out?",
    ),
    "register": ("The candidate becomes a version.", "The candidate becomes a version of the store's registry."),
    "canary": (
        "Let it answer some sessions, and watch.",
        "Let the version answer some sessions for its time, and wait for what the guardrails say.",
    ),
    "promote": ("Into production, past the gate.", "Put the version into production, past the gate once more."),
}


def _later(name: str) -> Callable[..., int]:
    """The command of a step that goes on with the open run."""

    def step(config: Config = DEFAULT, dry_run: Dry = False, quiet: Quiet = False, as_json: Json = False) -> int:
        return _step(config, name, False, dry_run, quiet, as_json)

    step.__doc__ = _LATER[name][1]
    return step


for _name, (_short, _) in _LATER.items():
    app.command(_name, short_help=_short)(_later(_name))


@app.command(short_help="Take away what the latest run put in place.")
def rollback(config: Config = DEFAULT, who: given.Who = "", why: given.Why = "", as_json: Json = False) -> int:
    """Take away what the latest run put in place: its canary, and its version where that is in production."""

    def work() -> int:
        _show(_pipeline(config, True).rollback(who=given.who(who), why=why), as_json)
        return 0

    return given.or_mistake(work, _AGAIN)


@app.command(short_help="The latest runs, and their steps.")
def status(
    config: Config = DEFAULT,
    name: Annotated[str | None, typer.Option("--run", metavar="ID", help="Of which run.  [default: the latest]")] = None,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="FILE.html", help="Also write its page, which stands alone.")
    ] = None,
    as_json: Json = False,
) -> int:
    """The latest runs, and the steps of one."""

    def work() -> int:
        from ..pipeline.page import write_page
        from . import output

        given.writable(report, "--report")
        runs = _pipeline(config, True).runs.all()
        chosen = next((r for r in reversed(runs) if name in (None, r.id)), None)
        if chosen is None:
            raise given.WrongUsage("there is no run yet" if name is None else f"there is no run {name!r:.60}")
        if report is not None:
            write_page(report, chosen)
        if as_json:
            output.write_json({"run": chosen.to_dict(), "runs": [_row(r) for r in runs]})
            return 0
        output.write(_runs(runs[-_SHOWN:]), _steps(chosen))
        return 0

    return given.or_mistake(work, _AGAIN)


def _step(config: Path, name: str, again: bool, dry_run: bool, quiet: bool, as_json: bool) -> int:
    """One step, or with "" all of them."""

    def work() -> int:
        pipeline = _pipeline(config, quiet)
        if dry_run:
            return _planned(pipeline, name, again, as_json)
        found = pipeline.step(name, again=again) if name else pipeline.run(again=again)
        _show(found, as_json, name)
        return 0 if found.status in _GOOD else 1

    return given.or_mistake(work, _AGAIN)


def _pipeline(config: Path, quiet: bool) -> "Pipeline":
    from ..pipeline import Pipeline, read_settings

    return Pipeline(read_settings(config), on_event=None if quiet else _progress)


def _progress(event: "Event") -> None:
    from . import output

    if event.kind != "begun" or not event.step:
        output.note(f"shgat: {event.step or event.run}{'' if event.kind == 'said' else f' {event.kind}'}: {event.message}")
    sys.stderr.flush()


def _planned(pipeline: "Pipeline", name: str, again: bool, as_json: bool) -> int:
    from ..pipeline import STEPS, plan
    from . import output
    from .grid import Grid

    found = [p for p in plan(pipeline.settings, pipeline.runs, STEPS, pipeline.clock, again) if name in ("", p.step)]
    if as_json:
        output.write_json({"dry_run": True, "steps": [vars(p) for p in found]})
        return 0
    grid = Grid("dry run: nothing is touched")
    for column in ("step", ""):
        grid.add_column(column)
    grid.add_column("what", prose=True)
    for p in found:
        grid.add_row(p.step, p.does, p.what)
    output.write(grid)
    return 0


def _show(run: "Run", as_json: bool, name: str = "") -> None:
    from . import output

    if as_json:
        whole = run.to_dict()
        head = {"run": run.id, "run_status": run.status, "run_reason": run.reason, "step": name}
        output.write_json({**head, **whole["steps"].get(name, {})} if name else whole)
        return
    output.write(_steps(run), f"Run {run.id}: {run.status}" + (f", {run.reason}" if run.reason else "") + ".")


def _row(run: "Run") -> dict[str, Any]:
    return {"run": run.id, "status": run.status, "reason": run.reason, "begun_at": run.begun_at, "ended_at": run.ended_at}


def _runs(runs: "list[Run]") -> "Grid":
    from .grid import Grid
    from .versions import day

    grid = Grid("runs")
    for column in ("run", "begun", "status", "steps done"):
        grid.add_column(column)
    grid.add_column("why", prose=True)
    for r in runs:
        grid.add_row(r.id, day(r.begun_at), r.status, str(sum(r.done(s) for s in r.steps)), r.reason or "-")
    return grid


def _steps(run: "Run") -> "Grid":
    from .grid import Grid

    grid = Grid(f"run {run.id}")
    for column in ("step", "status"):
        grid.add_column(column)
    for column in ("seconds", "tries"):
        grid.add_column(column, "right")
    grid.add_column("what", prose=True)
    for name, s in run.steps.items():
        took = "-" if s.ended_at is None else f"{s.ended_at - s.began_at:.1f}"
        grid.add_row(name, s.status, took, str(s.tries), s.reason or "-")
    return grid
