"""`shgat benchmark td`: TD(lambda) on textbook problems."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import given
from .db import Json

if TYPE_CHECKING:
    from ..experiments.planted import Learned
    from ..experiments.textbook import WalkErrors
    from .grid import Grid

_SEMI, _CORRECTED = 0.01, 0.005  # step sizes of Baird's counterexample in Sutton and Barto (2018), figures 11.2 and 11.5


def benchmark(
    runs: Annotated[int, typer.Option(min=2, metavar="N", help="Runs of the random walk, 10 episodes each.")] = 100,
    steps: Annotated[int, typer.Option(min=1, metavar="N", help="Steps of Baird's counterexample.")] = 10_000,
    sessions: Annotated[
        int, typer.Option(min=0, metavar="N", help="Most sessions that values are learned from in a planted world; 0: none.")
    ] = 4000,
    seed: Annotated[int, typer.Option(min=0, help="Of everything.")] = 0,
    chart: Annotated[Path | None, typer.Option("--plot", metavar="FILE.svg", help="A picture of the random walk's errors.")] = None,
    second: Annotated[
        Path | None, typer.Option("--plot-sessions", metavar="FILE.svg", help="A picture of what is learned from planted sessions.")
    ] = None,
    as_json: Json = False,
) -> None:
    """The 19-state random walk, Baird's counterexample, and sessions whose values are known, with and without a reward for foresight."""
    import numpy as np

    from ..experiments.textbook import BAIRD_METHODS, METHODS, TRUE_VALUES, baird, walk_errors
    from . import output

    given.writable(chart, "--plot")
    given.writable(second, "--plot-sessions")
    if not sessions:
        given.refuse({"--plot-sessions": second}, "with --sessions N", "with --sessions 0")
    if chart is not None or second is not None:
        from ..reports.figures import draw_planted, draw_walk

        draw_walk({}, 1.0)  # is there what it takes? Asked before the work
    found: dict[str, WalkErrors] = {}
    for method in METHODS:
        found[method] = walk_errors(method, runs, np.random.default_rng(seed))
        output.note(f"random walk: {method}, {runs} runs")
    grown: dict[str, list[float]] = {}
    marks = sorted({0, steps // 10, steps // 2, steps - 1})
    for method, alpha in zip(BAIRD_METHODS, (_SEMI, _CORRECTED), strict=True):
        with np.errstate(over="ignore", invalid="ignore"):
            grown[method] = baird(method, steps, np.random.default_rng(seed), alpha=alpha)[1][marks].tolist()
        output.note(f"Baird's counterexample: {method}, {steps} steps")
    worlds = _learned(sessions, seed) if sessions else {}
    if second is not None:
        from .plot import write_svg

        write_svg(second, draw_planted({name: _curves(*found) for name, found in worlds.items()}))
    if chart is not None:
        from .plot import write_svg

        curves = {m: (e.alphas, dict(zip(e.lambdas, e.mean.tolist(), strict=True))) for m, e in found.items()}
        write_svg(chart, draw_walk(curves, float(np.sqrt((TRUE_VALUES**2).mean()))))
    if as_json:
        walks = {m: _json(e) for m, e in found.items()}
        planted = {name: {**known, "learned": [asdict(row) for row in rows]} for name, (known, rows) in worlds.items()}
        about = {"steps": [m + 1 for m in marks], "errors": grown}
        output.write_json({"runs": runs, "random_walk": walks, "baird": about, "planted": planted})
        return
    output.write(_walk_table(found, runs), _baird_table(marks, grown), *([_planted_table(worlds)] if worlds else []))


def _learned(most: int, seed: int) -> "dict[str, tuple[dict[str, float], list[Learned]]]":
    """World -> (what is earned at best and by the best ranker without values, what was learned from more and more sessions)."""
    import numpy as np

    from ..experiments.planted import SIZES, Plant, learning_curve
    from . import output

    sizes = sorted({min(n, most) for n in SIZES})
    found: dict[str, tuple[dict[str, float], list[Learned]]] = {}
    for name, foresight in (("foresight is paid", True), ("foresight is not paid", False)):
        world = Plant.grown(np.random.default_rng(seed), foresight=foresight)
        known = {"best": world.best(), "short_sighted": world.value_of(world.short_sighted)}
        found[name] = known, list(learning_curve(world, sizes, seed))
        output.note(f"planted sessions: {name}, up to {sizes[-1]} sessions")
    return found


def _curves(known: dict[str, float], rows: "list[Learned]") -> "tuple[list[int], list[float], dict[str, list[float]]]":
    earned = {
        "by values": [row.earned for row in rows],
        "by what comes at once": [row.near for row in rows],
        "best ranker without values": [known["short_sighted"]] * len(rows),
        "best policy": [known["best"]] * len(rows),
    }
    return [row.sessions for row in rows], [row.error for row in rows], earned


def _planted_table(worlds: "dict[str, tuple[dict[str, float], list[Learned]]]") -> "Grid":
    """Errors and what is earned, by world and sessions."""
    from .grid import Grid

    about = "error: root mean square against the known values; the rest: what a session earns by a policy that takes the best tool"
    grid = Grid("planted sessions, whose values are known", about)
    grid.add_column("world")
    for column in ("sessions", "error", "by values", "by what comes at once", "best ranker without values", "best policy"):
        grid.add_column(column, "right")
    for name, (known, rows) in worlds.items():
        for i, row in enumerate(rows):
            ends = (f"{known['short_sighted']:.3f}", f"{known['best']:.3f}")
            grid.add_row(
                name if i == 0 else "", str(row.sessions), f"{row.error:.3f}", f"{row.earned:.3f}", f"{row.near:.3f}", *ends
            )
    return grid


def _json(errors: "WalkErrors") -> dict[str, Any]:
    best = [dict(zip(("alpha", "error", "standard_error"), errors.best(i), strict=True)) for i in range(len(errors.lambdas))]
    return {"lambda": errors.lambdas, "alpha": errors.alphas, "errors": errors.mean.tolist(), "best": best}


def _walk_table(found: "dict[str, WalkErrors]", runs: int) -> "Grid":
    """The minimum over step sizes for each lambda."""
    from .grid import Grid

    grid = Grid(
        f"random walk of 19 states, {runs} runs",
        "root mean square error over states and the first 10 episodes at the best step size, +- standard error",
    )
    grid.add_column("lambda", "right")
    for method in found:
        grid.add_column(method, "right")
        grid.add_column("step size", "right")
    for i, lam in enumerate(next(iter(found.values())).lambdas):
        cells = [e.best(i) for e in found.values()]
        grid.add_row(f"{lam:g}", *(text for alpha, mean, error in cells for text in (f"{mean:.3f} +- {error:.3f}", f"{alpha:g}")))
    return grid


def _baird_table(marks: list[int], grown: dict[str, list[float]]) -> "Grid":
    """Errors after some steps."""
    from .grid import Grid

    grid = Grid("Baird's counterexample", "root mean square of the projected Bellman error; all values are 0")
    grid.add_column("method")
    for mark in marks:
        grid.add_column(f"step {mark + 1}", "right")
    for method, errors in grown.items():
        grid.add_row(method, *(f"{error:.3g}" for error in errors))
    return grid
