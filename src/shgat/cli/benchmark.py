"""`shgat benchmark`: SHGAT beside plain methods on the same data, embeddings, split and metrics; of all traces, or of a stream of feedback.

And encoders beside each other.
"""

import math
import sys
from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import given
from .drift import benchmark as drift
from .progressive import benchmark as progressive
from .stream import stream
from .td import benchmark as td
from .teams import teams

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..experiments.dataset import Dataset
    from ..experiments.quality import Result
    from ..training import Epoch
    from .grid import Grid

app = typer.Typer(help="Compare with plain methods.", rich_markup_mode=None)

FIRST = ("shgat", "cosine", "bm25", "rrf", "knn", "tool2vec", "linear_adapter")


@app.callback()
def _benchmark() -> None:
    """Compare with plain methods."""


@app.command(short_help="SHGAT beside plain methods on the same data.")
def quality(
    data: Annotated[Path, given.folder("A folder of sets, or one set: tools, capabilities, train, test.")],
    sets: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Only these sets; several with commas.")] = None,
    seeds: Annotated[int, typer.Option(min=1, metavar="N", help="Trainings of each method, with seeds 0 to N - 1.")] = 3,
    traces: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Learn from N traces, drawn at random.  [default: all]")
    ] = None,
    ablations: Annotated[bool, typer.Option("--ablations", help="Also SHGAT with parts taken out.")] = False,
    peers: Annotated[bool, typer.Option("--peers", help="Also callbus, which learns too; needs the extra peers.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON for programs.")] = False,
) -> None:
    """Rank the test intents of each set by SHGAT, trained with its defaults, and by plain methods."""
    from ..experiments.dataset import Dataset, folders, strangers
    from ..experiments.quality import UNTRAINED
    from . import output

    found: dict[str, Any] = {}
    outside = strangers(folders(data))
    for folder in folders(data, given.names(sets)):
        dataset = Dataset.load(folder).among(outside)
        if traces is not None:
            dataset = dataset.with_traces(traces)
        results = measure(dataset, seeds, ablations, peers)
        if as_json:
            against = {name: results[name] for name in UNTRAINED}
            found[dataset.name] = {name: r.to_dict({} if name in against else against) for name, r in results.items()}
        else:
            output.write(*tables(dataset, results))
    if as_json:
        output.write_json({"sets": found})


@app.command(short_help="Encoders beside each other: quality and time.")
def encoders(
    data: Annotated[Path, given.folder("A folder of sets, or one set: tools, capabilities, train, test.")],
    sets: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Only these sets; several with commas.")] = None,
    encoder: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Instead of those at hand, as `shgat embed` takes it; may be repeated.")
    ] = None,
    feedbacks: Annotated[int, typer.Option(min=0, metavar="N", help="Traces to learn from; 0: none.")] = 200,
    as_json: Annotated[bool, typer.Option("--json", help="JSON for programs.")] = False,
) -> None:
    """Rank the test intents of each set from their texts: by words, by the embeddings it brings, and by each encoder."""
    from ..experiments.dataset import Dataset, folders
    from ..experiments.encoders import at_hand, measured
    from ..features import open_encoder
    from . import output

    chosen = {name: open_encoder(name) for name in encoder} if encoder else at_hand()
    found: dict[str, dict[str, tuple[float, float]]] = {}
    places = folders(data, given.names(sets))
    for folder in places:
        dataset = Dataset.load(folder)
        for row in measured(dataset, chosen, feedbacks):
            found.setdefault(row.way, {})[dataset.name] = (row.recall, row.milliseconds)
            output.note(f"{dataset.name}: {row.way}: Recall@5 {100 * row.recall:.1f}")
    if as_json:
        rows = {
            w: {n: {"recall@5": r, "ms": None if math.isnan(t) else t} for n, (r, t) in per.items()} for w, per in found.items()
        }
        output.write_json({"sets": [f.name for f in places], "encoders": {n: e.id for n, e in chosen.items()}, "ways": rows})
        return
    output.write(encoder_table([f.name for f in places], found))


def encoder_table(sets: list[str], found: "Mapping[str, Mapping[str, tuple[float, float]]]") -> "Grid":
    """Recall@5 of each way on each set and their mean, percentages."""
    from .grid import Grid

    grid = Grid("Recall@5, %", "ms: processor time of one intent from text to vector, median")
    grid.add_column("way")
    for name in (*sets, "mean", "ms"):
        grid.add_column(name, "right")
    for way, per in found.items():
        recalls, spent = zip(*(per[name] for name in sets), strict=True)
        times = [t for t in spent if not math.isnan(t)]
        last = f"{sum(times) / len(times):.2f}" if times else "-"
        grid.add_row(way, *(f"{100 * r:.1f}" for r in recalls), f"{100 * sum(recalls) / len(recalls):.1f}", last)
    return grid


