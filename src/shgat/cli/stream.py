"""`shgat benchmark stream`: how fast a ranker learns beside a gateway, from what comes of its own answers."""

import math
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import given

if TYPE_CHECKING:
    from .._types import Float32
    from ..experiments.curves import Curves, Look, Served
    from ..experiments.dataset import Dataset
    from ..experiments.stream import Conditions, Stream
    from ..graph import Catalog
    from ..serving import Ranker
    from .grid import Grid

START = 1.7e9  # seconds since 1970
PAUSE = 60.0  # seconds between two intents
NAMES = {"shgat": "SHGAT", "cosine": "cosine", "knn": "kNN", "linear_adapter": "adapter", "full_labels": "full labels"}


def stream(
    data: Annotated[Path, given.folder("A folder of sets, or one set: tools, capabilities, train, test.")],
    sets: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Only these sets; several with commas.")] = None,
    seeds: Annotated[int, typer.Option(min=1, metavar="N", help="Streams, with seeds 0 to N - 1.")] = 1,
    limit: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Feedbacks of a stream.  [default: one to each training intent]")
    ] = None,
    every: Annotated[int, typer.Option(min=1, metavar="N", help="Feedbacks between two trainings.")] = 10,
    wrong: Annotated[float, typer.Option(min=0.0, max=1.0, metavar="P", help="Share of feedbacks that report a wrong tool.")] = 0.0,
    explore: Annotated[
        float, typer.Option(min=0.0, max=1.0, metavar="P", help="Share of answers with chance in places 6 to 10.")
    ] = 0.0,
    drift: Annotated[bool, typer.Option("--drift", help="Preferences change half way.")] = False,
    churn: Annotated[bool, typer.Option("--churn", help="Tools arrive and leave half way.")] = False,
    shuffled: Annotated[bool, typer.Option("--shuffled", help="Report what worked for another intent.")] = False,
    chart: Annotated[Path | None, typer.Option("--plot", metavar="FILE.svg", help="A picture of the curves.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON for programs.")] = False,
) -> None:
    """Ask the training intents of each set one by one, report what worked of ten shown tools, learn live, and rank the test intents."""
    from ..experiments.dataset import Dataset, folders
    from ..experiments.stream import Conditions
    from . import output

    given.writable(chart, "--plot")
    if chart is not None:
        from ..reports.figures import draw_curves

        if chart.suffix != ".svg":
            raise given.WrongUsage(f"--plot {chart}: the name of an SVG file, with .svg at its end")
        draw_curves({})  # is there what it takes? Asked before the work
    conditions = Conditions(wrong, drift, churn, explore, shuffled, limit, every)
    found: dict[str, Curves] = {}
    for folder in folders(data, given.names(sets)):
        dataset = Dataset.load(folder)
        found[dataset.name] = curves = measure(dataset, conditions, seeds)
        if not as_json:
            output.write(table(dataset, curves), *verdict(curves))
    if chart is not None:
        from .plot import write_svg

        write_svg(chart, draw_curves({name: (c.feedbacks, {NAMES[m]: c.mean(m) for m in NAMES}) for name, c in found.items()}))
    if as_json:
        output.write_json({"conditions": vars(conditions), "sets": {name: curves.to_dict() for name, curves in found.items()}})


def measure(dataset: "Dataset", conditions: "Conditions", seeds: int) -> "Curves":
    """The streams of one set; says on stderr how far it is."""
    from ..experiments.curves import Curves
    from ..experiments.stream import Stream
    from . import output

    streams: list[list[Look]] = []
    served: list[list[Served]] = []
    for seed in range(seeds):
        one_of_many = Stream(dataset, conditions, seed)
        streams.append([])
        served.append(one_of_many.served)
        for look in played(one_of_many):
            streams[-1].append(look)
            one = Curves([[look]])
            figures = ", ".join(f"{NAMES[m]} {100 * one.mean(m)[0]:.1f}" for m in look.methods)
            output.note(f"{dataset.name}, seed {seed}, {look.feedbacks} feedbacks: Recall@5 {figures}; {look.about['serves']}")
    return Curves(streams, served)


