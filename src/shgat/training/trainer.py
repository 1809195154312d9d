"""One run: epochs of steps over one part of the traces, validated on another part after each epoch."""

import logging
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from .._types import Bool, Float32, Float64, Int64
from ..config import SHGATConfig
from ..errors import ShgatError
from ..graph import Cooccurrence
from ..model import readout
from ..model.params import Gradient, Params
from .batch import Batch, dropout, noisy
from .config import TrainingConfig
from .examples import Examples
from .gates import clamp_gates, opened
from .negatives import Negatives, pool
from .objective import Masks, Objective, StepLoss
from .optim import Adam, parameter_groups
from .replay import PrioritizedReplay
from .schedule import anneal, learning_rate
from .subspace import Subspace
from .validation import Held, Score, unseen_tools

_log = logging.getLogger("shgat")
IntentMap = Literal["trained", "fixed", "identity"]


@dataclass(frozen=True)
class Epoch:
    """What one epoch gave.

    Attributes
    ----------
    number, of : epoch of the run
    loss : mean over steps
    lr : at its end
    validation, value : metrics by part, and the mean of the criterion
    seconds : spent in it
    stage, run, runs : name and number of the run, and how many there may be
    """

    number: int
    of: int
    loss: float
    lr: float
    gradient_norm: float
    validation: dict[str, dict[str, float]]
    value: float
    seconds: float
    stage: str = ""
    run: int = 1
    runs: int = 1


@dataclass(eq=False)
class Progress:
    """The state of a run between two epochs; together with `Trainer`'s inputs it determines the rest of the run bit for bit."""

    params: Params
    optimizer: Adam
    rng: np.random.Generator
    epoch: int = 0
    best: Params | None = None  # None without validation: those of the last epoch
    best_score: Score | None = None
    best_epoch: int = 0
    history: list[Epoch] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    group_norms: list[dict[str, float]] = field(default_factory=list)
    td: Float32 = field(default_factory=lambda: np.zeros(0, np.float32))
    accuracy: float = 0.0
    stopped: str = ""
    replay: PrioritizedReplay | None = None


