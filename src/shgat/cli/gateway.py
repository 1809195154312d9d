"""`shgat gateway simulate`: a stream of intents whose preferences drift, against a ranker that learns while it answers."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import numpy as np
    from rich.table import Table

    from ..graph import Catalog
    from ..serving import Ranker
    from ..traces import Trace

SAMPLE = Path(__file__).parent.parent / "sample"
NOISE = 0.3  # of each coordinate of a repeated intent, in units of 1 / sqrt(d)
DRIFTING = 0.3  # share of the tools for which people come to prefer another one
WINDOWS = 12

app = typer.Typer(name="gateway", help="A gateway in front of many tools.")


@app.callback()
def _group() -> None:
    """A gateway in front of many tools."""


@dataclass
class Window:
    """One stretch of the stream.

    Attributes
    ----------
    start : seconds since the beginning
    live, cosine : hits at rank 1, as shares of the intents
    p50_ms, p99_ms : of the answers
    version : of the model at the end
    drifted : had preferences drifted already?
    """

    start: float
    intents: int = 0
    live: float = 0.0
    cosine: float = 0.0
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    version: str = ""
    drifted: bool = False


@dataclass
class Simulation:
    """What happened; latencies in seconds, apart for answers while a training was under way."""

    windows: list[Window] = field(default_factory=list)
    idle: list[float] = field(default_factory=list)
    training: list[float] = field(default_factory=list)
    stats: dict[str, Any] = field(default_factory=dict)

    def summary(self) -> dict[str, Any]:
        """As JSON values."""
        after = [w for w in self.windows if w.drifted]
        last = [self.windows[-1]] if self.windows else []
        return {
            "intents": sum(w.intents for w in self.windows),
            "hit_at_1": {"live": _mean(self.windows, "live"), "cosine": _mean(self.windows, "cosine")},
            "hit_at_1_after_drift": {"live": _mean(after, "live"), "cosine": _mean(after, "cosine")},
            "hit_at_1_at_the_end": {"live": _mean(last, "live"), "cosine": _mean(last, "cosine")},
            "latency_ms": {"idle": _percentiles(self.idle), "while_training": _percentiles(self.training)},
            "trainings": self.stats.get("trainings", {}),
            "model_version": self.stats.get("model_version"),
            "windows": [asdict(w) for w in self.windows],
        }


@app.command()
def simulate(
    seconds: Annotated[float, typer.Option(metavar="S", help="How long.")] = 20.0,
    rate: Annotated[float, typer.Option(metavar="N", help="Intents a second.")] = 60.0,
    url: Annotated[str | None, typer.Option(help="Of a store to keep; without one, a temporary one.")] = None,
    seed: Annotated[int, typer.Option(help="Of intents and drift.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="JSON for programs.")] = False,
) -> None:
    """Serve a stream of intents whose preferences drift halfway, learn from it live, and compare with frozen cosine."""
    from rich.console import Console
    from rich.live import Live

    from .. import _check
    from ..graph import Catalog
    from ..serving import Ranker
    from . import output

    _check.number(seconds, 0.5, 3600.0, "--seconds")
    _check.number(rate, 1.0, 1e5, "--rate")
    simulation = Simulation()
    with tempfile.TemporaryDirectory() as folder:
        catalog = Catalog.load(SAMPLE)
        console = Console(stderr=True)
        live = (
            Live(table(simulation), console=console, refresh_per_second=4) if not as_json and console.is_terminal else nullcontext()
        )
        with Ranker.open(url or f"sqlite:///{folder}/store.db", catalog, debounce=0.2, seed=seed) as ranker, live as view:
            for _ in run(simulation, ranker, catalog, seconds, rate, seed):
                if view is not None:
                    view.update(table(simulation))
            simulation.stats = ranker.stats()
    if as_json:
        output.write_json(simulation.summary())
        return
    figures = simulation.summary()
    idle, busy = figures["latency_ms"]["idle"], figures["latency_ms"]["while_training"]
    hits = figures["hit_at_1_at_the_end"]
    output.write(
        table(simulation),
        f"Hit@1 at the end: live {100 * hits['live']:.1f} %, frozen cosine {100 * hits['cosine']:.1f} %; trainings {figures['trainings']}",
        f"ms an answer: p50 {idle['p50']:.2f}, p99 {idle['p99']:.2f} idle; p50 {busy['p50']:.2f}, p99 {busy['p99']:.2f} while training",
    )


def run(simulation: Simulation, ranker: "Ranker", catalog: "Catalog", seconds: float, rate: float, seed: int) -> Iterator[None]:
    """Plays the stream in real time; yields at the end of each window."""
    import numpy as np

    from . import traces as sources
    from .demo import cosine_order

    pool = [i for name in ("train", "test") for i in sources.read_all(SAMPLE / f"{name}.jsonl") if i.tools]
    rng = np.random.default_rng(seed)
    moved = drift(catalog, rng)
    began = time.perf_counter()
    length, n = seconds / WINDOWS, 0
    for w in range(WINDOWS):
        window = Window(w * length, drifted=w >= WINDOWS // 2)
        simulation.windows.append(window)
        latencies: list[float] = []
        while time.perf_counter() - began < (w + 1) * length:
            intent = _heard(pool[int(rng.integers(len(pool)))], rng)
            wanted = [moved[t] if window.drifted else t for t in intent.tools]
            asked, busy = time.perf_counter(), ranker.training
            answer = ranker.rank(intent.embedding, 5, text=intent.intent)
            took = time.perf_counter() - asked
            (simulation.training if busy or ranker.training else simulation.idle).append(took)
            latencies.append(took)
            window.intents += 1
            window.live += ((answer.ids[0] in wanted) - window.live) / window.intents
            window.cosine += ((cosine_order(catalog, [intent], 1)[0][0] in wanted) - window.cosine) / window.intents
            ranker.feedback(answer.decision_id, tools=wanted, outcome=1.0)
            n += 1
            time.sleep(max(0.0, n / rate - (time.perf_counter() - began)))
        figures = _percentiles(latencies)
        window.p50_ms, window.p99_ms, window.version = figures["p50"], figures["p99"], ranker.model_version
        yield


def drift(catalog: "Catalog", rng: "np.random.Generator") -> dict[str, str]:
    """What people come to use instead of each tool: for some, another tool of the same server."""
    moved = {t.id: t.id for t in catalog.tools}
    for tool in catalog.tools:
        others = [t.id for t in catalog.tools if t.server == tool.server and t.id != tool.id]
        if others and rng.random() < DRIFTING:
            moved[tool.id] = others[int(rng.integers(len(others)))]
    return moved


def table(simulation: Simulation) -> "Table":
    """The windows so far."""
    from rich.table import Table

    grid = Table(title="Hit@1 over time: a ranker that learns beside frozen cosine", title_justify="left")
    for name in ("from", "intents", "live", "", "cosine", "p50 ms", "p99 ms", "model", "preferences"):
        grid.add_column(name, justify="left" if name in ("", "model", "preferences") else "right")
    for w in simulation.windows:
        grid.add_row(
            f"{w.start:.0f} s", str(w.intents), f"{100 * w.live:.0f} %", "█" * round(20 * w.live), f"{100 * w.cosine:.0f} %",
            f"{w.p50_ms:.2f}", f"{w.p99_ms:.2f}", w.version, "drifted" if w.drifted else "",
        )  # fmt: skip
    return grid


def _heard(intent: "Trace", rng: "np.random.Generator") -> "Trace":
    """The intent said a little differently."""
    x = intent.embedding
    assert x is not None
    return replace(intent, embedding=x + rng.standard_normal(len(x), "f4") * (NOISE / len(x) ** 0.5))


def _mean(windows: list[Window], name: str) -> float:
    total = sum(w.intents for w in windows)
    return sum(getattr(w, name) * w.intents for w in windows) / total if total else 0.0


def _percentiles(seconds: list[float]) -> dict[str, float]:
    import numpy as np

    p50, p99 = (1000 * np.percentile(seconds, (50, 99))).tolist() if seconds else (0.0, 0.0)
    return {"p50": p50, "p99": p99, "n": len(seconds)}