def played(one: "Stream") -> "Iterator[Look]":
    """A stream past rankers over one store in a temporary folder, which ends with it."""
    from ..serving import Ranker

    clock = _Clock()
    with tempfile.TemporaryDirectory() as folder:

        @contextmanager
        def opened(catalog: "Catalog") -> "Iterator[_Live]":
            url = f"sqlite:///{folder}/store.db"
            with Ranker.open(url, catalog, mode="off", seed=one.seed, clock=clock, journal=None) as ranker:
                yield _Live(ranker, clock)

        yield from one.play(opened)


class _Clock:
    """Seconds since 1970 that go on when they are told to."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


class _Live:
    """A ranker that trains when it is told to, by the rules by which it would train beside a gateway."""

    def __init__(self, ranker: "Ranker", clock: _Clock) -> None:
        self._ranker, self._clock = ranker, clock
        self._versions: list[dict[str, Any]] = []

    def ask(self, x: "Float32", text: str, k: int) -> tuple[str, Sequence[str]]:
        self._clock.now += PAUSE
        answer = self._ranker.rank(x, k, text=text)
        return answer.decision_id, answer.ids

    def tell(self, decision: str, tools: Sequence[str], outcome: float) -> None:
        self._ranker.feedback(decision, tools=tools, outcome=outcome)

    def learn(self) -> None:
        while (training := self._ranker.maybe_train()) is not None:
            self._versions.append(training.to_dict())

    def scores(self, x: "Float32", texts: Sequence[str]) -> "Float32":
        return self._ranker.slots.production.model.score(x, texts=texts)

    @property
    def serves(self) -> str:
        return self._ranker.model_version

    def about(self) -> dict[str, Any]:
        trainings, self._versions = self._versions, []
        stats = self._ranker.stats()
        return {"serves": self.serves, "doubted": stats["doubted"], "trainings": trainings, "trouble": stats["trouble"]}


def table(dataset: "Dataset", curves: "Curves") -> "Grid":
    """By number of feedbacks, percentages."""
    from .grid import Grid

    n = len(curves.streams)
    title = f"{dataset.name}: {len(dataset.catalog.tools)} tools, {len(dataset.test)} test intents"
    of = f"mean of {n} streams" if n > 1 else "one stream"
    grid = Grid(title, f"Recall@5 / COMP@5 in %, {of}; way: from cosine to the full labels of the whole stream, by Recall@5")
    grid.add_column("feedbacks", "right")
    for name in (*NAMES.values(), "way"):
        grid.add_column(name, "right")
    cells = {name: zip(curves.mean(name), curves.mean(name, "comp@5"), strict=True) for name in NAMES}
    shown = {
        name: [f"{100 * r:.1f} / {100 * c:.1f}" if math.isfinite(r) else "" for r, c in values] for name, values in cells.items()
    }
    for i, (feedbacks, way) in enumerate(zip(curves.feedbacks, curves.way(), strict=True)):
        grid.add_row(str(feedbacks), *(shown[name][i] for name in NAMES), _percent(way))
    return grid


def verdict(curves: "Curves") -> list[str]:
    """How far it came, in a sentence."""
    whole, same, n = curves.way(), curves.way(of_same=True), curves.feedbacks
    at = [i for i, feedbacks in enumerate(n) if feedbacks == 200 or i == len(n) - 1]
    far = [f"{_percent(whole[i])} after {n[i]} ({_percent(same[i])} with the labels of the same intents)" for i in at]
    said = [f"Of the way from cosine to full labels: {'; '.join(far)}. Mean Recall@5 on the way: {100 * curves.area():.1f} %"]
    if (worst := curves.worst) is not None:
        versions = sum(map(len, curves.served))
        gain = f"{100 * worst.gain:+.1f} ± {100 * worst.error:.1f} points after {worst.feedbacks} feedbacks"
        said.append(f"{versions} versions served. The worst of them beside cosine: Recall@5 {gain}")
    return said


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if math.isfinite(share) else "-"
