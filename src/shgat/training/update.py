"""`partial_fit`: a few steps from where the model is, for traces that come in while it serves."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from .._types import Bool, Int64
from ..errors import TraceError
from ..graph import Incidence
from ..metrics.gate import Comparison, decide
from ..model import ModelState
from ..model.channels import Fusion, Learned
from ..model.index import gates_open
from ..model.memory import Memory
from ..traces import Traces
from ..traces.outages import outage
from .config import TrainingConfig
from .dominance import MOST, alike, dominated
from .examples import Examples
from .fit import Fitted, overridden
from .reference import Reference, descriptions, earlier, held_out
from .report import TrainReport
from .trainer import Epoch, Trainer
from .validation import unseen_tools

PROOF = 100  # traces from which on what was learned has to be better than cosine
HELD_SHARE = 0.2
FEWEST = 20  # traces below which none is held out
DOUBTED = "ranked by cosine until a fit is better"


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
    """Trains from the current parameters and remembers the traces, as far as nothing is lost that was right before.

    What was learned earlier (a reservoir of the model's own memory), traces held out of these (from 20 on a fifth, the latest where they
    have time stamps) and tools that no trace mentions are ranked before and after, by the whole fused ranking. Where something is lost, a
    quarter of the step is tried, then the memory alone, then the memory without the tools that dominate these traces; see
    `metrics.gate.kept`. Failures of an outage teach nothing, and no set of tools has more than a quarter of the weight. Channel weights stay
    as `fit` chose them, and so does whether messages pass; before any `fit` they are those of `Fusion.cold_start`.

    Parameters
    ----------
    epochs, batch_size, lr : come before those of `config`
    config : settings; what is None in it is as `TrainingConfig.for_update` has it

    Returns
    -------
    Fitted : the new state, None where nothing could be taken in, and the report
    """
    if not len(traces) or not traces.tools.nnz:
        raise TraceError("there is no trace with tools to learn from")
    began = time.perf_counter()
    settings = TrainingConfig.for_update(overridden(config, epochs=epochs, batch_size=batch_size, lr=lr))
    rng = np.random.default_rng(seed)
    learned = state.learned or Learned.cold_start(state.catalog)
    start = replace(state, learned=learned)
    taught = judged(traces)
    training, rows = _held_out(taught, rng)
    channels, _ = learned.over(state.catalog)
    parts = earlier(channels.memory, rng), held_out(taught.take(rows)), descriptions(state, traces.tools, rng)
    reference = Reference.of(start, parts)
    doubted = learned.fusion == Fusion.doubted()
    trainer = _trained(start, taught, training, settings, seed, on_epoch) if len(training) and not doubted else None
    tried: list[Comparison] = []
    after, reason, accepted = None, "", False
    for candidate in _candidates(start, traces, taught, training, trainer):
        verdict, comparisons = reference.verdict(candidate.state, rng)
        tried = tried or comparisons
        reason = reason or verdict.reason
        if verdict.passed:
            after, accepted = candidate.state, candidate.trained
            reason = verdict.reason if candidate.trained else f"{candidate.what}: {reason}"
            break
    if doubted:
        reason = f"{DOUBTED}: {reason}"
    return Fitted(after, _report(traces, settings, trainer, accepted, reason, tried, seed, began))


@dataclass(frozen=True, eq=False)
class _Candidate:
    """A model that may take the place of the one before. trained: with new parameters; what: what it took, for people."""

    state: ModelState
    trained: bool
    what: str


def back_to_cosine(state: ModelState, traces: Traces, report: TrainReport) -> Fitted:
    """The untrained model that remembers the traces and lets none of them vote, where a `fit` on them did not pass the gate.

    That is done from 100 traces on to a model that no `fit` has proved; failures still count against their tools. State None: not done.
    """
    proved = state.learned is not None and state.learned.fusion.fitted
    if proved or len(traces) < PROOF or not report.comparisons or decide(report.comparisons, on_every_part=("cosine",)).passed:
        return Fitted(None, report)
    learned = replace(Learned.cold_start(state.catalog), fusion=Fusion.doubted())
    cosine = replace(ModelState.untrained(state.catalog, state.config), cooccurrence=state.cooccurrence, learned=learned)
    after = replace(cosine, learned=_with_memory(cosine, traces, np.arange(len(traces)), None))
    return Fitted(after, replace(report, reason=f"back to cosine: {report.reason}"))


def _candidates(
    start: ModelState, traces: Traces, taught: Traces, training: Int64, trainer: Trainer | None
) -> Iterator[_Candidate]:
    """From all that was learned to little: parameters and memory, a quarter of the step, memory alone, memory without who dominates."""
    n = len(traces)
    everything, trained_on = np.arange(n), taught.take(training).tools
    if trainer is not None:
        remembered = _with_memory(start, traces, everything, trained_on)
        full = trainer.result()
        yield _Candidate(replace(start, params=full, learned=remembered), True, "")
        step = full.copy()
        step.buffer[:] = start.params.buffer + np.float32(0.25) * (full.buffer - start.params.buffer)
        yield _Candidate(replace(start, params=step, learned=remembered), True, "")
    yield _Candidate(replace(start, learned=_with_memory(start, traces, everything, None)), False, "remembered only")
    quiet = everything[~dominated(traces)]
    if 0 < len(quiet) < n:
        yield _Candidate(
            replace(start, learned=_with_memory(start, traces, quiet, None)),
            False,
            f"{len(quiet)} of {len(traces)} remembered only",
        )


def judged(traces: Traces) -> Traces:
    """The traces that teach parameters: with an embedding, no failure of an outage, and no tool with more than a quarter of the weight."""
    norms = np.abs(traces.vectors(np.arange(len(traces)))).max(axis=1, initial=0.0)
    chosen = traces.take(np.flatnonzero((norms > 0.0) & ~outage(traces) & (traces.tools.degrees > 0)))
    if not len(chosen):
        return chosen
    share = np.minimum(1.0, MOST * len(chosen) / alike(chosen))
    return replace(chosen, weight=(chosen.weight * share).astype(np.float32))


def _trained(
    state: ModelState,
    traces: Traces,
    training: Int64,
    settings: TrainingConfig,
    seed: int,
    on_epoch: Callable[[Epoch], None] | None,
) -> Trainer:
    """A few steps from the parameters of the model."""
    catalog = state.catalog
    fitted = state.learned is not None and state.learned.fusion.fitted
    speaks = state.config.message_passing and (not fitted or gates_open(state.params))
    examples, model = Examples.build(catalog, traces), replace(state.config, message_passing=speaks)
    trainer = Trainer(
        examples.wide if model.words else examples, state.cooccurrence, model, state.params, settings, training, seed,
        unseen=_unseen(state, traces), provenance=False, on_epoch=on_epoch, stage="partial",
    )  # fmt: skip
    trainer.run()
    return trainer


def _report(
    traces: Traces, settings: TrainingConfig, trainer: Trainer | None, accepted: bool, reason: str, comparisons: list[Comparison],
    seed: int, began: float,
) -> TrainReport:  # fmt: skip
    progress = None if trainer is None else trainer.progress
    ids = [] if trainer is None else trainer.examples.traces.ids.tolist()
    td = [] if progress is None else progress.td.tolist()
    return TrainReport(
        accepted=accepted,
        reason=reason,
        epochs=[] if progress is None else progress.history,
        losses=[] if progress is None else progress.losses,
        comparisons=comparisons,
        validation={},
        weights={},
        choices=settings.to_dict(),
        td_errors={key: error for key, error in zip(ids, td, strict=True) if not math.isnan(error)},
        gradient_norms={} if trainer is None else trainer.gradient_norms,
        seconds={"total": time.perf_counter() - began},
        seed=seed,
        n_traces=len(traces),
        skipped=list(traces.skipped),
    )


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
    if state.learned is not None:
        known = set(state.learned.tool_ids) - state.learned.unseen
        unseen &= np.array([t.id not in known for t in state.catalog.tools], bool)
    return unseen


def _with_memory(state: ModelState, traces: Traces, rows: Int64, trained_on: Incidence | None) -> Learned:
    """What the model learned before, with the traces of `rows` in its memory; tools that were trained on are unseen no more."""
    learned = state.learned
    assert learned is not None
    channels, _ = learned.over(state.catalog)
    memory = channels.memory.extended(Memory.of(traces, rows))
    ids = tuple(t.id for t in state.catalog.tools)
    seen = set(learned.tool_ids) - learned.unseen
    if trained_on is not None:
        seen |= {ids[t] for t in trained_on.indices.tolist()}
    return Learned(learned.fusion, memory, ids, frozenset(t for t in ids if t not in seen))
