"""`fit`: held-out predictions, channel weights, the decision whether to hand the result out, and the final training on all traces."""

import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from .. import _check
from ..config import SHGATConfig
from ..errors import InputError, TraceError
from ..evaluation.comparison import paired_bootstrap
from ..evaluation.metrics import per_query
from ..graph import Catalog
from ..model.channels import CHANNELS, Channels, Fusion, Learned
from ..model.memory import Memory
from ..model.params import Params, initial_params, resolve_layout
from .batches import Examples
from .checkpoint import Checkpoint
from .config import TrainingConfig
from .examples import Traces, digest
from .fusing import HeldOut, fit_fusion
from .report import Comparison, TrainReport
from .trainer import Epoch, Progress, Trainer
from .validation import Folds, Held, by_part, criterion, logits, popularity, relevance, unseen_tools

if TYPE_CHECKING:
    from ..model import SHGAT

_log = logging.getLogger("shgat")
Rows = npt.NDArray[np.int64]
OnEpoch = Callable[[Epoch], None]

MANY_TRACES = 3000  # from here on: larger batches, higher learning rate
TRACES_PER_TOOL = 10  # from here on tools and capabilities learn offsets of their own
MEMORY = 20_000  # traces remembered, the latest
FEWEST = 16  # traces below which nothing can be validated
CONFIDENCE = 0.99  # weights and verdict come from the same held-out traces, so 95 % would let too much chance through


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
    node_offsets: bool | None = None,
    on_epoch: OnEpoch | None = None,
    checkpoint: str | Path | None = None,
    resume: bool = False,
    force: bool = False,
) -> TrainReport:
    """Learns from traces, from scratch, and changes the model only if held-out traces say that it ranks better than frozen cosine.

    Folds of traces are held out, whole tools among them; a capability is unknown where only held-out traces vouch for it. From the
    held-out predictions come the channel weights and the decision. Then one model is trained on all traces.

    Parameters
    ----------
    epochs, batch_size, lr : None chooses by the number of traces (8, 128, 1e-3 below 3000; else 10, 512, 4e-3)
    seed : of everything random; the same seed gives the same bits
    config : further settings; `epochs`, `batch_size` and `lr` above come first
    validation : "none" trains on all traces at once, chooses no channel weights and hands out what comes
    channels : those that may have a weight
    node_offsets : whether nodes learn offsets; None: where the model's configuration says so, or from 10 traces a tool on
    on_epoch : called after each epoch of each run
    checkpoint, resume : a file to keep the state in after each epoch, and whether to go on from it
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
    plan = _Plan(model, traces, settings, seed, on_epoch or (lambda epoch: None), node_offsets)
    if checkpoint is not None:
        plan.checkpoint = Checkpoint.open(Path(checkpoint), plan.identity(validation), resume)
    if validation == "none" or (force and len(traces) < FEWEST):
        final = plan.final()
        return plan.hand_out(final, None, plan.report(final, "trained without validation", time.perf_counter() - started))
    if len(traces) < FEWEST:
        return plan.report(None, f"{len(traces)} traces are too few to validate on, at least {FEWEST} are needed")
    held = plan.held_out()
    fusion = fit_fusion(held.restricted(channels))
    comparisons, validated = plan.judge(held, fusion)
    reason = refusal(comparisons)
    if reason is not None and not force:
        if plan.checkpoint is not None:
            plan.checkpoint.done()
        return plan.report(None, reason, time.perf_counter() - started, comparisons, validated, fusion)
    final = plan.final()
    why = "better than frozen cosine on held-out traces" if reason is None else f"forced, although {reason}"
    return plan.hand_out(final, fusion, plan.report(final, why, time.perf_counter() - started, comparisons, validated, fusion))


def _settings(
    config: TrainingConfig | None, n: int, epochs: int | None, batch_size: int | None, lr: float | None
) -> TrainingConfig:
    """What was asked for, and the rest by the number of traces."""
    many = n >= MANY_TRACES
    chosen = config or TrainingConfig(epochs=10 if many else 8, batch_size=512 if many else 128, lr=4e-3 if many else 1e-3)
    asked: dict[str, Any] = {"epochs": epochs, "batch_size": batch_size, "lr": lr}
    return replace(chosen, **{name: value for name, value in asked.items() if value is not None})


class _Plan:
    """One call of `fit`."""

    def __init__(
        self, model: "SHGAT", traces: Traces, settings: TrainingConfig, seed: int, on_epoch: OnEpoch, node_offsets: bool | None
    ) -> None:
        self.model, self.traces, self.settings, self.seed, self.on_epoch = model, traces, settings, seed, on_epoch
        self.catalog: Catalog = model.catalog
        if node_offsets is None:
            node_offsets = model.config.node_offsets or len(traces) >= TRACES_PER_TOOL * len(self.catalog.tools)
        self.config: SHGATConfig = replace(model.config, node_offsets=node_offsets)
        self.examples = Examples.build(self.catalog, traces)
        self.folds = Folds().split(traces, len(self.catalog.tools), np.random.default_rng([seed, 1]))
        self.checkpoint: Checkpoint | None = None
        self.seconds: dict[str, float] = {}
        self.epochs: list[Epoch] = []
        self._fresh: Params | None = None

    def identity(self, validation: str) -> dict[str, Any]:
        """What a checkpoint has to agree with."""
        edges = self.model.cooccurrence
        return {
            "catalog": self.catalog.fingerprint,
            "embeddings": digest(self.catalog.tool_embeddings, self.catalog.capability_embeddings),
            "cooccurrence": None if edges is None else digest(edges.incidence.indptr, edges.incidence.indices, edges.weights),
            "traces": self.traces.fingerprint,
            "model": self.config.to_dict(),
            "training": self.settings.to_dict(),
            "seed": self.seed,
            "validation": validation,
        }

    def start(self) -> Params:
        """Fresh parameters: nothing learned earlier from the same traces may reach the held-out ones."""
        if self._fresh is None:
            layout = resolve_layout(self.catalog, self.config)
            self._fresh = initial_params(layout, self.config, np.random.default_rng([self.seed, 2]))
        return self._fresh

    def run(self, stage: str, rows: Rows, held: Held | None, start: Params) -> tuple[Trainer, Progress]:
        """One training, or its result from the checkpoint."""
        began = time.perf_counter()
        trainer = Trainer(
            self.examples, self.model.cooccurrence, self.config, start, self.settings, rows, self.seed, held=held,
            on_epoch=self.on_epoch, stage=stage,
        )  # fmt: skip
        kept = self.checkpoint
        if kept is not None:
            kept.restore(stage, trainer.progress)
        state = trainer.run(None if kept is None else lambda progress: kept.save(stage, progress))
        self.seconds[stage] = time.perf_counter() - began
        self.epochs += state.history
        return trainer, state

    def held_out(self) -> HeldOut:
        """Channel scores of every held-out trace by a model that was not trained on it."""
        n = len(self.catalog.tools)
        scores: dict[str, list[npt.NDArray[np.float32]]] = {name: [] for name in CHANNELS}
        unseen, self.held_rows, self.popularity = [], [], []
        for i, (training, rows) in enumerate(self.folds):
            held = self._held(training, rows)
            stage = f"fold {i + 1}/{len(self.folds)}"
            trainer, state = self.run(stage, training, held, self.start())
            z_tools, z_capabilities = logits(trainer.objective, state.best or state.params, trainer.unknown, held.traces)
            texts = [str(held.traces.texts[j]) for j in range(len(rows))]
            vectors = held.traces.vectors(np.arange(len(rows)))
            for name, s in held.channels.score(CHANNELS, vectors, texts, z_tools, z_capabilities).items():
                scores[name].append(s)
            unseen.append(np.broadcast_to(held.unseen, (len(rows), n)))
            self.held_rows.append(rows)
            self.popularity.append(popularity(self.traces, training, rows, n))
        wanted = relevance(self.traces.take(np.concatenate(self.held_rows)))
        return HeldOut({name: np.concatenate(s) for name, s in scores.items()}, np.concatenate(unseen), wanted)

    def _held(self, training: Rows, rows: Rows) -> Held:
        unseen = unseen_tools(self.traces.tools, training, len(self.catalog.tools))
        traces = self.traces.take(rows)
        cold = np.bincount(traces.tools.row_of_entry, unseen[traces.tools.indices], len(rows)) > 0
        return Held(traces, rows, cold, unseen, Channels.build(self.catalog, remembered(self.traces, training)))

    def judge(self, held: HeldOut, fusion: Fusion) -> tuple[list[Comparison], dict[str, dict[str, dict[str, float]]]]:
        """The fused ranking against frozen cosine, popularity and novelty, on warm and cold held-out intents.

        Novelty is cosine with a bonus for unseen tools, chosen on the held-out part itself: where whole tools are held out, being unseen
        tells much of the answer, so that even a model trained on shuffled labels would beat cosine by its bonus alone.
        """
        cosine = HeldOut({"cosine": held.scores["cosine"]}, held.unseen, held.wanted)
        novelty = fit_fusion(cosine).combine(cosine.scores, held.unseen)
        cold = np.bincount(held.wanted.row_of, held.unseen[held.wanted.row_of, held.wanted.indices], len(held.wanted)) > 0
        metrics = {
            "shgat": per_query(fusion.combine(held.scores, held.unseen), held.wanted),
            "cosine": per_query(held.scores["cosine"], held.wanted),
            "popularity": per_query(np.concatenate(self.popularity), held.wanted),
            "novelty": per_query(novelty, held.wanted),
        }
        rng = np.random.default_rng([self.seed, 3])
        comparisons = []
        for against in ("cosine", "popularity", *(["novelty"] if cold.any() else [])):
            for part, rows in (("all", np.ones(len(cold), bool)), ("warm", ~cold), ("cold", cold)):
                ours, theirs = criterion(metrics["shgat"])[rows], criterion(metrics[against])[rows]
                known = ~np.isnan(ours)
                if known.any():
                    test = paired_bootstrap(ours[known], theirs[known], rng=rng, n_resamples=2000, confidence=CONFIDENCE)
                    mean = float(ours[known].mean()), float(theirs[known].mean())
                    comparisons.append(Comparison(against, part, *mean, test.ci_low, test.ci_high, int(known.sum())))
        return comparisons, {name: by_part(values, cold) for name, values in metrics.items() if name in ("shgat", "cosine")}

    def final(self) -> Progress:
        """One training on all traces."""
        trainer, state = self.run("all traces", np.arange(len(self.traces)), None, self.start())
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
        choices = {"node_offsets": self.config.node_offsets, "folds": len(self.folds), **self.settings.to_dict()}
        return TrainReport(
            final is not None, reason, self.epochs, [] if final is None else final.losses, comparisons or [], validated or {}, weights, choices,
            td, {name: [row[name] for row in final.group_norms] for name in names} if final else {}, {**self.seconds, "total": seconds},
            self.seed, len(self.traces), list(self.traces.skipped),
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
        self.model.adopt(self.catalog, self.config, self.params, learned, report.to_dict())
        if self.checkpoint is not None:
            self.checkpoint.done()
        return report


def remembered(traces: Traces, rows: Rows) -> Memory:
    """The successful traces among `rows`, the latest 20 000."""
    good = rows[(traces.outcome[rows] >= 0.5) & (traces.tools.degrees[rows] > 0)]
    if not np.isnan(traces.timestamp[good]).any():
        good = good[np.argsort(traces.timestamp[good], kind="stable")]
    good = np.sort(good[-MEMORY:])
    vectors = traces.vectors(good)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    vectors = vectors.astype(np.float16).astype(
        np.float32
    )  # as a model file keeps them, and not scaled again: that would round twice
    return Memory(tuple(traces.ids[good].tolist()), vectors, [str(traces.texts[i]) for i in good.tolist()], traces.tools.take(good))


def refusal(comparisons: list[Comparison]) -> str | None:
    """Why the result must not be handed out, or None: it has to beat every baseline, and to lose to cosine on no part."""
    for c in comparisons:
        figures = f"{c.ours:.3f} against {c.theirs:.3f} on {c.n} {c.part} intents (difference {c.low:+.3f} to {c.high:+.3f})"
        if c.part == "all" and not c.low > 0.0:
            return f"not better than {c.against}: {figures}"
        if c.against == "cosine" and c.high < 0.0:
            return f"worse than cosine: {figures}"
    return None if comparisons else "no held-out intent has a tool to find"
