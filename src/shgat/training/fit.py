"""`fit`: held-out predictions, what they decide, and the final training on all traces."""

import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from .. import _check
from ..errors import InputError, TraceError
from ..graph import Catalog
from ..model.channels import CHANNELS, Channels, Fusion, Learned
from ..model.params import Floats, initial_params, resolve_layout
from ..traces.columns import Traces, digest, remembered
from .checkpoint import Checkpoint
from .config import TrainingConfig
from .examples import Examples
from .fusion import HeldOut
from .report import Comparison, TrainReport
from .selection import Candidate, Variant, choose, judge, refusal
from .trainer import Epoch, Progress, Trainer
from .validation import Folds, Held, cold_share, logits, popularity, relevance, unseen_tools

if TYPE_CHECKING:
    from ..shgat import SHGAT

_log = logging.getLogger("shgat")
Rows = npt.NDArray[np.int64]
OnEpoch = Callable[[Epoch], None]

MANY_TRACES = 3000  # from here on: larger batches, higher learning rate
TRACES_PER_TOOL = 1  # from here on it is tried whether tools and capabilities should learn offsets of their own
TRAINED = ("semantic", "route")  # channels that differ between two models over the same traces
FEWEST = 16  # traces below which nothing can be validated


def fit(
    model: "SHGAT",
    traces: Traces,
    *,
    epochs: int | None = None,
    batch_size: int | None = None,
    lr: float | None = None,
    seed: int = 0,
    config: TrainingConfig | None = None,
    validation: Literal["auto", "none"] = "auto",
    channels: Sequence[str] = CHANNELS,
    message_passing: bool | None = None,
    node_offsets: bool | None = None,
    on_epoch: OnEpoch | None = None,
    checkpoint: str | Path | None = None,
    resume: bool = False,
    keep_checkpoint: bool = False,
    force: bool = False,
) -> TrainReport:
    """Learns from traces, from scratch, and changes the model only if held-out traces say that it ranks better than frozen cosine.

    Folds of traces are held out, whole tools among them; a capability is unknown where only held-out traces vouch for it. From the
    held-out predictions come message passing and offsets or not, the channel weights and the decision. Then one model is trained on all
    traces. Nothing of an earlier training goes into it.

    Parameters
    ----------
    epochs, batch_size, lr : None chooses by the number of traces (8, 128, 1e-3 below 3000; else 10, 512, 4e-3)
    seed : of everything random; the same seed gives the same bits
    config : further settings; `epochs`, `batch_size` and `lr` above come first
    validation : "none" trains on all traces at once, chooses no channel weights and hands out what comes, with message passing
    channels : those that may have a weight
    message_passing : whether the graph speaks; None: where that is better on held-out traces by about a standard error. A model whose
        configuration has none stays without
    node_offsets : whether nodes learn offsets; None: the same, tried from a trace a tool on, or where the configuration of an untrained
        model says so
    on_epoch : called after each epoch of each run
    checkpoint, resume : a file to keep the state in after each epoch, and whether to go on from it
    keep_checkpoint : leave the file there at the end, for who removes it once the model is stored; else `fit` removes it
    force : hand the result out even where it is not better

    Raises
    ------
    TraceError
        for an empty set of traces.
    InputError
        for an unknown channel, or none.
    """
    started = time.perf_counter()
    _check.choice(validation, ("auto", "none"), "validation")
    if not channels:
        raise InputError(f"channels: name at least one of {', '.join(CHANNELS)}")
    for name in channels:
        _check.choice(name, CHANNELS, "channels")
    if not len(traces) or not traces.tools.nnz:
        raise TraceError("there is no trace with tools to learn from")
    settings = _settings(config, len(traces), epochs, batch_size, lr)
    plan = _Plan(model, traces, settings, seed, channels, on_epoch or (lambda epoch: None))
    given = _given(model, len(traces), message_passing, node_offsets)
    if checkpoint is not None:
        plan.checkpoint = Checkpoint.open(Path(checkpoint), plan.identity(validation, given), resume, keep_checkpoint)
    if validation == "none" or (force and len(traces) < FEWEST):
        plan.variant = Variant(given["message_passing"] is not False, given["node_offsets"] is not False)
        final = plan.final()
        return plan.hand_out(final, None, plan.report(final, "trained without validation", time.perf_counter() - started))
    if len(traces) < FEWEST:
        return plan.report(None, f"{len(traces)} traces are too few to validate on, at least {FEWEST} are needed")
    free = [name for name, value in given.items() if value is None]
    plan.runs = (1 + len(free)) * len(plan.folds) + 1
    first = Variant(**{name: bool(value) for name, value in given.items()})
    chosen, plan.trials = choose(plan.validate, first, free, np.random.default_rng([seed, 4]))
    plan.variant = chosen.variant
    comparisons, validated = judge(chosen, np.concatenate(plan.popularity), np.random.default_rng([seed, 3]))
    reason = refusal(comparisons)
    if reason is not None and not force:
        if plan.checkpoint is not None:
            plan.checkpoint.done()
        return plan.report(None, reason, time.perf_counter() - started, comparisons, validated, chosen.fusion)
    final = plan.final()
    why = "better than frozen cosine on held-out traces" if reason is None else f"forced, although {reason}"
    report = plan.report(final, why, time.perf_counter() - started, comparisons, validated, chosen.fusion)
    return plan.hand_out(final, chosen.fusion, report)


