"""`fit`: held-out predictions, what they decide, and the final training on all traces."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from .. import _check
from .._types import Int64
from ..errors import InputError, TraceError
from ..executor import Executor
from ..model import ModelState
from ..model.channels import CHANNELS, Learned
from ..model.hashing import HASHED_WORDS
from ..model.memory import Memory
from ..traces import Traces
from ..traces.columns import digest
from .calibrate import calibrate, thresholds
from .checkpoint import Checkpoint
from .config import TrainingConfig
from .cross_fit import CrossFit, Folds, Runs
from .dominance import cost, dominated, without
from .examples import Examples
from .replacing import behind, keeping
from .report import TrainReport
from .selection import Selection, Variant, against_baselines, choose
from .trainer import Epoch, Trainer
from .validation import unseen_tools

OnEpoch = Callable[[Epoch], None]

TRACES_PER_TOOL = 1  # from here on it is tried whether tools and capabilities should learn offsets of their own
FEWEST_OF_WORDS = 200  # traces below which words are not tried: of 82 they learned what other tasks do not bear out
LOOKED_AT = 1000  # traces that tell whether most have a text
FEWEST = 16  # traces below which nothing can be validated


@dataclass(frozen=True, eq=False)
class Fitted:
    """What a training gives back: the model that came of it, None where it was refused and nothing changes, and the report."""

    state: ModelState | None
    report: TrainReport


def fit(
    state: ModelState,
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
    words: bool | None = None,
    on_epoch: OnEpoch | None = None,
    checkpoint: str | Path | None = None,
    resume: bool = False,
    keep_checkpoint: bool = False,
    force: bool = False,
    executor: Executor | None = None,
) -> Fitted:
    """Learns from traces, from scratch, and hands a model out only if held-out traces say that it ranks better than frozen cosine.

    Folds of traces are held out, whole tools among them; a capability that only held-out traces gave rise to is unknown. From the
    held-out predictions come message passing and offsets or not, the channel weights and the decision. Then one model is trained on all
    traces. Nothing of an earlier training goes into it. Where one set of tools has more than a quarter of the traces, a model is trained
    without those too: they are left out where the others' held-out intents are ranked worse because of them.

    Parameters
    ----------
    epochs, batch_size, lr : come before those of `config`
    seed : of everything random; the same seed gives the same bits
    config : settings; what is None in it is chosen by the number of traces, see `TrainingConfig.for_fit`
    validation : "none" trains on all traces at once, chooses no channel weights and hands out what comes, with message passing
    channels : those that may have a weight
    message_passing : whether the graph speaks; None: where that is better on held-out traces by about a standard error. A model whose
        configuration has none stays without
    node_offsets : whether nodes learn offsets; None: the same, tried from a trace a tool on, or where the configuration of an untrained
        model says so
    words : whether words are seen beside the embeddings, see `model.wide`; None: the same, tried from 200 traces on where most have a text
        and the embeddings are not made of words themselves
    on_epoch : called after each epoch of each run
    checkpoint, resume : a file to keep the state in after each epoch, and whether to go on from it
    keep_checkpoint : leave the file there at the end, for who removes it once the model is stored; else `fit` removes it
    force : hand the result out even where it is not better
    executor : where folds and variants are trained at once; None: one after the other, here. The result has the same bits, and a checkpoint
        whole runs instead of their epochs

    Returns
    -------
    Fitted : the new state, None where it was refused, and the report

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
    settings = TrainingConfig.for_fit(len(traces), overridden(config, epochs=epochs, batch_size=batch_size, lr=lr))
    given = _given(state, traces, message_passing, node_offsets, words)
    saved = None
    if checkpoint is not None:
        identity = _identity(state, traces, settings, seed, validation, given)
        saved = Checkpoint.open(Path(checkpoint), identity, resume, keep_checkpoint)
    folds = Folds().split(traces, len(state.catalog.tools), np.random.default_rng([seed, 1]))
    free = [name for name, value in given.items() if value is None]
    unvalidated = validation == "none" or (force and len(traces) < FEWEST)
    many = dominated(traces)
    doubtful = bool(many.any()) and len(traces) - int(many.sum()) >= FEWEST
    most = 1 if unvalidated else (1 + len(free) + doubtful) * len(folds) + 1
    runs = Runs(state, Examples.build(state.catalog, traces), settings, seed, on_epoch, saved, most, executor)
    if unvalidated:
        variant = Variant(given["message_passing"] is not False, given["node_offsets"] is not False, given["words"] is True)
        return _finished(runs, np.arange(len(traces)), len(folds), started, variant, None, "trained without validation")
    if len(traces) < FEWEST:
        reason = f"{len(traces)} traces are too few to validate on, at least {FEWEST} are needed"
        return Fitted(None, _report(runs, len(folds), started, None, None, None, reason))
    folded = CrossFit(runs, folds, channels)
    first = Variant(**{name: bool(value) for name, value in given.items()})
    alone = CrossFit(runs, without(folds, many), channels, " without those of one set of tools") if doubtful else None
    second = [replace(first, **{name: True}) for name in free[:1]]  # tried whatever comes of the first
    runs.ahead([*folded.stages(first), *(alone.stages(first) if alone else ()), *folded.stages(*second)])
    rows, left_out = np.arange(len(traces)), ""
    if alone is not None:
        shared = ~many[np.concatenate([held.rows for held in folded.held])]
        if lost := cost(folded.candidate(first), alone.candidate(first), shared, np.random.default_rng([seed, 7])):
            folded, rows = alone, np.flatnonzero(~many)
            left_out = f"; {int(many.sum())} traces of one set of tools are left out: {lost}"
    chosen, trials = choose(folded.candidate, first, free, np.random.default_rng([seed, 4]))
    chosen = replace(chosen, fusion=calibrate(chosen.fusion, chosen.held, folded.closest))
    min_scores = thresholds(chosen.fusion, chosen.held, folded.closest)
    selection = Selection(
        chosen, trials, *against_baselines(chosen, folded.popularity, np.random.default_rng([seed, 3])), min_scores
    )
    verdict = selection.verdict
    if not verdict.passed and not force:
        _done(saved)
        return Fitted(None, _report(runs, len(folds), started, None, chosen.variant, selection, verdict.reason))
    why = "better than frozen cosine on held-out traces" if verdict.passed else f"forced, although {verdict.reason}"
    fitted = _finished(runs, rows, len(folds), started, chosen.variant, selection, why + left_out)
    if force or fitted.state is None:
        return fitted
    asked = traces.take(np.concatenate([held.rows for held in folded.held]))
    after, lost = fitted.state, behind(state, chosen, asked, np.random.default_rng([seed, 6]))
    if not lost:
        after, lost = keeping(state, after, traces, np.random.default_rng([seed, 5]))
    return Fitted(None, replace(fitted.report, accepted=False, reason=lost)) if lost else Fitted(after, fitted.report)


