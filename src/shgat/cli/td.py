"""`shgat benchmark td`: TD(lambda) on textbook problems."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import given
from .db import Json

if TYPE_CHECKING:
    from ..experiments.textbook import WalkErrors
    from .grid import Grid

_SEMI, _CORRECTED = 0.01, 0.005  # step sizes of Baird's counterexample in Sutton and Barto (2018), figures 11.2 and 11.5


def benchmark(
    runs: Annotated[int, typer.Option(min=2, metavar="N", help="Runs of the random walk, 10 episodes each.")] = 100,
    steps: Annotated[int, typer.Option(min=1, metavar="N", help="Steps of Baird's counterexample.")] = 10_000,
    seed: Annotated[int, typer.Option(min=0, help="Of everything.")] = 0,
    chart: Annotated[Path | None, typer.Option("--plot", metavar="FILE.svg", help="A picture of the random walk's errors.")] = None,
    as_json: Json = False,
) -> None:
    """Errors of the off-line lambda-return and of true online TD(lambda) on the 19-state random walk, and Baird's counterexample."""
    import numpy as np

    from ..experiments.textbook import BAIRD_METHODS, METHODS, TRUE_VALUES, baird, walk_errors
    from . import output

    given.writable(chart, "--plot")
    if chart is not None:
        from ..reports.figures import draw_walk

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
    if chart is not None:
        from .plot import write_svg

        curves = {m: (e.alphas, dict(zip(e.lambdas, e.mean.tolist(), strict=True))) for m, e in found.items()}
        write_svg(chart, draw_walk(curves, float(np.sqrt((TRUE_VALUES**2).mean()))))
    if as_json:
        walks = {m: _json(e) for m, e in found.items()}
        output.write_json({"runs": runs, "random_walk": walks, "baird": {"steps": [m + 1 for m in marks], "errors": grown}})
        return
    output.write(_walk_table(found, runs), _baird_table(marks, grown))


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
