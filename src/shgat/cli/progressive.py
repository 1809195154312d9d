"""`shgat benchmark progressive`: the bars of progressive training, measured."""

from pathlib import Path
from typing import Annotated

import typer

from . import given
from .workspace import Json


def benchmark(
    corpus: Annotated[
        Path | None,
        typer.Option(
            envvar="SHGAT_CORPUS",
            metavar="DIR",
            help="A folder of repositories.  [default: some that are generated]",
            exists=True,
            file_okay=False,
        ),
    ] = None,
    bars: Annotated[list[str] | None, typer.Option("--bars", metavar="NAME", help="Only these, as B1,B5.")] = None,
    as_json: Json = False,
) -> int:
    """Measure what progressive training has to reach, beside what RL4-Trainer has. Takes minutes. Exit code 1: a bar
    that is built is missed."""
    from ..progressive.bar import Bar
    from ..progressive.bars import NOT_BUILT, measured, measures
    from . import output
    from .grid import Grid

    names = given.names(bars)
    known = {*measures(), *NOT_BUILT}
    if unknown := [n for n in names if n not in known]:
        raise given.WrongUsage(f"--bars: there is no {unknown[0]}, only {', '.join(sorted(known, key=lambda n: int(n[1:])))}")
    found: list[Bar] = []
    for bar in measured(corpus, names):
        found.append(bar)
        output.note(f"{bar.name}: {bar.found}")
    if as_json:
        output.write_json({"bars": [b.to_dict() for b in found]})
    else:
        grid = Grid("progressive training", "RL4-Trainer: what it does or claims there")
        grid.add_column("bar")
        for column in ("wanted", "found"):
            grid.add_column(column, prose=True)
        grid.add_column("reached")
        grid.add_column("RL4-Trainer", prose=True)
        for b in found:
            grid.add_row(b.name, b.wanted, b.found, {True: "yes", False: "no", None: "-"}[b.reached], b.before or "-")
        output.write(grid)
    return 1 if any(b.reached is False for b in found) else 0
