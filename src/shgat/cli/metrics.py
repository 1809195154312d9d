"""`shgat metrics` and `shgat feedback`: what the histories of a workspace came to, and what to do about it."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import given
from .workspace import HERE, Json, Quiet, Workspace, layout, told

if TYPE_CHECKING:
    from .grid import Grid


class Least(StrEnum):
    """How bad something has to be to be shown."""

    critical = "critical"
    high = "high"
    medium = "medium"
    low = "low"


def metrics(workspace: Workspace = HERE, quiet: Quiet = False, as_json: Json = False) -> int:
    """Compute what the histories of a workspace came to: patterns, correlations, forecasts and how they turned out, recommendations and
    whether their claims held. Forecasts are written down, and resolved when later commits are read. Exit code 1: a figure is beyond its
    bound."""

    def work() -> int:
        from ..progressive import recorded
        from ..progressive.figures import breaches
        from . import output

        found = layout(workspace)

        def on_history(n: int, of: int) -> None:
            if not quiet and (n == of or n % 10 == 0):
                output.note(f"shgat: {n} of {of} histories")

        figures = recorded.measured(found, on_history)
        beyond = breaches(figures)
        if as_json:
            output.write_json(figures | {"breaches": beyond})
        else:
            output.write(*_pages(figures, beyond))
        return 1 if beyond else 0

    return told(work)


def feedback(
    workspace: Workspace = HERE,
    min_severity: Annotated[Least, typer.Option("--min-severity", help="Leave out what is less bad.")] = Least.low,
    as_json: Json = False,
) -> int:
    """Say what to do about figures that are beyond their bounds, and write a record of each into the workspace. It reads what `shgat
    metrics` wrote."""

    def work() -> int:
        import orjson

        from ..errors import CorruptError
        from ..progressive import recorded
        from ..progressive.disk import Disk
        from ..progressive.events import canonical
        from ..progressive.feedback import advised
        from ..progressive.lock import locked
        from . import output

        places = layout(workspace)
        path = given.present(recorded.stats_of(places), f"`shgat metrics -w {workspace}` makes it")
        try:
            records = advised(orjson.loads(path.read_bytes()), min_severity.value)
        except (ValueError, TypeError):
            raise CorruptError(f"{path}: it is not what was written; `shgat metrics` writes it anew") from None
        folder = recorded.advice_of(places)
        with locked(places.lock):
            folder.mkdir(parents=True, exist_ok=True)
            for record in records:
                Disk().replace(folder / f"{record['id']}.json", canonical(record) + b"\n")
        if as_json:
            output.write_json({"feedback": records})
            return 0
        from .grid import Grid

        grid = Grid(f"{len(records)} figures are beyond their bounds" if records else "no figure is beyond its bound")
        grid.add_column("severity")
        for column in ("figure", "what is wrong", "what to do"):
            grid.add_column(column, prose=True)
        for r in records:
            grid.add_row(r["severity"], r["context"], r["title"], r["recommendation"])
        output.write(grid)
        return 0

    return told(work)


def _pages(figures: dict[str, Any], beyond: list[dict[str, Any]]) -> "list[Grid | str]":
    from ..progressive.figures import AT_LEAST, AT_MOST
    from .grid import Grid

    bad = {b["metric"]: b["severity"] for b in beyond}
    grid = Grid(f"{figures['repositories']} repositories, {figures['commits']} commits")
    grid.add_column("figure")
    for column in ("value", "bound"):
        grid.add_column(column, "right")
    grid.add_column("")
    for name, bound in (*AT_LEAST.items(), *AT_MOST.items()):
        shown = "-" if figures[name] is None else f"{figures[name]:.3f}"
        grid.add_row(name, shown, f"{'>=' if name in AT_LEAST else '<='} {bound:g}", bad.get(name, ""))
    tests = Grid("forecasts of the last fifth of each history", "Brier scores in brackets are those of the base rate")
    tests.add_column("forecast")
    for column in ("forecasts", "came true %", "Brier", "ECE"):
        tests.add_column(column, "right")
    for kind, f in figures["backtests"].items():
        if f["n"]:
            tests.add_row(
                kind, str(f["n"]), f"{100 * f['accuracy']:.1f}", f"{f['brier']:.3f} ({f['brier_base']:.3f})", f"{f['ece']:.3f}"
            )
    advice = Grid("recommendations")
    advice.add_column("priority")
    for column in ("what", "because"):
        advice.add_column(column, prose=True)
    for r in figures["recommendations"][:10]:
        advice.add_row(r["priority"], r["title"], r["context"])
    book = figures["book"]
    said = ", ".join(f"{n} {name}" for name, n in book.items())
    return [grid, tests, *([advice] if figures["recommendations"] else []), f"Forecasts: {said}."]
