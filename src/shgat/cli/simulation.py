"""A stream of intents whose preferences drift, against a ranker that learns while it answers, and what came of it."""

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from .sample import SAMPLE

if TYPE_CHECKING:
    import numpy as np

    from ..graph import Catalog
    from ..serving import Ranker
    from ..traces import Trace
    from .grid import Grid

NOISE = 0.3  # of each coordinate of a repeated intent, in units of 1 / sqrt(d)
DRIFTING = 0.3  # share of the tools for which people come to prefer another one
WINDOWS = 12
BAR = 10  # characters of a bar that stands for all intents


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


def table(simulation: Simulation) -> "Grid":
    """The windows so far."""
    from .grid import Grid

    grid = Grid("Hit@1 over time: a ranker that learns beside frozen cosine")
    for name in ("from", "intents", "live", "cosine", "p50 ms", "p99 ms", "model", "preferences"):
        grid.add_column(name, "left" if name in ("live", "model", "preferences") else "right")
    for w in simulation.windows:
        grid.add_row(
            f"{w.start:.1f} s", str(w.intents), f"{100 * w.live:3.0f} % {'█' * round(BAR * w.live)}", f"{100 * w.cosine:.0f} %",
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
