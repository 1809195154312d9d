"""Learning beside the answers: the most urgent traces of the store to a training child, and what it learned back."""

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..drift import kept
from ..errors import ShgatError
from ..graph import Catalog
from ..registry import ServedVersion, Versions
from ..shgat import SHGAT
from ..store import Reason, Store
from ..store.principals import NEED
from ..traces import Trace, write_traces
from ..worker import Child, Result
from .shares import SHARE, Shares
from .spool import Spool

SWITCH = 5e-4  # seconds
BESIDE = 1000  # tools of other catalogues that are learned on, and as many more as the catalogue has
_PAGE = 1000  # traces looked through at once where some cannot be used


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
    spool : where arrays lie on their way to the child
    share : of what is learned from, that one principal may give at most
    """

    def __init__(self, versions: Versions, child: Child, seed: int, spool: Spool | None = None, share: float = SHARE) -> None:
        self.versions, self._child, self._seed, self._share = versions, child, seed, share
        self._spool = Spool() if spool is None else spool
        self._written: tuple[str, Path, str] | None = (
            None  # name of a version -> its model file, of the catalogue with this checksum
        )
        self._trained_on = ""  # checksum of the catalogue that the child has
        self._whole: tuple[str, Catalog, SHGAT] | None = None  # see `_whole_of`

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
        usable = self.urgent(store, plan.traces, served)
        if not usable:
            return served, None
        after, result = self._spool.tried(lambda folder: self._run(store, served, plan, usable, folder))
        self._seed += 1
        store.set_priorities(list(result.td_errors), list(result.td_errors.values()))
        made = after.number if result.changed else 0
        accuracy = result.final_accuracy
        ids = tuple(t.id for t in usable)
        return after, Training(len(usable), result.accepted, result.reason, result.seconds, result.final_loss, accuracy, made, ids)

    def urgent(self, store: Store, n: int, served: ServedVersion | None = None) -> list[Trace]:
        """The n most urgent traces that this catalogue, and what the version that serves knows of others, can learn from. What cannot be used
        is set aside, until a catalogue comes that can; so are those beyond a principal's share, until there is room."""
        user = self.versions.user_id
        catalog = self.versions.catalog if served is None else self._whole_of(store, served).catalog
        shares = Shares.of(store.portions(user), self._share)
        if store.take_back(_Known(catalog, shares), user):
            shares = Shares.of(store.portions(user), self._share)
        some = n
        while True:
            found = store.traces_by_priority(some, user)
            useless = {trace.id: reason for trace in found if (reason := _lack(trace, catalog)) is not None} or shares.over(found)
            if not useless:
                return shares.within(found)[:n]
            store.set_aside(useless)
            shares = Shares.of(store.portions(user), self._share)
            some = max(n, _PAGE)

    def _run(
        self, store: Store, served: ServedVersion, plan: Plan, usable: list[Trace], folder: Path
    ) -> tuple[ServedVersion, Result]:
        trained, examples = folder / "trained.safetensors", folder / "traces.jsonl"
        write_traces(examples, [_embedded(t, store.dimension) for t in usable], store.dimension)
        result = self._child.train({
            "modelPath": str(self._model_file(store, served, folder)),
            "examplesPath": str(examples),
            "paramsPath": str(trained),
            "config": {"epochs": plan.epochs, "seed": self._seed, "fromScratch": plan.from_scratch},
        })  # fmt: skip
        return (self._take(store, served, result, trained, plan) if result.changed else served), result

    def _take(self, store: Store, served: ServedVersion, result: Result, path: Path, plan: Plan) -> ServedVersion:
        manifest: dict[str, Any] = {"reason": result.reason, "health": result.health, "traces": len(result.td_errors)}
        parent = None if plan.from_scratch or not served.number else served.number
        after = self.versions.add(store, path.read_bytes(), manifest, parent=parent, why=result.reason)
        with contextlib.suppress(ShgatError):  # too few traces, or none that can be read: the version serves all the same
            kept.keep(store, after.model.catalog, after.number, store.clock(), user_id=self.versions.user_id)
        file = path.with_name("model.safetensors")
        path.replace(file)
        self._written = after.name, file, self._trained_on
        return after

    def _model_file(self, store: Store, served: ServedVersion, folder: Path) -> Path:
        path, model = folder / "model.safetensors", self._whole_of(store, served)
        self._trained_on = model.catalog.checksum
        if self._written != (served.name, path, self._trained_on) or not path.exists():
            path.write_bytes(model.to_bytes())
            self._written = served.name, path, self._trained_on
        return path

    def _whole_of(self, store: Store, served: ServedVersion) -> SHGAT:
        """The version that serves over its catalogue and those tools beside it that it has learned about, from other gateways or before they
        went: they are learned on, so that they have not been forgotten where they are asked for."""
        mine = self.versions.catalog
        if self._whole is None or self._whole[:2] != (served.name, mine):
            model = served.model
            if served.number:
                with contextlib.suppress(ShgatError):  # as damaged as it may be there, this one serves
                    model = SHGAT.from_bytes(store.model(served.number).data, served.name)
            learned, catalog = model.learned, mine
            if learned is not None:
                known = [t for t in learned.tool_ids if t not in learned.unseen][-BESIDE - len(mine.tools) :]
                catalog = mine.with_those_of(model.catalog, set(known))
            self._whole = served.name, mine, model.over(catalog)
        return self._whole[2]


class _Known:
    """What the needs of traces name: of a catalogue, and principals that there is room for."""

    def __init__(self, catalog: Catalog, shares: Shares) -> None:
        self._kinds, self._shares = {"tool": catalog.tool_column, "capability": catalog.capability_column}, shares

    def __contains__(self, need: object) -> bool:
        kind, _, key = str(need).partition(" ")
        if kind == NEED.strip():
            return self._shares.free(key)
        return key in self._kinds.get(kind, ())


def _lack(trace: Trace, catalog: Catalog) -> Reason | None:
    """Why a trace cannot be learned from over a catalogue; None where it can."""
    if trace.embedding is None and not trace.intent:
        return Reason("it has neither an embedding nor a text")
    if not trace.tools:
        return Reason("it names no tools")
    for tool in (*trace.tools, *trace.context_tools):
        if tool not in catalog.tool_column:
            return Reason(f"the catalogue has no tool {tool!r}", f"tool {tool}")
    if trace.capability is not None and trace.capability not in catalog.capability_column:
        return Reason(f"the catalogue has no capability {trace.capability!r}", f"capability {trace.capability}")
    return None