class Trainer:
    """Trains parameters on the traces `rows`, and keeps the best by the held-out part.

    A later epoch takes the place of the best unless it is worse by more than the standard error of the paired difference, so that noise in
    a small held-out part does not choose the epoch.

    Parameters
    ----------
    params : where to start; not changed
    held : traces to validate on, or None: the last epoch is kept
    unseen : (n_tools,) tools that were never trained on; None: those without a trace among `rows`
    provenance : hide the capabilities for which only other traces vouch, and from each step those for which only its own do
    on_epoch : called after each epoch
    stage, run, runs : what an epoch says of the run it belongs to
    """

    def __init__(
        self,
        examples: Examples,
        cooccurrence: Cooccurrence | None,
        model: SHGATConfig,
        params: Params,
        config: TrainingConfig,
        rows: Int64,
        seed: int,
        *,
        held: Held | None = None,
        unseen: Bool | None = None,
        provenance: bool = True,
        on_epoch: Callable[[Epoch], None] | None = None,
        stage: str = "",
        run: int = 1,
        runs: int = 1,
    ) -> None:
        self._provenance = provenance
        self.examples, self.config, self.rows, self.held = examples, config, rows, held
        self._named: dict[str, Any] = {"stage": stage, "run": run, "runs": runs}
        self.subspace = Subspace.of(examples.catalog, cooccurrence, model)
        coordinates = None if self.subspace is None else self.subspace.coordinates
        self.objective = Objective(examples.catalog, cooccurrence, model, coordinates, config.positives)
        self._on_epoch = on_epoch or (lambda epoch: None)
        training = np.zeros(len(examples.traces), bool)
        training[rows] = True
        self.unknown = (
            examples.capabilities.origins.unknown(training) if provenance else np.zeros(len(examples.catalog.capabilities), bool)
        )
        needs = examples.capabilities.origins.needs
        self._needs = np.bincount(needs.row_of_entry, training[needs.indices], needs.n_rows)
        self._base = Masks(
            hierarchy=examples.catalog.hierarchy.hiding(self.unknown) if self.unknown.any() else None,
            hidden=self.unknown if self.unknown.any() else None,
            tool_bias=self._damping(unseen),
        )
        self.epochs, batch_size, self.lr, _ = config.settled()
        self.batch_size = min(batch_size, max(16, len(rows) // 4))
        self.steps_per_epoch = max(1, math.ceil(len(rows) / self.batch_size))
        self._start = params = opened(params, config) if model.message_passing else params.copy()
        if self.subspace is not None:
            params = self.subspace.reduce(params)
        identity = np.array_equal(params["w_intent"], np.eye(params.layout.d, dtype=np.float32))
        self._intent_map: IntentMap = "trained" if config.train_intent_map else "identity" if identity else "fixed"
        self.groups = parameter_groups(params, config, bool(examples.traces.context.nnz), model.message_passing)
        self.progress = Progress(params, Adam(params, self.groups.values()), np.random.default_rng(seed))
        self.progress.td = np.full(len(examples.traces), np.nan, np.float32)
        if config.replay == "prioritized":
            self.progress.replay = PrioritizedReplay(max(1, len(rows)), config.alpha, config.priority_eps)
            self.progress.replay.add([str(i) for i in rows], _known(examples.traces.td, rows))

    def result(self) -> Params:
        """The best parameters so far, in the layout they came in."""
        params = self.progress.best or self.progress.params
        return params.copy() if self.subspace is None else self.subspace.expand(params, self._start)

    @property
    def gradient_norms(self) -> dict[str, list[float]]:
        """Parameter group -> norm after each epoch."""
        return {name: [norms[name] for norms in self.progress.group_norms] for name in self.groups}

    def run(self, after_epoch: Callable[[Progress], None] | None = None) -> Progress:
        """Trains until the last epoch or an early stop; `after_epoch` may save the state, from which another trainer goes on."""
        state = self.progress
        gradient = state.params.gradient()
        while state.epoch < self.epochs and not state.stopped:
            started = time.perf_counter()
            losses: list[float] = []
            norms: list[float] = []
            for rows, weights in self._batches():
                loss, norm = self._step(rows, weights, gradient, state.epoch * self.steps_per_epoch + len(losses))
                losses.append(loss.loss)
                norms.append(norm)
            state.losses += losses
            state.group_norms.append({n: _norm(gradient, g.names) for n, g in self.groups.items()})
            state.epoch += 1
            score = self.held.score(self.objective, state.params, self.unknown) if self.held is not None else None
            self._keep(score)
            lr = learning_rate(state.epoch * self.steps_per_epoch - 1, self._total, self.lr, self.config.warmup)
            epoch = Epoch(
                state.epoch, self.epochs, float(np.mean(losses)), lr, float(np.mean(norms)),
                score.metrics if score else {}, score.value if score else float("nan"), time.perf_counter() - started, **self._named,
            )  # fmt: skip
            state.history.append(epoch)
            if after_epoch is not None:
                after_epoch(state)
            self._on_epoch(epoch)
        return state

    @property
    def _total(self) -> int:
        return self.epochs * self.steps_per_epoch

    def _keep(self, score: Score | None) -> None:
        """Keeps the parameters if they are not worse than the best; decides whether to stop."""
        state = self.progress
        if score is None:
            state.best_epoch = state.epoch  # the last is the best
            return
        if state.best_score is None or not score.worse_than(state.best_score):
            if state.best is None:
                state.best = state.params.copy()
            for span in state.optimizer.spans:  # nothing else moves
                state.best.buffer[span] = state.params.buffer[span]
            state.best_score, state.best_epoch = score, state.epoch
            return
        if score.hit_at_1 < state.best_score.hit_at_1 - self.config.degradation:
            state.stopped = f"Hit@1 fell from {state.best_score.hit_at_1:.3f} to {score.hit_at_1:.3f}"
        elif state.epoch - state.best_epoch >= self.config.patience:
            state.stopped = f"no improvement for {self.config.patience} epochs"

    def _batches(self) -> Iterator[tuple[Int64, Float32 | None]]:
        state, config = self.progress, self.config
        if state.replay is None:
            order = state.rng.permutation(self.rows)
            for start in range(0, len(order), self.batch_size):
                yield order[start : start + self.batch_size], None
            return
        for i in range(self.steps_per_epoch):
            beta = anneal(state.epoch * self.steps_per_epoch + i, self._total, config.beta, 1.0)
            slots, weights = state.replay.sample(min(self.batch_size, len(self.rows)), beta, state.rng)
            yield self.rows[slots], weights

    def _step(self, rows: Int64, weights: Float32 | None, gradient: Gradient, step: int) -> tuple[StepLoss, float]:
        state, config = self.progress, self.config
        batch, masks = self._masked(rows, weights)
        tau = self._tau(step)
        loss = self.objective(state.params, batch, gradient, masks=masks, tau=tau, intent_map=self._intent_map)
        lr = learning_rate(step, self._total, self.lr, config.warmup)
        try:
            norm = state.optimizer.step(state.params, gradient, lr, config.clip)
        except FloatingPointError as error:
            raise ShgatError(f"training diverged at step {step + 1}: {error}; lower the learning rate") from None
        clamp_gates(state.params)
        state.td[rows] = loss.td
        state.accuracy += 0.1 * (loss.hit - state.accuracy)
        if state.replay is not None:
            slots = np.searchsorted(self.rows, rows)
            state.replay.update(slots, loss.td)
        return loss, norm

    def _tau(self, step: int) -> float:
        """What divides z, which holds the scale kappa, in the softmax."""
        if self.config.temperature is None:
            return 1.0
        tau, similarity = anneal(step, self._total, *self.config.temperature), self.objective.config.similarity
        return tau * readout.scale(self.progress.params, similarity) if similarity == "cosine" else tau

    def _masked(self, rows: Int64, weights: Float32 | None) -> tuple[Batch, Masks]:
        """The batch with noise on its intents and without what a step may not see."""
        rng, config = self.progress.rng, self.config
        masks, hidden = self._base, self.unknown
        if config.leave_batch_out and self._provenance:
            seen, count = np.unique(self.examples.rise.take(np.unique(rows)).indices, return_counts=True)
            alone = seen[count >= self._needs[seen]]
            if len(alone):
                hidden = hidden.copy()
                hidden[alone] = True
                masks = replace(masks, hierarchy=self.examples.catalog.hierarchy.hiding(hidden), hidden=hidden)
        batch = self.examples.batch(rows, weights, hidden)
        batch = replace(batch, intents=noisy(batch.intents, config.intent_noise, rng))
        if "tool_offsets" in self.progress.params and config.offset_dropout:
            hierarchy = self.examples.catalog.hierarchy
            keep = [dropout(n, config.offset_dropout, rng) for n in (hierarchy.n_tools, hierarchy.n_capabilities)]
            masks = replace(masks, keep_tools=keep[0], keep_capabilities=keep[1])
        if config.negatives != "all":
            masks = replace(masks, negatives=Negatives(config.negatives, config.n_negatives, self.progress.accuracy), rng=rng)
        if len(self.examples.catalog.tools) > config.all_candidates_up_to:
            masks = replace(masks, tool_pool=pool(batch.tools.incidence, len(self.examples.catalog.tools), config.pool_size, rng))
        if len(hidden) > config.all_candidates_up_to:
            masks = replace(masks, capability_pool=pool(batch.capabilities.incidence, len(hidden), config.pool_size, rng))
        return batch, masks

    def _damping(self, unseen: Bool | None) -> Float32:
        """(n_tools,) ln of the weight that a tool without training traces has among the negatives."""
        if unseen is None:
            unseen = unseen_tools(self.examples.traces.tools, self.rows, len(self.examples.catalog.tools))
        return np.where(unseen, np.float32(math.log(self.config.unseen_damping)), np.float32(0.0))


def _known(td: Float64 | None, rows: Int64) -> Float64 | None:
    """Errors that replay begins with; what nobody knows stands with the largest, so that it is seen soon."""
    if td is None or np.isnan(td[rows]).all():
        return None
    return np.where(np.isnan(td[rows]), np.nanmax(td[rows]), td[rows])


def _norm(gradient: Params, names: tuple[str, ...]) -> float:
    return float(np.sqrt(sum(float(np.vdot(gradient[n], gradient[n])) for n in names)))