def overridden(config: TrainingConfig | None, **asked: Any) -> TrainingConfig:
    """The configuration with what was asked for beside it, where that is not None."""
    return replace(config or TrainingConfig(), **{name: value for name, value in asked.items() if value is not None})


def _given(
    state: ModelState, traces: Traces, message_passing: bool | None, node_offsets: bool | None, words: bool | None
) -> dict[str, bool | None]:
    """What is settled before any validation; None: to be tried, in this order. Where offsets help they leave less for the others to do."""
    n = len(traces)
    if words is None and (n < FEWEST_OF_WORDS or state.catalog.encoder.startswith(HASHED_WORDS) or not _spoken(traces)):
        words = False
    if node_offsets is None and state.config.node_offsets and state.learned is None:
        node_offsets = True
    if node_offsets is None and n < TRACES_PER_TOOL * len(state.catalog.tools):
        node_offsets = False
    if not state.config.message_passing or not state.catalog.hierarchy.levels:
        message_passing = False
    return {"node_offsets": node_offsets, "words": words, "message_passing": message_passing}


def _spoken(traces: Traces) -> bool:
    """Have most traces a text?"""
    rows = np.linspace(0, len(traces) - 1, min(len(traces), LOOKED_AT)).astype(np.int64)
    return 2 * sum(bool(str(traces.texts[i]).strip()) for i in rows.tolist()) > len(rows)


