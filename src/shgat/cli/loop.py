"""`shgat loop`: read thousands of repositories, batch by batch, under a quota."""

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import InputError
from . import corpus, given
from .workspace import HERE, Json, Quiet, Workspace, layout, told

if TYPE_CHECKING:
    from ..progressive.corpus import Line
    from ..progressive.layout import Layout
    from ..progressive.loop import Event
    from ..progressive.register import BatchTrainer
    from ..progressive.settings import Settings
    from .grid import Grid

app = typer.Typer(help="Read repositories in batches under a quota of disk.", rich_markup_mode=None)

Jobs = Annotated[int, typer.Option(min=1, metavar="N", help="Processes that read.")]
Size = Annotated[int, typer.Option("--batch-size", min=1, metavar="N", help="Repositories after which the ledger is archived.")]
Quota = Annotated[str | None, typer.Option(metavar="SIZE", help="Of the whole workspace.  [default: what it has, or 10GB]")]
High = Annotated[float, typer.Option("--high-water", min=0.1, max=1.0, help="Part of the ledger's share at which it is archived.")]
Timeout = Annotated[float, typer.Option(min=0.1, metavar="SECONDS", help="Of one clone.")]
Train = Annotated[bool, typer.Option("--train", help="Train SHGAT after each batch, from where it was.")]
_TOLD_TO_END = 143