def _settings(
    config: TrainingConfig | None, n: int, epochs: int | None, batch_size: int | None, lr: float | None
) -> TrainingConfig:
    """What was asked for, and the rest by the number of traces."""
    many = n >= MANY_TRACES
    chosen = config or TrainingConfig(epochs=10 if many else 8, batch_size=512 if many else 128, lr=4e-3 if many else 1e-3)
    asked: dict[str, Any] = {"epochs": epochs, "batch_size": batch_size, "lr": lr}
    return replace(chosen, **{name: value for name, value in asked.items() if value is not None})


def _given(model: "SHGAT", n: int, message_passing: bool | None, node_offsets: bool | None) -> dict[str, bool | None]:
    """What is settled before any validation; None: to be tried. Offsets first: where they help they leave less for messages to do."""
    config, catalog = model.config, model.catalog
    if node_offsets is None and config.node_offsets and model.learned is None:
        node_offsets = True
    if node_offsets is None and n < TRACES_PER_TOOL * len(catalog.tools):
        node_offsets = False
    if not config.message_passing or not catalog.hierarchy.levels:
        message_passing = False
    return {"node_offsets": node_offsets, "message_passing": message_passing}


class _Plan:
    """One call of `fit`."""

    def __init__(
        self, model: "SHGAT", traces: Traces, settings: TrainingConfig, seed: int, channels: Sequence[str], on_epoch: OnEpoch
    ) -> None:
        self.model, self.traces, self.settings, self.seed, self.on_epoch = model, traces, settings, seed, on_epoch
        self.catalog: Catalog = model.catalog
        self.channels = [name for name in CHANNELS if name in channels]
        self.variant = Variant(False, False)
        self.trials: list[Comparison] = []
        self.runs = 1
        self.examples = Examples.build(self.catalog, traces)
        self.folds = Folds().split(traces, len(self.catalog.tools), np.random.default_rng([seed, 1]))
        self.checkpoint: Checkpoint | None = None
        self.seconds: dict[str, float] = {}
        self.epochs: list[Epoch] = []

    @cached_property
    def held(self) -> list[Held]:
        """The held-out part of each fold."""
        n = len(self.catalog.tools)
        held = []
        for training, rows in self.folds:
            unseen = unseen_tools(self.traces.tools, training, n)
            traces = self.traces.take(rows)
            cold = traces.tools.touching(unseen)
            held.append(Held(traces, rows, cold, unseen, Channels.build(self.catalog, remembered(self.traces, training))))
        return held

    @cached_property
    def untrained(self) -> dict[str, Floats]:
        """Held-out scores of the channels that are the same whatever the model."""
        names = [name for name in {*self.channels, "cosine"} if name not in TRAINED]
        return self._scored(names, [(np.zeros((0, 0), np.float32), np.zeros((0, 0), np.float32))] * len(self.held))

    @property
    def popularity(self) -> list[Floats]:
        """Scores of the ranking that knows only how often each tool was used, by fold."""
        return [popularity(self.traces, training, rows, len(self.catalog.tools)) for training, rows in self.folds]

    def identity(self, validation: str, given: dict[str, bool | None]) -> dict[str, Any]:
        """What a checkpoint has to agree with."""
        edges = self.model.cooccurrence
        return {
            "catalog": self.catalog.fingerprint,
            "embeddings": digest(self.catalog.tool_embeddings, self.catalog.capability_embeddings),
            "cooccurrence": None if edges is None else digest(edges.incidence.indptr, edges.incidence.indices, edges.weights),
            "traces": self.traces.fingerprint,
            "model": self.model.config.to_dict(),
            "given": given,
            "training": self.settings.to_dict(),
            "seed": self.seed,
            "validation": validation,
        }

    def run(self, stage: str, number: int, rows: Rows, held: Held | None, variant: Variant) -> tuple[Trainer, Progress]:
        """One training, or its result from the checkpoint; from fresh parameters: nothing learned earlier may reach the held-out traces."""
        began = time.perf_counter()
        config = replace(self.model.config, node_offsets=variant.node_offsets)
        start = initial_params(resolve_layout(self.catalog, config), config, np.random.default_rng([self.seed, 2]))
        trainer = Trainer(
            self.examples, self.model.cooccurrence, replace(config, message_passing=variant.message_passing), start, self.settings, rows,
            self.seed, held=held, on_epoch=self.on_epoch, stage=stage, run=number, runs=self.runs,
        )  # fmt: skip
        kept = self.checkpoint
        if kept is not None:
            kept.restore(stage, trainer.progress)
        state = trainer.run(None if kept is None else lambda progress: kept.save(stage, progress))
        self.seconds[stage] = time.perf_counter() - began
        self.epochs += state.history
        return trainer, state

    def validate(self, variant: Variant) -> Candidate:
        """Channel scores of every held-out trace by a model that was not trained on it, and what they are worth."""
        z = [self.predicted(variant, i) for i in range(len(self.folds))]
        scores = self.untrained | self._scored([name for name in TRAINED if name in self.channels], z)
        n = len(self.catalog.tools)
        unseen = np.concatenate([np.broadcast_to(held.unseen, (len(held.rows), n)) for held in self.held])
        wanted = relevance(self.traces.take(np.concatenate([held.rows for held in self.held])))
        held_out = HeldOut({name: scores[name] for name in CHANNELS if name in scores}, unseen, wanted)
        return Candidate.of(variant, held_out, self.channels, cold_share(self.traces.tools, n))

    def predicted(self, variant: Variant, i: int) -> tuple[Floats, Floats]:
        """Logits of the tools and of the capabilities for the held-out traces of fold i, or those of the checkpoint."""
        stage, kept = f"{variant}, fold {i + 1}/{len(self.folds)}", self.checkpoint
        done = None if kept is None else kept.finished(stage)
        if done is not None:
            self.seconds[stage] = 0.0
            self.epochs += done[1]
            return done[0]["tools"], done[0]["capabilities"]
        held = self.held[i]
        trainer, state = self.run(stage, len(self.seconds) + 1, self.folds[i][0], held, variant)
        z = logits(trainer.objective, state.best or state.params, trainer.unknown, held.traces)
        if kept is not None:
            kept.finish(stage, {"tools": z[0], "capabilities": z[1]}, state.history)
        return z

    def _scored(self, names: list[str], z: list[tuple[Floats, Floats]]) -> dict[str, Floats]:
        """Each named channel's scores of all held-out traces."""
        parts = [
            held.channels.score(names, held.traces.vectors(np.arange(len(held.rows))), [str(t) for t in held.traces.texts], *logits)
            for held, logits in zip(self.held, z, strict=True)
        ]
        return {name: np.concatenate([part[name] for part in parts]) for name in names}

    def final(self) -> Progress:
        """One training on all traces."""
        trainer, state = self.run("all traces", self.runs, np.arange(len(self.traces)), None, self.variant)
        self.params = trainer.result()
        return state

    def report(
        self,
        final: Progress | None,
        reason: str,
        seconds: float = 0.0,
        comparisons: list[Comparison] | None = None,
        validated: dict[str, dict[str, dict[str, float]]] | None = None,
        fusion: Fusion | None = None,
    ) -> TrainReport:
        weights = {} if fusion is None else {"seen": fusion.seen, "unseen": {**fusion.unseen, "bonus": fusion.bonus}}
        pairs = [] if final is None else zip(self.traces.ids.tolist(), final.td.tolist(), strict=True)
        td = {key: value for key, value in pairs if not math.isnan(value)}  # a trace that replay never drew has none
        names = [] if final is None or not final.group_norms else list(final.group_norms[0])
        choices = {**asdict(self.variant), "folds": len(self.folds), **self.settings.to_dict()}
        return TrainReport(
            final is not None, reason, self.epochs, [] if final is None else final.losses, comparisons or [], validated or {}, weights, choices,
            td, {name: [row[name] for row in final.group_norms] for name in names} if final else {}, {**self.seconds, "total": seconds},
            self.seed, len(self.traces), list(self.traces.skipped), self.trials,
        )  # fmt: skip

    def hand_out(self, final: Progress, fusion: Fusion | None, report: TrainReport) -> TrainReport:
        """Puts what was learned into the model, all at once."""
        learned = None
        if fusion is not None:
            everything = np.arange(len(self.traces))
            unseen = unseen_tools(self.traces.tools, everything, len(self.catalog.tools))
            ids = tuple(t.id for t in self.catalog.tools)
            forgotten = frozenset(t for t, u in zip(ids, unseen.tolist(), strict=True) if u)
            learned = Learned(fusion, remembered(self.traces, everything), ids, forgotten)
        config = replace(self.model.config, node_offsets=self.variant.node_offsets)
        self.model.adopt(self.catalog, config, self.params, learned, report.to_dict())
        if self.checkpoint is not None:
            self.checkpoint.done()
        return report
