"""Trainings that need nothing of each other: what all of one fit share, and one of them on its own, here or in another process."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from .._types import Float32, Int64
from ..config import SHGATConfig
from ..executor import Tell
from ..graph import Catalog, Cooccurrence
from ..model import ModelState
from ..model.channels import Channels
from ..model.memory import Memory
from ..model.params import Params
from ..traces import Traces
from .config import TrainingConfig
from .examples import Examples
from .selection import Variant
from .trainer import Epoch, Trainer
from .validation import Held, logits, unseen_tools


@dataclass(frozen=True, eq=False)
class Ground:
    """What all trainings of one fit share: each is from fresh parameters, and nothing that was learned earlier reaches it.

    Attributes
    ----------
    examples, cooccurrence, config : what is trained on, and the model
    settings, seed : how
    most : how many trainings there may be
    """

    examples: Examples
    cooccurrence: Cooccurrence | None
    config: SHGATConfig
    settings: TrainingConfig
    seed: int
    most: int

    def trainer(
        self, stage: str, number: int, variant: Variant, rows: Int64, held: Held | None, on_epoch: Callable[[Epoch], None] | None
    ) -> Trainer:
        """A training on the traces `rows` that has not begun, validated on `held`."""
        config = replace(self.config, node_offsets=variant.node_offsets, words=variant.words)
        examples = self.examples.wide if variant.words else self.examples
        return Trainer(
            examples, self.cooccurrence, replace(config, message_passing=variant.message_passing), self._start(config), self.settings, rows,
            self.seed, held=held, on_epoch=on_epoch, stage=stage, run=number, runs=self.most,
        )  # fmt: skip

    def _start(self, config: SHGATConfig) -> Params:
        """The parameters that all folds of a variant begin with; those of the last variant are kept."""
        kept: tuple[SHGATConfig, Params] | None = self.__dict__.get("_begun")
        if kept is None or kept[0] != config:
            kept = self.__dict__["_begun"] = config, ModelState.untrained(self.examples.catalog, config, [self.seed, 2]).params
        return kept[1]

    def __getstate__(self) -> dict[str, object]:
        return {name: value for name, value in vars(self).items() if name != "_begun"}


@dataclass(frozen=True, eq=False)
class Stage:
    """One training with a held-out part.

    Attributes
    ----------
    name, number : of the run
    rows, held : of the traces that are trained on, and of those held out
    """

    name: str
    number: int
    variant: Variant
    rows: Int64
    held: Int64


@dataclass(frozen=True, eq=False)
class Predicted:
    """What comes of it: logits (B, n_tools) and (B, n_capabilities) of the held-out traces, its epochs, and the seconds it took."""

    tools: Float32
    capabilities: Float32
    history: list[Epoch]
    seconds: float


def predict(ground: Ground, stage: Stage, tell: Tell) -> Predicted:
    """A task for an executor: trains, and scores what was held out. Each epoch is told."""
    began = time.perf_counter()
    held = held_out(ground.examples.catalog, ground.examples.traces, stage.rows, stage.held)
    if stage.variant.words:
        held = replace(held, traces=ground.examples.wide.traces.take(stage.held))
    trainer = ground.trainer(stage.name, stage.number, stage.variant, stage.rows, held, tell)
    trainer.run(None)
    z = scored(trainer, held)
    return Predicted(*z, trainer.progress.history, time.perf_counter() - began)


def held_out(catalog: Catalog, traces: Traces, training: Int64, rows: Int64) -> Held:
    """The traces `rows`, with a memory of the training part only."""
    unseen = unseen_tools(traces.tools, training, len(catalog.tools))
    held = traces.take(rows)
    channels = Channels.build(catalog, Memory.of(traces, training))
    return Held(held, rows, held.tools.touching(unseen), unseen, channels)


def scored(trainer: Trainer, held: Held) -> tuple[Float32, Float32]:
    """Logits of tools and capabilities for held-out traces, by the best parameters of a training."""
    state = trainer.progress
    return logits(trainer.objective, state.best or state.params, trainer.unknown, held.traces)
