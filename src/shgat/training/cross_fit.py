"""Cross-fitting: every held-out trace is scored by a model that was not trained on it."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from .._types import Bool, Float32, Int64
from ..executor import Executor, Shared
from ..graph import Incidence
from ..model import ModelState
from ..model.calibration import CLOSEST
from ..model.channels import CHANNELS
from ..traces import Traces
from .apart import Ground, Predicted, Stage, held_out, predict, scored
from .checkpoint import Checkpoint
from .config import TrainingConfig
from .examples import Examples
from .fusion import HeldOut
from .selection import Candidate, Variant
from .trainer import Epoch, Trainer
from .validation import Held, cold_share, popularity, unseen_tools

TRAINED = ("semantic", "route")  # channels that differ between two models over the same traces
_NO_LOGITS = np.zeros((0, 0), np.float32), np.zeros((0, 0), np.float32)


@dataclass(frozen=True)
class Folds:
    """How traces are held out.

    Attributes
    ----------
    few, some : folds for fewer than 200 and for fewer than 3000 traces; more have one
    largest : traces held out where there is one fold
    cold_share : share of held-out traces that should need a tool without training traces; whole tools are held out until it is reached
    largest_tool : share of the training traces, and of the held-out ones, that a tool which is held out may have
    """

    few: int = 5
    some: int = 3
    largest: int = 1000
    cold_share: float = 0.10
    largest_tool: float = 0.2

    def split(self, traces: Traces, n_tools: int, rng: np.random.Generator) -> list[tuple[Int64, Int64]]:
        """(training rows, held-out rows) of each fold. With time stamps on all traces a fold is a stretch of time; one fold is the latest."""
        n = len(traces)
        timed = n > 0 and not np.isnan(traces.timestamp).any() and len(np.unique(traces.timestamp)) > n // 2
        order = np.argsort(-traces.timestamp, kind="stable") if timed else rng.permutation(n)
        k = self.few if n < 200 else self.some if n < 3000 else 1
        parts = np.array_split(order, k) if k > 1 else [order[: self.largest]]
        used = np.bincount(traces.tools.indices, minlength=n_tools) > 0
        deck = [t for t in rng.permutation(n_tools).tolist() if used[t]]
        return [self._with_cold(traces.tools, order, part, deck, n_tools, rng) for part in parts]

    def _with_cold(
        self, tools: Incidence, order: Int64, part: Int64, deck: list[int], n_tools: int, rng: np.random.Generator
    ) -> tuple[Int64, Int64]:
        """Holds out whole tools from the deck, at most 5 % of all, until enough held-out traces need a tool without training traces."""
        training = np.setdiff1d(order, part)
        by_tool = tools.transpose(n_tools)
        extra: list[int] = []
        wanted, taken = self.cold_share * len(part), 0
        while deck and taken < max(1, n_tools // 20) and _cold(tools, training, part, n_tools).sum() + len(extra) < wanted:
            mine = by_tool.row(deck.pop())
            gone = np.intersect1d(mine, training)
            if max(len(gone) / len(training), len(np.intersect1d(mine, part)) / len(part)) > self.largest_tool:
                continue  # what most traces want cannot be held out: nothing would be left to learn from, or to be warm
            taken += 1
            training = np.setdiff1d(training, gone)
            extra += rng.permutation(gone)[: max(1, self.largest // 10)].tolist()
        return training, np.concatenate([part, np.array(extra, np.int64)])


@dataclass(eq=False)
class Runs:
    """The trainings of one call of `fit`.

    Attributes
    ----------
    state : the model that is to learn; its parameters are not looked at
    examples, settings, seed : what is trained on, and how
    on_epoch : called after each epoch of each run
    checkpoint : keeps the state of runs, or None
    most : how many runs there may be
    executor : where trainings that need nothing of each other are done, None for here, one after the other
    seconds, epochs : by stage, and of all runs so far
    """

    state: ModelState
    examples: Examples
    settings: TrainingConfig
    seed: int
    on_epoch: Callable[[Epoch], None] | None
    checkpoint: Checkpoint | None
    most: int
    executor: Executor | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    epochs: list[Epoch] = field(default_factory=list)
    _begun: int = 0
    _apart: dict[str, Predicted] = field(default_factory=dict)

    @cached_property
    def _ground(self) -> Ground:
        state = self.state
        return Ground(self.examples, state.cooccurrence, state.config, self.settings, self.seed, self.most)

    @cached_property
    def _shared(self) -> Shared[Ground]:
        assert self.executor is not None
        return self.executor.share(self._ground)

    def train(self, stage: str, variant: Variant, rows: Int64, held: Held | None = None) -> Trainer:
        """One training on the traces `rows`, validated on `held`; goes on from the checkpoint where that has begun the stage."""
        began, kept = time.perf_counter(), self.checkpoint
        number = self._number() if held is not None else self.most
        trainer = self._ground.trainer(stage, number, variant, rows, held, self.on_epoch)
        if kept is not None:
            kept.restore(stage, trainer)
        trainer.run(None if kept is None else lambda progress: kept.save(stage, progress))
        self._note(stage, time.perf_counter() - began, trainer.progress.history)
        return trainer

    def ahead(self, stages: Sequence[tuple[str, Variant, Int64, Int64]]) -> None:
        """Does trainings at once, (name, variant, training rows, held-out rows) each, where there is an executor of several jobs.

        A stage that a checkpoint has begun begins anew: it comes to the same.
        """
        if self.executor is None or self.executor.jobs == 1:
            return
        new = [s for s in stages if s[0] not in self._apart and (self.checkpoint is None or not self.checkpoint.has_finished(s[0]))]
        wanted = [Stage(name, self._number(), variant, rows, held) for name, variant, rows, held in new]
        reached = dict[str, int]()

        def tell(_number: int, epoch: Epoch) -> None:
            if self.on_epoch is not None and epoch.number > reached.get(epoch.stage, 0):  # work done anew says it again
                reached[epoch.stage] = epoch.number
                self.on_epoch(epoch)

        for stage, found in zip(wanted, self.executor.map(predict, self._shared, wanted, tell), strict=True):
            self._apart[stage.name] = found
            if self.checkpoint is not None:
                self.checkpoint.finish(stage.name, {"tools": found.tools, "capabilities": found.capabilities}, found.history)
                self.checkpoint.write()

    def predict(self, stage: str, variant: Variant, rows: Int64, held: Held) -> tuple[Float32, Float32]:
        """Logits of tools and capabilities for the held-out traces after such a training, or those that are there already."""
        n, catalog = len(held.rows), self.state.catalog
        if found := self._apart.pop(stage, None):
            self._note(stage, found.seconds, found.history)
            return found.tools, found.capabilities
        shapes = {"tools": (n, len(catalog.tools)), "capabilities": (n, len(catalog.capabilities))}
        done = None if self.checkpoint is None else self.checkpoint.finished(stage, shapes)
        if done is not None:
            self._number()
            self._note(stage, 0.0, done[1])
            return done[0]["tools"], done[0]["capabilities"]
        trainer = self.train(stage, variant, rows, held)
        z = scored(trainer, held)
        if self.checkpoint is not None:
            self.checkpoint.finish(stage, {"tools": z[0], "capabilities": z[1]}, trainer.progress.history)
        return z

    def _number(self) -> int:
        self._begun += 1
        return self._begun

    def _note(self, stage: str, seconds: float, history: list[Epoch]) -> None:
        self.seconds[stage] = seconds
        self.epochs += history


class CrossFit:
    """The folds of one call of `fit`, and what each variant of the model says on their held-out parts.

    Parameters
    ----------
    runs : trains
    folds : (training rows, held-out rows) of each fold
    channels : those that may have a weight
    what : the stages of these folds are called besides
    """

    def __init__(self, runs: Runs, folds: Sequence[tuple[Int64, Int64]], channels: Sequence[str], what: str = "") -> None:
        self._runs, self.folds, self._channels = runs, folds, [name for name in CHANNELS if name in channels]
        self._what, self._candidates = what, dict[Variant, Candidate]()
        self._traces, self._n_tools = runs.examples.traces, len(runs.state.catalog.tools)

    @cached_property
    def held(self) -> list[Held]:
        """The held-out part of each fold."""
        catalog = self._runs.state.catalog
        return [held_out(catalog, self._traces, training, rows) for training, rows in self.folds]

    @cached_property
    def closest(self) -> Float32:
        """(B, at most 3) cosines of each held-out intent to the nearest of the traces that its fold trained on."""
        parts = [h.channels.memory.closest(h.traces.vectors(np.arange(len(h.rows))), CLOSEST) for h in self.held]
        return np.concatenate([part[:, : min(p.shape[1] for p in parts)] for part in parts])

    @cached_property
    def popularity(self) -> Float32:
        """(B, n_tools) scores of the ranking that knows only how often each tool was used, for all held-out traces."""
        return np.concatenate([popularity(self._traces, training, rows, self._n_tools) for training, rows in self.folds])

    def candidate(self, variant: Variant) -> Candidate:
        """Trains a variant on every fold, once: the channel scores of all held-out traces, and what they are worth."""
        if variant not in self._candidates:
            self._candidates[variant] = self._trained(variant)
        return self._candidates[variant]

    def stages(self, *variants: Variant) -> list[tuple[str, Variant, Int64, Int64]]:
        """The trainings of variants that have not been asked for, as `Runs.ahead` takes them."""
        new = [variant for variant in variants if variant not in self._candidates]
        return [(self._name(v, i), v, training, held) for v in new for i, (training, held) in enumerate(self.folds)]

    def _name(self, variant: Variant, fold: int) -> str:
        return f"{variant}{self._what}, fold {fold + 1}/{len(self.folds)}"

    def _trained(self, variant: Variant) -> Candidate:
        self._runs.ahead(self.stages(variant))
        wide = self._runs.examples.wide.traces if variant.words else None
        z = [
            self._runs.predict(
                self._name(variant, i), variant, training,
                held if wide is None else replace(held, traces=wide.take(held.rows)),
            )
            for i, ((training, _), held) in enumerate(zip(self.folds, self.held, strict=True))
        ]  # fmt: skip
        scores = self._untrained | self._scored([name for name in TRAINED if name in self._channels], z)
        unseen = np.concatenate([np.broadcast_to(held.unseen, (len(held.rows), self._n_tools)) for held in self.held])
        wanted = self._traces.take(np.concatenate([held.rows for held in self.held])).relevant
        held_out = HeldOut({name: scores[name] for name in CHANNELS if name in scores}, unseen, wanted)
        return Candidate.of(variant, held_out, self._channels, cold_share(self._traces.tools, self._n_tools))

    @cached_property
    def _untrained(self) -> dict[str, Float32]:
        """Held-out scores of the channels that are the same whatever the model."""
        names = [name for name in {*self._channels, "cosine"} if name not in TRAINED]
        return self._scored(names, [_NO_LOGITS] * len(self.held))

    def _scored(self, names: list[str], z: list[tuple[Float32, Float32]]) -> dict[str, Float32]:
        """Each named channel's scores of all held-out traces."""
        parts = [
            held.channels.score(names, held.traces.vectors(np.arange(len(held.rows))), [str(t) for t in held.traces.texts], *own)
            for held, own in zip(self.held, z, strict=True)
        ]
        return {name: np.concatenate([part[name] for part in parts]) for name in names}


def _cold(tools: Incidence, training: Int64, rows: Int64, n_tools: int) -> Bool:
    """(len(rows),) does the trace have a tool that no training trace has?"""
    unseen = unseen_tools(tools, training, n_tools)
    chosen = tools.take(rows)
    return chosen.touching(unseen)
