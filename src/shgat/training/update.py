"""`partial_fit`: a few steps from where the model is, for traces that come in while it serves."""

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from .._types import Bool, Int64
from ..errors import TraceError
from ..metrics.gate import ONE_STANDARD_ERROR, compare, keep
from ..model import ModelState
from ..model.channels import Channels, Learned
from ..model.index import gates_open
from ..model.memory import Memory
from ..traces import Traces
from .config import TrainingConfig
from .examples import Examples
from .fit import Fitted, overridden
from .report import TrainReport
from .trainer import Epoch, Trainer
from .validation import Held, unseen_tools

HELD_SHARE = 0.2
FEWEST = 20  # traces below which none is held out


def partial_fit(
    state: ModelState,
    traces: Traces,
    *,
    epochs: int | None = None,
    batch_size: int | None = None,
    lr: float | None = None,
    seed: int = 0,
    config: TrainingConfig | None = None,
    on_epoch: Callable[[Epoch], None] | None = None,
) -> Fitted:
    """Trains from the current parameters, and keeps them as they were if held-out traces are ranked worse by about a standard error.

    From 20 traces on, a fifth (the latest where they have time stamps) is held out. Successful traces go into the model's memory either
    way: a memory of what worked cannot degrade. Channel weights stay as `fit` chose them, and so does whether messages pass.

    Parameters
    ----------
    epochs, batch_size, lr : come before those of `config`
    config : settings; what is None in it is as `TrainingConfig.for_update` has it

    Returns
    -------
    Fitted : the new state, with at least a larger memory, and the report
    """
    if not len(traces) or not traces.tools.nnz:
        raise TraceError("there is no trace with tools to learn from")
    began = time.perf_counter()
    settings = TrainingConfig.for_update(overridden(config, epochs=epochs, batch_size=batch_size, lr=lr))
    catalog, rng = state.catalog, np.random.default_rng(seed)
    training, rows = _held_out(traces, rng)
    unseen = _unseen(state, traces)
    held = None
    if len(rows):
        part = traces.take(rows)
        held = Held(part, rows, part.tools.touching(unseen), unseen, Channels.build(catalog, Memory.empty(catalog.dimension)))
    speaks = state.config.message_passing and (state.learned is None or gates_open(state.params))
    trainer = Trainer(
        Examples.build(catalog, traces), state.cooccurrence, replace(state.config, message_passing=speaks), state.params, settings,
        training, seed, held=held, unseen=unseen, provenance=False, on_epoch=on_epoch, stage="partial",
    )  # fmt: skip
    before = None if held is None else held.score(trainer.objective, trainer.progress.params, trainer.unknown)
    progress = trainer.run()
    after = progress.best_score
    comparison = None
    if before is not None and after is not None:
        comparison = compare("before", "all", after.rows, before.rows, rng, ONE_STANDARD_ERROR)
    better, reason = True, f"{len(traces)} traces are too few to hold any out"
    if comparison is not None:
        verdict = keep(comparison)
        better, reason = verdict.passed, verdict.reason
    report = TrainReport(
        accepted=better,
        reason=reason,
        epochs=progress.history,
        losses=progress.losses,
        comparisons=[comparison] if comparison else [],
        validation={},
        weights={},
        choices=settings.to_dict(),
        td_errors={key: td for key, td in zip(traces.ids.tolist(), progress.td.tolist(), strict=True) if not np.isnan(td)},
        gradient_norms=trainer.gradient_norms,
        seconds={"total": time.perf_counter() - began},
        seed=seed,
        n_traces=len(traces),
        skipped=list(traces.skipped),
    )
    learned = _with_memory(state, traces, training if better else np.zeros(0, np.int64))
    return Fitted(replace(state, params=trainer.result() if better else state.params, learned=learned), report)


def _held_out(traces: Traces, rng: np.random.Generator) -> tuple[Int64, Int64]:
    """(training rows, held-out rows)."""
    n = len(traces)
    if n < FEWEST:
        return np.arange(n), np.zeros(0, np.int64)
    timed = not np.isnan(traces.timestamp).any()
    order = np.argsort(traces.timestamp, kind="stable") if timed else rng.permutation(n)
    split = n - max(1, int(n * HELD_SHARE))
    return np.sort(order[:split]), np.sort(order[split:])


def _unseen(state: ModelState, traces: Traces) -> Bool:
    """(n_tools,) tools that neither these traces nor the training before them had."""
    unseen: Bool = unseen_tools(traces.tools, np.arange(len(traces)), len(state.catalog.tools))
    if state.learned is None:
        return unseen
    known = set(state.learned.tool_ids) - state.learned.unseen
    new = np.array([t.id not in known for t in state.catalog.tools], bool)
    unseen &= new
    return unseen


def _with_memory(state: ModelState, traces: Traces, trained: Int64) -> Learned | None:
    """What the model learned before, with these traces in its memory; their tools are unseen no more where they were trained on."""
    learned = state.learned
    if learned is None:
        return None
    channels, _ = learned.over(state.catalog)
    memory = channels.memory.extended(Memory.of(traces, np.arange(len(traces))))
    ids = tuple(t.id for t in state.catalog.tools)
    seen_now = {ids[t] for t in traces.tools.take(trained).indices.tolist()}
    old = set(learned.tool_ids) - learned.unseen
    return Learned(learned.fusion, memory, ids, frozenset(t for t in ids if t not in old and t not in seen_now))
