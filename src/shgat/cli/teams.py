"""`shgat benchmark teams`: what it is worth to teams on one gateway that they are told apart, and what a flood of one costs the others."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import given

if TYPE_CHECKING:
    from .._types import Float32
    from ..experiments.dataset import Dataset
    from ..experiments.teams import Conditions, Play
    from ..serving import Ranker
    from .grid import Grid

DAY = 86_400.0  # seconds
START = 1.7e9  # seconds since 1970


def teams(
    data: Annotated[Path, given.folder("A folder of sets, or one set: tools, capabilities, train, test.")],
    sets: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Only these sets; several with commas.")] = None,
    days: Annotated[int, typer.Option(min=2, metavar="N", help="Days, each with a training at its end.")] = 10,
    asks: Annotated[int, typer.Option(min=1, metavar="N", help="Intents of a team a day.")] = 40,
    differ: Annotated[
        float, typer.Option(min=0.0, max=1.0, metavar="P", help="Share of tools that one team wants otherwise.")
    ] = 1.0,
    flood: Annotated[
        bool, typer.Option("--flood", help="Somebody asks as often as all teams and always reports one tool.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Of who asks what.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="JSON for programs.")] = False,
) -> None:
    """Play the same days of three teams, one of them with habits of its own, with the teams named and with nobody named."""
    from ..experiments.dataset import Dataset, folders
    from ..experiments.teams import Conditions, Teams, gains
    from . import output

    conditions, found = Conditions(days, asks, differ, flood), dict[str, Any]()
    for folder in folders(data, given.names(sets)):
        dataset = Dataset.load(folder)
        plays = {}
        for named in (False, True):
            output.note(f"{dataset.name}: {days} days with {'the teams named' if named else 'nobody named'}")
            plays[named] = Teams(dataset, conditions, seed).play(lambda named, of=dataset: _opened(of, named, seed), named)  # type: ignore[misc]
        gained = gains(plays[True], plays[False])
        by_day = {team: {"own": _days(plays[True], team), "shared": _days(plays[False], team)} for team in gained}
        found[dataset.name] = {"hit_at_1": gained, "by_day": by_day, "gateway": plays[True].about}
        if not as_json:
            output.write(table(dataset, conditions, by_day), *verdicts(gained))
    if as_json:
        output.write_json({"conditions": vars(conditions), "sets": found})


@contextmanager
def _opened(dataset: "Dataset", named: bool, seed: int) -> "Iterator[_Named]":
    """A ranker over a store in a temporary folder."""
    from ..serving import Ranker

    now = [START]
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/store.db"
        with Ranker.open(url, dataset.catalog, mode="off", seed=seed, clock=lambda: now[0], journal=None) as ranker:
            yield _Named(ranker, now, named)


class _Named:
    """A ranker that is told who asks, or is not."""

    def __init__(self, ranker: "Ranker", now: list[float], named: bool) -> None:
        self._ranker, self._now, self._named = ranker, now, named
        self._teams: dict[str, None] = {}

    def ask(self, team: str, x: "Float32", text: str, k: int) -> tuple[str, Sequence[str]]:
        self._now[0] += 1.0
        self._teams[team] = None
        answer = self._ranker.rank(x, k, text=text, principal=team if self._named else None)
        return answer.decision_id, answer.ids

    def tell(self, decision: str, tools: Sequence[str], outcome: float) -> None:
        self._ranker.feedback(decision, tools=tools, outcome=outcome)
        self._ranker.principals.settle()  # so that a play is the same each time

    def end_of_day(self) -> None:
        while self._ranker.maybe_train() is not None:
            pass
        self._now[0] += DAY

    def about(self) -> dict[str, Any]:
        stats = self._ranker.stats()
        told = {team: self._ranker.principals.about(team) for team in self._teams} if self._named else {}
        return {"serves": stats["model_version"], "held_back": stats["set_aside"]["traces"], "principals": told}


def _days(play: "Play", team: str) -> list[float]:
    return [float(day.mean()) for day in play.hits[team]]


def table(dataset: "Dataset", conditions: "Conditions", by_day: dict[str, dict[str, list[float]]]) -> "Grid":
    """Hit@1 by day, percentages: with the teams named / with nobody named."""
    from .grid import Grid

    flooded = "; somebody floods the gateway" if conditions.flood else ""
    grid = Grid(
        f"{dataset.name}: {len(dataset.catalog.tools)} tools, three teams of {conditions.asks} intents a day{flooded}",
        "Hit@1 in %, teams named / nobody named; the contrary team wants other tools",
    )
    grid.add_column("day", "right")
    for team in by_day:
        grid.add_column(team, "right")
    for day in range(conditions.days):
        cells = [f"{100 * shown['own'][day]:.0f} / {100 * shown['shared'][day]:.0f}" for shown in by_day.values()]
        grid.add_row(str(day + 1), *cells)
    return grid


def verdicts(gained: dict[str, dict[str, float]]) -> list[str]:
    """What names were worth to each team, in a sentence."""
    each = [
        f"{team} {100 * g['own']:.1f} against {100 * g['shared']:.1f} ({100 * g['gain']:+.1f}, {100 * g['low']:+.1f} to {100 * g['high']:+.1f})"
        for team, g in gained.items()
    ]
    return [f"Hit@1 in % over the second half of the days, teams named against nobody named (95 % interval): {'; '.join(each)}"]