@app.command(short_help="Read what is not read yet.")
def run(
    repos: Annotated[Path, typer.Option(metavar="LIST", help="A URL or a path a line, see `shgat corpus`.")],
    workspace: Workspace = HERE,
    batch_size: Size = 200,
    jobs: Jobs = 1,
    quota: Quota = None,
    high_water: High = 0.95,
    timeout: Timeout = 300.0,
    train: Train = False,
    again: Annotated[
        bool, typer.Option("--again", help="Read everything again; what has not changed is not taken in twice.")
    ] = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> int:
    """Read the repositories of a list that are not read yet, archive each batch, and keep what is known in the kernel. A repository that
    cannot be read is written down and passed over (exit code 1). What was interrupted goes on where it was."""
    lines = corpus.read(repos)
    return told(
        lambda: _run(workspace, lines, again, train, quiet, as_json, _options(batch_size, jobs, quota, high_water, timeout))
    )


@app.command(short_help="Go on where it was.")
def resume(
    workspace: Workspace = HERE,
    batch_size: Size = 200,
    jobs: Jobs = 1,
    quota: Quota = None,
    high_water: High = 0.95,
    timeout: Timeout = 300.0,
    train: Train = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> int:
    """Go on with the repositories that the workspace knows."""
    layout(workspace)
    return told(lambda: _run(workspace, [], False, train, quiet, as_json, _options(batch_size, jobs, quota, high_water, timeout)))


@app.command(short_help="How far it is.")
def status(
    workspace: Workspace = HERE,
    watch: Annotated[bool, typer.Option("--watch", help="Again every two seconds, until it ends.")] = False,
    as_json: Json = False,
) -> int:
    """How far a workspace is, also while another process is at it."""

    def work() -> int:
        from ..progressive import summary
        from . import output

        found = layout(workspace)
        given.present(found.manifest, "`shgat loop run` makes it")
        while True:
            seen = summary.status(found)
            if as_json:
                output.write_json(seen)
            else:
                output.write(*_pages(seen))
            if not watch or (seen["run"] or {}).get("status") != "running":
                return 0
            sys.stdout.flush()
            time.sleep(2.0)

    return told(work)


def _options(batch_size: int, jobs: int, quota: str | None, high_water: float, timeout: float) -> dict[str, Any]:
    from ..progressive.quota import size_of

    found = {"batch_size": batch_size, "jobs": jobs, "high_water": high_water, "timeout": timeout}
    try:
        return found | ({"quota": size_of(quota)} if quota is not None else {})
    except InputError as error:
        raise given.WrongUsage(f"--quota: {error}") from None


def _run(
    workspace: Path, lines: "Sequence[Line]", again: bool, train: bool, quiet: bool, as_json: bool, options: dict[str, Any]
) -> int:
    from datetime import UTC, datetime

    from ..progressive import summary
    from ..progressive.layout import Layout
    from ..progressive.loop import Loop
    from ..progressive.settings import Settings, remembered
    from . import output

    places = Layout(workspace)
    try:
        known = remembered(places)
        settings = Settings(**({"quota": known["quota"]} if "quota" in known else {}) | options)
    except InputError as error:
        raise given.WrongUsage(str(error)) from None
    stopped = threading.Event()
    with _told_to_end(stopped), _progress(quiet, len(lines)) as on_event, _trainer(train, places, settings, on_event) as trainer:
        loop = Loop(places, settings, lambda: datetime.now(UTC), train=trainer, on_event=on_event, stopped=stopped)
        report = loop.run(lines, again=again)
    found = summary.summary(places, report.root, report.chain, report.peak)
    page = summary.write(places, found, max(0, settings.quota // 20))
    if as_json:
        output.write_json(found)
    else:
        output.write(*_pages(found), f"Kernel {report.root[:16]}, chain {report.chain[:16]}; {page or 'no room for a summary'}.")
    if report.status == "stopped":
        output.note("shgat: told to end; `shgat loop resume` goes on")
        return _TOLD_TO_END
    return 1 if found["states"].get("failed") else 0


@contextmanager
def _trainer(
    wanted: bool, places: "Layout", settings: "Settings", on_event: "Callable[[Event], None]"
) -> "Iterator[BatchTrainer | None]":
    """What trains after each batch, None where nothing does."""
    if not wanted:
        yield None
        return
    from ..progressive.loop import Event
    from ..progressive.register import BatchTrainer
    from ..worker.parent import Child

    with Child() as child:
        yield BatchTrainer(places, settings.quota, child, on_learned=lambda unit, what: on_event(Event("learned", unit, what)))


@contextmanager
def _told_to_end(stopped: threading.Event) -> Iterator[None]:
    """SIGTERM and Ctrl-C end the run after what is being sealed; a second one ends it at once."""

    def end(number: int, _: FrameType | None) -> None:
        if stopped.is_set():
            raise KeyboardInterrupt
        stopped.set()

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _progress(quiet: bool, total: int) -> "Iterator[Callable[[Event], None]]":
    """A bar on a terminal, a line of JSON an event elsewhere."""
    if quiet:
        yield lambda _: None
    elif not sys.stderr.isatty():
        yield _write_line
    else:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        what = TextColumn("{task.description}", markup=False)
        columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn(), what)
        with Progress(*columns, console=Console(stderr=True, markup=False)) as bar:
            task = bar.add_task("", total=total or None)
            began, seen, batch = time.monotonic(), 0, ""

            def show(event: "Event") -> None:
                nonlocal seen, batch
                seen += event.commits
                batch = event.name if event.kind == "begun" else batch
                rate = seen / max(time.monotonic() - began, 1e-3)
                bar.update(task, description=f"{batch}, {rate:.0f} commits/s, {event.kind} {event.name}"[:100])
                bar.advance(task, event.kind in ("sealed", "skipped", "failed"))

            yield show


def _write_line(event: "Event") -> None:
    import orjson

    said = {
        k: v for k, v in (("event", event.kind), ("name", event.name), ("detail", event.detail), ("commits", event.commits)) if v
    }
    sys.stderr.write(orjson.dumps(said).decode() + "\n")
    sys.stderr.flush()


def _pages(found: dict[str, Any]) -> "list[Grid | str]":
    from .grid import Grid

    repos = Grid(f"{found['repos']} repositories, {found['commits']} commits, {found['batches']} batches archived")
    repos.add_column("state")
    repos.add_column("repositories", "right")
    for state, n in found["states"].items():
        repos.add_row(state, str(n))
    quota = Grid("the quota")
    quota.add_column("class")
    for column in ("used MB", "of MB", "%"):
        quota.add_column(column, "right")
    for name, g in found["quota"].items():
        quota.add_row(name, f"{g['used'] / 1e6:.2f}", f"{g['cap'] / 1e6:.0f}", f"{100 * g['used'] / g['cap']:.1f}")
    run = found["run"]
    pages: list[Grid | str] = [repos, quota]
    if found["failures"]:
        failures = Grid("why some failed")
        failures.add_column("repositories", "right")
        failures.add_column("reason", prose=True)
        for reason, n in sorted(found["failures"].items(), key=lambda f: (-f[1], f[0])):
            failures.add_row(str(n), reason)
        pages.append(failures)
    if run is not None:
        at = f", batch {run['batch'] + 1} of {run['of']}" if run["batch"] is not None and run["status"] == "running" else ""
        pages.append(f"Run {run['run']}: {run['status']}{at}.")
    return pages