def _identity(
    state: ModelState, traces: Traces, settings: TrainingConfig, seed: int, validation: str, given: dict[str, bool | None]
) -> dict[str, Any]:
    """What a checkpoint has to agree with."""
    catalog, edges = state.catalog, state.cooccurrence
    return {
        "catalog": catalog.fingerprint,
        "embeddings": digest(catalog.tool_embeddings, catalog.capability_embeddings),
        "cooccurrence": None if edges is None else digest(edges.incidence.indptr, edges.incidence.indices, edges.weights),
        "traces": traces.fingerprint,
        "model": state.config.to_dict(),
        "given": given,
        "training": settings.to_dict(),
        "seed": seed,
        "validation": validation,
    }


def _finished(
    runs: Runs, rows: Int64, n_folds: int, started: float, variant: Variant, selection: Selection | None, reason: str
) -> Fitted:
    """The final training on all traces, or those of `rows`, with the channel weights that were chosen."""
    before, traces = runs.state, runs.examples.traces
    trainer = runs.train("all traces", variant, rows)
    learned = None
    if selection is not None:
        ids = tuple(t.id for t in before.catalog.tools)
        unseen = unseen_tools(traces.tools, rows, len(ids))
        never = frozenset(t for t, u in zip(ids, unseen.tolist(), strict=True) if u)
        learned = Learned(selection.chosen.fusion, Memory.of(traces, rows), ids, never)
    report = _report(runs, n_folds, started, trainer, variant, selection, reason)
    config = replace(before.config, node_offsets=variant.node_offsets, words=variant.words)
    _done(runs.checkpoint)
    return Fitted(
        ModelState(before.catalog, config, trainer.result(), before.cooccurrence, learned, report.to_dict(), before.values), report
    )


def _report(
    runs: Runs,
    n_folds: int,
    started: float,
    final: Trainer | None,
    variant: Variant | None,
    selection: Selection | None,
    reason: str,
) -> TrainReport:
    """The report of a training that ended with the run `final`, or was refused."""
    traces, fusion = runs.examples.traces, None if selection is None else selection.chosen.fusion
    progress, origins = None if final is None else final.progress, runs.examples.capabilities.origins
    td = {} if progress is None else dict(zip(traces.ids.tolist(), progress.td.tolist(), strict=True))
    return TrainReport(
        accepted=final is not None,
        reason=reason,
        epochs=runs.epochs,
        losses=[] if progress is None else progress.losses,
        comparisons=[] if selection is None else selection.comparisons,
        validation={} if selection is None else selection.validation,
        weights={} if fusion is None else {"seen": fusion.seen, "unseen": {**fusion.unseen, "bonus": fusion.bonus}},
        choices={
            **asdict(variant or Variant(False, False)),
            "folds": n_folds,
            "capabilities": origins.to_dict(),
            **runs.settings.to_dict(),
        },
        td_errors={key: value for key, value in td.items() if not math.isnan(value)},  # replay may never draw a trace
        gradient_norms={} if final is None else final.gradient_norms,
        seconds={**runs.seconds, "total": time.perf_counter() - started},
        seed=runs.seed,
        n_traces=len(traces),
        skipped=list(traces.skipped),
        trials=[] if selection is None else selection.trials,
        min_scores={} if selection is None else selection.min_scores,
    )


def _done(checkpoint: Checkpoint | None) -> None:
    if checkpoint is not None:
        checkpoint.done()
