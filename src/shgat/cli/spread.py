"""Over how many processes, or on which cluster, a command spreads its work; and how far that is."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ..executor import Executor

_EVERY = 10.0  # seconds between two lines of a log on how far it is
Jobs = Annotated[
    int | None, typer.Option("--jobs", metavar="N", min=1, help="Processes at once.  [default: the processors, where it pays]")
]
On = Annotated[
    str | None, typer.Option("--executor", metavar="ray:ADDRESS", help="A Ray cluster: local, auto, HOST:6379, //HOST:10001.")
]
OnDone = Callable[[int], None]


def opened(name: str | None, jobs: int | None, pays: bool) -> "Executor":
    """The executor that was asked for; one process where nothing was and the work is small."""
    from ..executor import open_executor

    return open_executor(name or "", 1 if jobs is None and name is None and not pays else jobs)


def asked(name: str | None, jobs: int | None) -> "Callable[[bool], Executor]":
    """`opened` for who finds out later whether it pays."""
    return lambda pays: opened(name, jobs, pays)


@contextmanager
def counted(title: str, total: int | None, quiet: bool = False) -> Iterator[OnDone | None]:
    """A callback that takes how many are done, and shows that on stderr with the time that is left: a bar for people, now and then a line
    for log files."""
    if quiet:
        yield None
    elif sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = TextColumn("{task.description}"), BarColumn(20), MofNCompleteColumn(), TextColumn("ETA"), TimeRemainingColumn()
        with Progress(*columns, console=Console(file=sys.stderr), transient=True) as bar:
            task = bar.add_task(title, total=total)
            yield lambda done: bar.update(task, completed=done)
    else:
        yield _lines(title, total, time.monotonic)


def _lines(title: str, total: int | None, clock: Callable[[], float]) -> OnDone:
    began = said = clock()

    def tell(done: int) -> None:
        nonlocal said
        now = clock()
        if now - said < _EVERY or not done:
            return
        said = now
        left = "" if total is None else f" of {total}, ETA {(now - began) * (total - done) / done:.0f} s"
        print(f"shgat: {title}: {done}{left}", file=sys.stderr)

    return tell
