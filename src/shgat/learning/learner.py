"""Learning beside the answers: the most urgent traces of the store to a training child, and what it learned back."""

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..registry import ServedVersion, Versions
from ..store import Store
from ..traces import Trace, write_traces
from ..worker import Child, Result
from .spool import Spool

SWITCH = 5e-4  # seconds


@dataclass(frozen=True)
class Plan:
    """How many traces, how often, and whether to begin anew or to go on from the version that serves."""

    traces: int
    epochs: int
    from_scratch: bool


@dataclass(frozen=True)
class Training:
    """One training: how many traces, what came of it, seconds from the first to the last step, and the version that it made, or 0.

    `ids` : of the traces
    """

    traces: int
    accepted: bool
    reason: str
    seconds: float
    loss: float | None
    accuracy: float
    version: int
    ids: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """As JSON values, without the ids."""
        return {name: value for name, value in vars(self).items() if name != "ids"}


def _embedded(trace: Trace, dimension: int) -> Trace:
    """With the zero embedding where it has none: it is remembered by its words, and teaches no parameters."""
    return trace if trace.embedding is not None else replace(trace, embedding=np.zeros(dimension, np.float32))


@contextlib.contextmanager
def _yielding() -> Iterator[None]:
    """Lets other threads have the interpreter sooner than after the usual 5 ms while this one reads a model and builds its index."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(min(before, SWITCH))
    try:
        yield
    finally:
        sys.setswitchinterval(before)


class Learner:
    """One training after another.

    Parameters
    ----------
    versions : where what was learned goes
    seed : of the first training; each later one has the next
    """

    def __init__(self, versions: Versions, child: Child, seed: int) -> None:
        self.versions, self._child, self._seed = versions, child, seed
        self._spool = Spool()
        self._written: tuple[str, Path] | None = None  # name of a version -> its model file

    def close(self) -> None:
        """Ends the child and removes its files."""
        self._child.close()
        self._spool.remove()

    def warm(self) -> None:
        """Starts the child, so that the first training does not wait for it."""
        self._child.start()

    def train(self, store: Store, served: ServedVersion, plan: Plan) -> tuple[ServedVersion, Training | None]:
        """Trains on the most urgent traces and stores what came of it: who is to serve now, and None for a training where no trace is usable.

        The model is stored first and the priorities then: whatever is killed in between, the traces are only learned once more.

        Raises
        ------
        WorkerError, StoreError, ModelFileError
            nothing has changed then, and the next training begins anew.
        """
        with _yielding():
            return self._train(store, served, plan)

    def _train(self, store: Store, served: ServedVersion, plan: Plan) -> tuple[ServedVersion, Training | None]:
        urgent = store.traces_by_priority(plan.traces)
        usable = [t for t in urgent if self._usable(t)]
        useless = [t.id for t in urgent if t.priority is None and not self._usable(t)]
        if useless:
            store.set_priorities(useless, [0.0] * len(useless))
        if not usable:
            return served, None
        trained, examples = self._spool.path / "trained.safetensors", self._spool.path / "traces.jsonl"
        write_traces(examples, [_embedded(t, store.dimension) for t in usable], store.dimension)
        result = self._child.train({
            "modelPath": str(self._model_file(served)),
            "examplesPath": str(examples),
            "paramsPath": str(trained),
            "config": {"epochs": plan.epochs, "seed": self._seed, "fromScratch": plan.from_scratch},
        })  # fmt: skip
        self._seed += 1
        after = self._take(store, result, trained) if result.changed else served
        store.set_priorities(list(result.td_errors), list(result.td_errors.values()))
        made = after.number if result.changed else 0
        accuracy = result.final_accuracy
        ids = tuple(t.id for t in usable)
        return after, Training(len(usable), result.accepted, result.reason, result.seconds, result.final_loss, accuracy, made, ids)

    def _take(self, store: Store, result: Result, path: Path) -> ServedVersion:
        manifest: dict[str, Any] = {"reason": result.reason, "health": result.health, "traces": len(result.td_errors)}
        after = self.versions.add(store, path.read_bytes(), manifest)
        kept = self._spool.path / "model.safetensors"
        path.replace(kept)
        self._written = after.name, kept
        return after

    def _usable(self, trace: Trace) -> bool:
        catalog = self.versions.catalog
        known = all(t in catalog.tool_column for t in (*trace.tools, *trace.context_tools))
        named = trace.capability is None or trace.capability in catalog.capability_column
        return (trace.embedding is not None or bool(trace.intent)) and bool(trace.tools) and known and named

    def _model_file(self, served: ServedVersion) -> Path:
        if self._written is None or self._written[0] != served.name or not self._written[1].exists():
            path = self._spool.path / "model.safetensors"
            path.write_bytes(served.model.to_bytes())
            self._written = served.name, path
        return self._written[1]