app.command(short_help="How fast it learns from a stream of feedback.")(stream)
app.command("drift", short_help="False alarms and power of the tests of drift.")(drift)
app.command("td", short_help="TD(lambda) on textbook problems.")(td)
app.command("progressive", short_help="Reading, storing, killing, merging: the bars.")(progressive)
app.command(short_help="What it is worth to teams that they are told apart.")(teams)


def measure(dataset: "Dataset", seeds: int, ablations: bool, peers: bool = False) -> "dict[str, Result]":
    """Every method on one set, in the order in which they are shown; says on stderr how far it is."""
    from ..experiments.quality import Result, Run, measured
    from . import output

    runs: dict[str, list[Run]] = {name: [] for name in FIRST}
    with _status(dataset.name) as on_epoch:
        for name, run in measured(dataset, range(seeds), ablations, on_epoch, peers):
            runs.setdefault(name, []).append(run)
            one = Result([run], dataset.cold)
            figures = f"Recall@5 {100 * one.mean('recall@5'):.1f}, COMP@5 {100 * one.mean('comp@5'):.1f}"
            trained = f", seed {run.seed}, {run.seconds:.1f} s" if run.seconds else ""
            refused = "" if run.about.get("accepted", True) else f"; not handed out: {run.about['reason']}"
            output.note(f"{dataset.name}: {name}{trained}: {figures}{refused}")
    return {name: Result(rows, dataset.cold) for name, rows in runs.items()}


def tables(dataset: "Dataset", results: "Mapping[str, Result]") -> "list[Grid]":
    """All test intents with intervals, and warm and cold ones apart; percentages."""
    from .grid import Grid

    cold = int(dataset.cold.sum())
    n = len(dataset.cold)
    title = f"{dataset.name}: {len(dataset.catalog.tools)} tools, {len(dataset.train)} traces, {n} test intents"
    unit = "%, in brackets 95 % intervals over intents"
    whole = Grid(title, f"{unit}; s: processor time of one training")
    title = f"{dataset.name}: {n - cold} warm and {cold} cold intents, which need a tool without a training trace"
    apart = Grid(title, unit)
    whole.add_column("method")
    apart.add_column("method")
    for column in ("Recall@5", "COMP@5", "COMP@3", "NDCG@5", "MRR", "s"):
        whole.add_column(column, "right")
    for column in ("warm Recall@5", "warm COMP@5", "cold Recall@5", "cold COMP@5"):
        apart.add_column(column, "right")
    for name, result in results.items():
        plain = [f"{100 * result.mean(metric):.1f}" for metric in ("comp@3", "ndcg@5", "mrr")]
        seconds = f"{result.seconds:.1f}" if result.seconds else "-"
        whole.add_row(name, _cell(result, "recall@5"), _cell(result, "comp@5"), *plain, seconds)
        apart.add_row(name, *(_cell(result, metric, part) for part in ("warm", "cold") for metric in ("recall@5", "comp@5")))
    trust = confidences(dataset, results)
    return [whole, *([apart] if 0 < cold < n else []), *([trust] if trust.rows else [])]


def confidences(dataset: "Dataset", results: "Mapping[str, Result]") -> "Grid":
    """Calibration error of what was trained, and whether low best scores tell intents of other sets; means over seeds."""
    from ..experiments.confidence import summary
    from .grid import Grid

    about = (
        "ECE: of the first ten tools, in brackets what chance alone gives; AUROC: of the best score, against intents of other sets"
    )
    grid = Grid(f"{dataset.name}: probabilities, and intents that no tool fits", f"%; {about}")
    for column in ("method", "ECE", "warm", "cold", "AUROC", "worst"):
        grid.add_column(column, "left" if column == "method" else "right")
    for name, result in results.items():
        cells = [_mean_of(result, "calibration", part) for part in ("all", "warm", "cold")]
        areas = [summary(run.about["abstention"]) for run in result.runs if "abstention" in run.about]
        for key in ("mean", "worst"):
            cells.append(f"{100 * sum(area[key] for area in areas) / len(areas):.1f}" if areas else "-")
        if set(cells) != {"-"}:
            grid.add_row(name, *cells)
    return grid


def _mean_of(result: "Result", key: str, part: str) -> str:
    found = [run.about[key][part] for run in result.runs if part in run.about.get(key, {})]
    if not found:
        return "-"
    return " ".join(
        form.format(100 * sum(f[name] for f in found) / len(found)) for name, form in (("ece", "{:.1f}"), ("chance", "[{:.1f}]"))
    )


def _cell(result: "Result", metric: str, part: str = "all") -> str:
    low, high = result.interval(metric, part)
    return f"{100 * result.mean(metric, part):.1f} [{100 * low:.1f}, {100 * high:.1f}]"


@contextmanager
def _status(name: str) -> "Iterator[Callable[[Epoch], None] | None]":
    """A line that moves on a terminal, and nothing where stderr is none."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console

    with Console(stderr=True, markup=False).status(name) as status:
        yield lambda e: status.update(f"{name}: {e.stage}, epoch {e.number} of {e.of}, loss {e.loss:.3f}")
