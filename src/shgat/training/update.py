"""`partial_fit`: a few steps from where the model is, for traces that come in while it serves."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..errors import TraceError
from ..graph import Incidence
from ..model.channels import Channels, Learned
from ..model.index import gates_open
from ..model.memory import Memory
from ..traces.columns import MEMORY, Traces, remembered
from .config import TrainingConfig
from .examples import Examples
from .report import TrainReport
from .selection import WORTH, compared
from .trainer import Epoch, Trainer
from .validation import Held, unseen_tools

if TYPE_CHECKING:
    from ..shgat import SHGAT

HELD_SHARE = 0.2
FEWEST = 20  # traces below which none is held out

Rows = npt.NDArray[np.int64]


def partial_fit(
    model: "SHGAT",
    traces: Traces,
    *,
    epochs: int = 1,
    batch_size: int | None = None,
    lr: float | None = None,
    seed: int = 0,
    config: TrainingConfig | None = None,
    on_epoch: Callable[[Epoch], None] | None = None,
) -> TrainReport:
    """Trains from the current parameters, and keeps them as they were if held-out traces are ranked worse by about a standard error.

    From 20 traces on, a fifth (the latest where they have time stamps) is held out. Successful traces go into the model's memory either
    way: a memory of what worked cannot degrade. Channel weights stay as `fit` chose them, and so does whether messages pass.

    Parameters
    ----------
    epochs, batch_size, lr : passes, traces a step (None: 32), learning rate (None: 3e-4)
    """
    if not len(traces) or not traces.tools.nnz:
        raise TraceError("there is no trace with tools to learn from")
    began = time.perf_counter()
    base = config or TrainingConfig(lr=3e-4, batch_size=32, rho=0.0)
    asked: dict[str, Any] = {"epochs": epochs, "batch_size": batch_size, "lr": lr}
    settings = replace(base, **{name: value for name, value in asked.items() if value is not None})
    catalog, rng = model.catalog, np.random.default_rng(seed)
    training, rows = _held_out(traces, rng)
    unseen = _unseen(model, traces)
    held = None
    if len(rows):
        nothing = Memory((), np.zeros((0, catalog.dimension), np.float32), [], Incidence.from_rows([]))
        part = traces.take(rows)
        cold = part.tools.touching(unseen)
        held = Held(part, rows, cold, unseen, Channels.build(catalog, nothing))
    speaks = model.config.message_passing and (model.learned is None or gates_open(model.params))
    trainer = Trainer(
        Examples.build(catalog, traces), model.cooccurrence, replace(model.config, message_passing=speaks), model.params, settings,
        training, seed, held=held, unseen=unseen, provenance=False, on_epoch=on_epoch, stage="partial",
    )  # fmt: skip
    before = None if held is None else held.score(trainer.objective, trainer.progress.params, trainer.unknown)
    state = trainer.run()
    after = state.best_score
    comparison = None if before is None or after is None else compared("before", "all", after.rows, before.rows, rng, WORTH)
    better, reason = True, f"{len(traces)} traces are too few to hold any out"
    if comparison is not None:
        better = comparison.high >= 0.0
        figures = f"{comparison.ours:.3f} against {comparison.theirs:.3f} on {comparison.n} held-out traces"
        reason = f"not worse than before: {figures}" if better else f"worse than before: {figures}"
    report = TrainReport(
        better, reason, state.history, state.losses, [comparison] if comparison else [], {}, {}, settings.to_dict(),
        {key: float(td) for key, td in zip(traces.ids.tolist(), state.td.tolist(), strict=True) if not np.isnan(td)},
        {name: [norms[name] for norms in state.group_norms] for name in trainer.groups}, {"total": time.perf_counter() - began}, seed,
        len(traces), list(traces.skipped),
    )  # fmt: skip
    learned = _with_memory(model, traces, training if better else np.zeros(0, np.int64))
    model.adopt(catalog, model.config, trainer.result() if better else model.params, learned, model.report)
    return report


def _held_out(traces: Traces, rng: np.random.Generator) -> tuple[Rows, Rows]:
    """(training rows, held-out rows)."""
    n = len(traces)
    if n < FEWEST:
        return np.arange(n), np.zeros(0, np.int64)
    timed = not np.isnan(traces.timestamp).any()
    order = np.argsort(traces.timestamp, kind="stable") if timed else rng.permutation(n)
    split = n - max(1, int(n * HELD_SHARE))
    return np.sort(order[:split]), np.sort(order[split:])


def _unseen(model: "SHGAT", traces: Traces) -> npt.NDArray[np.bool_]:
    """(n_tools,) tools that neither these traces nor the training before them had."""
    unseen: npt.NDArray[np.bool_] = unseen_tools(traces.tools, np.arange(len(traces)), len(model.catalog.tools))
    if model.learned is None:
        return unseen
    known = set(model.learned.tool_ids) - model.learned.unseen
    new = np.array([t.id not in known for t in model.catalog.tools], bool)
    unseen &= new
    return unseen


def _with_memory(model: "SHGAT", traces: Traces, trained: Rows) -> Learned | None:
    """What the model learned before, with these traces in its memory; their tools are unseen no more where they were trained on."""
    learned = model.learned
    if learned is None:
        return None
    channels, _ = learned.over(model.catalog)
    memory = channels.memory.extended(remembered(traces, np.arange(len(traces))), MEMORY)
    ids = tuple(t.id for t in model.catalog.tools)
    seen_now = {ids[t] for t in traces.tools.take(trained).indices.tolist()}
    old = set(learned.tool_ids) - learned.unseen
    return Learned(learned.fusion, memory, ids, frozenset(t for t in ids if t not in old and t not in seen_now))
