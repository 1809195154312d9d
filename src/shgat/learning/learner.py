"""Learning beside the answers: the most urgent traces of the store to a training child, and what it learned back."""

import contextlib
import logging
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from ..errors import ModelFileError, StoreError
from ..graph import Catalog
from ..model import model_file
from ..model.json_params import for_catalog
from ..shgat import SHGAT
from ..store import Store
from ..store.database import DamagedError
from ..traces import Trace
from ..worker import Child, Result

_log = logging.getLogger("shgat")
MEMORY = Path("/dev/shm")
KEPT = 20  # versions of the parameters in the store, each as large as a model file
SWITCH = 5e-4  # seconds
_PREFIX = "shgat-ranker-"


@dataclass(frozen=True, eq=False)
class Served:
    """What answers requests: immutable, replaced as a whole.

    Attributes
    ----------
    version : "v7" for parameters 7 of the store, or "untrained"
    number : 7, or 0
    model : nobody changes it any more
    trouble : why it is not what it should be, "" where it is
    """

    version: str
    number: int
    model: SHGAT
    trouble: str = ""


@dataclass(frozen=True)
class Plan:
    """How many traces, how often, and whether to begin anew or to go on from the parameters that serve."""

    traces: int
    epochs: int
    from_scratch: bool


@dataclass(frozen=True)
class Training:
    """One training: how many traces, what came of it, seconds from the first to the last step, and the version that it made, or 0."""

    traces: int
    accepted: bool
    reason: str
    seconds: float
    loss: float | None
    accuracy: float
    version: int


class Folder:
    """A folder for arrays on their way to the child and back: in memory where the system has such a place.

    Its name holds the process it belongs to, so that the next one can remove what a killed one left behind.
    """

    def __init__(self) -> None:
        place = MEMORY if os.access(MEMORY, os.W_OK) else Path(tempfile.gettempdir())
        for left in place.glob(f"{_PREFIX}*"):
            owner = left.name.removeprefix(_PREFIX).split("-")[0]
            if owner.isdigit() and not Path(f"/proc/{owner}").exists():
                shutil.rmtree(left, ignore_errors=True)
        self.path = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=place))

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)


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
    user_id : whose parameters
    seed : of the first training; each later one has the next
    """

    def __init__(self, catalog: Catalog, child: Child, user_id: str, seed: int) -> None:
        self._catalog, self._child, self.user_id, self._seed = catalog, child, user_id, seed
        self._folder = Folder()
        self._written: tuple[str, Path] | None = None  # version -> its model file

    def close(self) -> None:
        """Ends the child and removes its files."""
        self._child.close()
        self._folder.remove()

    def warm(self) -> None:
        """Starts the child, so that the first training does not wait for it."""
        self._child.start()

    def newest(self, store: Store) -> Served | None:
        """The active parameters, or the newest version before them that is intact; None where there are none."""
        found = store.latest_parameters(self.user_id)
        if found is None:
            return None
        older = [v.version for v in store.parameter_versions(self.user_id) if v.version < found.version]
        damaged = list(found.damaged)
        for version in [found.version, *reversed(older)]:
            try:
                kept = found if version == found.version else store.parameters(version)
                model = self.model(kept.data, f"parameters version {version}")
            except (ModelFileError, StoreError) as error:
                _log.error("%s", error)
                damaged.append(version)
                continue
            trouble = f"parameters {', '.join(f'v{v}' for v in damaged)} are damaged, v{version} serves" if damaged else ""
            return Served(f"v{version}", version, model, trouble)
        raise DamagedError(f"all {len(damaged)} versions of the parameters are damaged; train anew")

    def model(self, data: bytes, name: str) -> SHGAT:
        """A model of a file's content, over this catalogue, with everything built that its first request would wait for."""
        model = model_file.from_bytes(SHGAT, data, name, self._catalog)
        if model.catalog.fingerprint != self._catalog.fingerprint:
            model = for_catalog(model, self._catalog)
        model.rank(np.ones(self._catalog.dimension, np.float32), 1, text="warm up")
        return model

    def train(self, store: Store, served: Served, plan: Plan) -> tuple[Served, Training | None]:
        """Trains on the most urgent traces and stores what came of it: who is to serve now, and None for a training where no trace is usable.

        The parameters are stored first and the priorities then: whatever is killed in between, the traces are only learned once more.

        Raises
        ------
        WorkerError, StoreError, ModelFileError
            nothing has changed then, and the next training begins anew.
        """
        with _yielding():
            return self._train(store, served, plan)

    def _train(self, store: Store, served: Served, plan: Plan) -> tuple[Served, Training | None]:
        urgent = store.traces_by_priority(plan.traces)
        usable = [t for t in urgent if self._usable(t)]
        useless = [t.id for t in urgent if t.priority is None and not self._usable(t)]
        if useless:
            store.set_priorities(useless, [0.0] * len(useless))
        if not usable:
            return served, None
        trained = self._folder.path / "trained.safetensors"
        result = self._child.train({
            "modelPath": str(self._model_file(served)),
            "examplesPath": str(self._trace_file(usable)),
            "paramsPath": str(trained),
            "config": {"epochs": plan.epochs, "seed": self._seed, "fromScratch": plan.from_scratch},
        })  # fmt: skip
        self._seed += 1
        after = self._take(store, result, trained) if result.changed else served
        store.set_priorities(list(result.td_errors), list(result.td_errors.values()))
        made = after.number if result.changed else 0
        accuracy = result.final_accuracy
        return after, Training(len(usable), result.accepted, result.reason, result.seconds, result.final_loss, accuracy, made)

    def _take(self, store: Store, result: Result, path: Path) -> Served:
        data = path.read_bytes()
        model = self.model(data, "the trained model")
        manifest: dict[str, Any] = {"reason": result.reason, "health": result.health, "traces": len(result.td_errors)}
        number = store.put_parameters(data, manifest, user_id=self.user_id)
        store.prune(keep_parameters=KEPT)
        kept = self._folder.path / "model.safetensors"
        path.replace(kept)
        self._written = f"v{number}", kept
        return Served(f"v{number}", number, model)

    def _usable(self, trace: Trace) -> bool:
        known = self._catalog.tool_column
        tools = [*trace.tools, *trace.context_tools]
        return (
            trace.embedding is not None and bool(trace.tools) and all(t in known for t in tools) and self._knows(trace.capability)
        )

    def _knows(self, capability: str | None) -> bool:
        return capability is None or capability in self._catalog.capability_column

    def _model_file(self, served: Served) -> Path:
        if self._written is None or self._written[0] != served.version or not self._written[1].exists():
            path = self._folder.path / "model.safetensors"
            path.write_bytes(model_file.to_bytes(served.model))
            self._written = served.version, path
        return self._written[1]

    def _trace_file(self, traces: list[Trace]) -> Path:
        path = self._folder.path / "traces.jsonl"
        records = (
            {"id": t.id, "intent": t.intent, "tools": t.tools, "capability": t.capability, "outcome": t.outcome,
             "context_tools": t.context_tools, "timestamp": t.created_at}
            for t in traces
        )  # fmt: skip
        path.write_bytes(b"".join(orjson.dumps(r) + b"\n" for r in records))
        np.save(path.with_suffix(".npy"), np.stack([t.embedding for t in traces if t.embedding is not None]))
        return path
