"""`shgat eval`: how well is the future of a repository told from its past?"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import InputError
from . import given
from .workspace import Json, Quiet

if TYPE_CHECKING:
    from ..progressive.changeset import Changes

app = typer.Typer(help="How well the future of repositories is told from their past.", rich_markup_mode=None)

Repositories = Annotated[
    list[Path], typer.Argument(metavar="REPO...", help="Repositories, or files that `shgat replay` wrote.", exists=True)
]
Most = Annotated[int, typer.Option(min=10, metavar="N", help="Commits of each part that are asked, evenly spread.")]


@app.command(short_help="Files of later commits, learned from earlier ones.")
def temporal(repositories: Repositories, most: Most = 600, quiet: Quiet = False, as_json: Json = False) -> None:
    """Ask for the files of the last fifth of the commits: with one of them, with the message, and with the message without their names.
    SHGAT learns from the first 64 % of each; the commits between say how to mix it with counts, and which ranking ships."""
    import numpy as np

    from ..progressive.learning_bars import macro, ranked, studied
    from ..progressive.questions import KINDS
    from . import output
    from .grid import Grid

    histories = _read(repositories)
    answered = studied(histories, most, lambda name: None if quiet else output.note(f"shgat: asked {name}"))
    found: dict[str, Any] = {}
    for kind in KINDS:
        every = ranked(answered, kind)
        rows = {c.name: r.figures(np.random.default_rng(0)) for c, r in zip(histories, every, strict=True)}
        found[kind] = {"repositories": rows, "macro": macro(every, np.random.default_rng(0))}
    if as_json:
        output.write_json(found)
        return
    for name, of_kind in found.items():
        m = of_kind["macro"]
        grid = Grid(
            f"{name}: MRR@10 on the last fifth",
            f"shgat + prior beats the best single ranking, or one that backs off, on {m['wins']} of {m['of']},"
            f" by {m['mean']:+.3f} in the mean (p {m['p']:.3f}), {m['worst']:+.3f} at the worst",
        )
        rankings = list(next(iter(of_kind["repositories"].values()))["mrr"])
        grid.add_column("repository")
        for column in ("commits", *rankings, "gain"):
            grid.add_column(column, "right")
        grid.add_column("ships")
        for repository, f in of_kind["repositories"].items():
            grid.add_row(
                repository, str(f["questions"]), *(f"{f['mrr'][n]:.3f}" for n in rankings), f"{f['gain']['mean']:+.3f}", f["ships"]
            )
        output.write(grid)


@app.command(short_help="Repositories that were never seen.")
def transfer(
    repositories: Repositories,
    held_out: Annotated[
        list[Path],
        typer.Option("--held-out", metavar="REPO", help="Is asked and never learned from; may be repeated.", exists=True),
    ],
    judge: Annotated[
        Path | None,
        typer.Option(metavar="REPO", help="Says which batch's parameters go on.  [default: the latest do]", exists=True),
    ] = None,
    batch_size: Annotated[int, typer.Option(min=1, metavar="N", help="Repositories of a batch.")] = 1,
    most: Most = 300,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Learn from repositories batch by batch, and ask for the files of later commits of others after each: does more training help what
    was never seen, and does it help once that is learned from too?"""
    import numpy as np

    from ..progressive.learner import Learner
    from ..progressive.transfer import transferred
    from ..worker.parent import Child
    from . import output
    from .grid import Grid

    histories, others = _read(repositories), _read(held_out)
    judging = None if judge is None else _read([judge])[0]
    batches = [histories[i : i + batch_size] for i in range(0, len(histories), batch_size)]
    with Child(timeout=1800.0) as child:

        def on_batch(n: int, better: bool) -> None:
            if not quiet:
                output.note(f"shgat: batch {n} of {len(batches)}{'' if better else ', given up'}")

        curves = transferred(batches, others, lambda: Learner(child), on_batch, judge=judging, most=most)
    found = [c.figures(np.random.default_rng(0)) for c in curves]
    if as_json:
        output.write_json({"curves": found})
        return
    grid = Grid(
        "MRR@10 of SHGAT alone on repositories that were never learned from", "own: after the same steps on its own commits"
    )
    for name in ("repository", "asked with"):
        grid.add_column(name)
    for name in ("before", *(f"batch {i}" for i in range(1, len(batches) + 1)), "rho", "own", "own from scratch"):
        grid.add_column(name, "right")
    for f in found:
        grid.add_row(
            f["name"], f["kind"], *(f"{v:.3f}" for v in f["after"]), f"{f['rises']:+.2f}", f"{f['adapted']:.3f}", f"{f['scratch']:.3f}"
        )  # fmt: skip
    output.write(grid)


@app.command(short_help="Kinds of work, from messages and paths.")
def labels(repositories: Repositories, as_json: Json = False) -> None:
    """Tell the kind of work of the last fifth of those commits whose makers say it, learned from the others, beside rules and naive
    Bayes; and learned from the other repositories alone."""
    from ..progressive.labelling import FEWEST, told
    from . import output
    from .grid import Grid

    found = [t.figures() for t in told(_read(repositories))]
    if not found:
        raise InputError(f"no repository has {FEWEST} commits whose message begins with a kind, as `fix:` or `DOC:`")
    if as_json:
        output.write_json({"repositories": found})
        return
    names = ("majority", "rules", "naive Bayes", "logistic regression", "shgat", "others")
    grid = Grid(
        "macro-F1 on the last fifth",
        "others: learned from the other repositories; shgat: the method that earlier commits choose",
    )
    grid.add_column("repository")
    for name in ("commits", "labelled", *names):
        grid.add_column(name, "right")
    for f in found:
        shown = (f"{f['macro_f1'][n]:.3f}" if n in f["macro_f1"] else "-" for n in names)
        grid.add_row(f["name"], str(f["commits"]), str(f["labelled"]), *shown)
    output.write(grid)


def _read(places: Sequence[Path]) -> "list[Changes]":
    from ..progressive.recorded import history

    found = [history(place) for place in places]
    names = [c.name for c in found]
    if len(set(names)) < len(names):
        raise given.WrongUsage(
            f"two repositories are named {next(n for n in names if names.count(n) > 1)}: they could not be told apart"
        )
    return found
