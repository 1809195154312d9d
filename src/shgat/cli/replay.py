"""`shgat replay`: the history of a repository as events."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from ..errors import InputError
from . import given


def replay(
    repository: Annotated[
        Path, typer.Argument(metavar="REPO", help="A work tree, or a bare repository.", exists=True, file_okay=False)
    ],
    out: Annotated[Path | None, typer.Option(metavar="FILE.jsonl", help="Into this file.  [default: stdout]")] = None,
    since: Annotated[str, typer.Option(metavar="SHA", help="Only what came after this commit.")] = "",
) -> None:
    """Write the commits that HEAD leads to as events, one JSON object a line, parents first. The repository is only read."""
    import time

    from .._files import replacing
    from ..progressive.events import canonical, events
    from ..progressive.history import History
    from . import output

    given.writable(out, "--out")
    try:
        history = History.of(repository, since)
    except InputError as error:
        raise given.WrongUsage(f"--since: {error}") from None
    began = time.perf_counter()
    n = 0
    if out is None:
        for record in events(history):
            sys.stdout.buffer.write(canonical(record) + b"\n")
            n += 1
        sys.stdout.buffer.flush()
    else:
        with replacing(out) as path, path.open("wb") as file:
            for record in events(history):
                file.write(canonical(record) + b"\n")
                n += 1
    seconds = time.perf_counter() - began
    where = "" if out is None else f" in {out}"
    output.note(f"shgat: {n} commits{where}, {n / seconds:.0f} commits/s, head {history.head or 'unborn'}")
