"""`fit`: held-out predictions, what they decide, and the final training on all traces."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from .. import _check
from ..errors import InputError, TraceError
from ..metrics.gate import compare, kept
from ..metrics.ranking import criterion, per_query
from ..model import ModelState
from ..model.channels import CHANNELS, Learned
from ..model.hashing import HASHED_WORDS
from ..model.index import build
from ..model.memory import Memory
from ..traces import Traces
from ..traces.columns import digest
from .calibrate import calibrate, thresholds
from .checkpoint import Checkpoint
from .config import TrainingConfig
from .cross_fit import CrossFit, Folds, Runs
from .examples import Examples
from .home import homes, staying
from .reference import Part, Reference, descriptions, earlier, held_out, loses_descriptions
from .report import TrainReport
from .selection import Candidate, Selection, Variant, against_baselines, choose
from .trainer import Epoch, Trainer
from .validation import unseen_tools

OnEpoch = Callable[[Epoch], None]

TRACES_PER_TOOL = 1  # from here on it is tried whether tools and capabilities should learn offsets of their own
FEWEST_OF_WORDS = 200  # traces below which words are not tried: of 82 they learned what other tasks do not bear out
LOOKED_AT = 1000  # traces that tell whether most have a text
FORGIVEN = 0.01  # of the criterion
FEWEST_NEW = 8  # held-out traces below which a model is not compared with the one before
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
) -> Fitted:
    """Learns from traces, from scratch, and hands a model out only if held-out traces say that it ranks better than frozen cosine.

    Folds of traces are held out, whole tools among them; a capability that only held-out traces gave rise to is unknown. From the
    held-out predictions come message passing and offsets or not, the channel weights and the decision. Then one model is trained on all
    traces. Nothing of an earlier training goes into it.

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
    most = 1 if unvalidated else (1 + len(free)) * len(folds) + 1
    runs = Runs(state, Examples.build(state.catalog, traces), settings, seed, on_epoch, saved, most)
    if unvalidated:
        variant = Variant(given["message_passing"] is not False, given["node_offsets"] is not False, given["words"] is True)
        return _finished(runs, len(folds), started, variant, None, "trained without validation")
    if len(traces) < FEWEST:
        reason = f"{len(traces)} traces are too few to validate on, at least {FEWEST} are needed"
        return Fitted(None, _report(runs, len(folds), started, None, None, None, reason))
    folded = CrossFit(runs, folds, channels)
    first = Variant(**{name: bool(value) for name, value in given.items()})
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
    fitted = _finished(runs, len(folds), started, chosen.variant, selection, why)
    if force:
        return fitted
    asked = traces.take(np.concatenate([held.rows for held in folded.held]))
    lost = _behind(state, chosen, asked, np.random.default_rng([seed, 6]))
    return _refused(fitted, lost) if lost else _kept(state, fitted, traces, np.random.default_rng([seed, 5]))


def _behind(before: ModelState, chosen: Candidate, asked: Traces, rng: np.random.Generator) -> str:
    """Why held-out predictions for `asked` speak for the model before, "" where they do not.

    Only intents count that it has not learned from: on its own ones it is better than any model can be on what it has not seen. A point is
    forgiven: who made these predictions had fewer traces than the model that comes of it.
    """
    known = () if before.learned is None else set(before.learned.memory.ids)
    rows = np.flatnonzero(np.array([key not in known for key in asked.ids.tolist()], bool) & (asked.relevant.degrees > 0))
    if not known or len(rows) < FEWEST_NEW:
        return ""
    held = chosen.held.take(rows)
    ours = criterion(per_query(chosen.fusion.combine(held.scores, held.unseen), held.wanted, (5,)))
    theirs = held_out(asked.take(rows)).judge(build(before, 1)).criterion
    verdict = kept([test] if (test := compare("before", "new", ours + FORGIVEN, theirs, rng)) else [], one_of_many=False)
    return "" if verdict.passed else verdict.reason


def _refused(fitted: Fitted, reason: str) -> Fitted:
    return Fitted(None, replace(fitted.report, accepted=False, reason=reason))


def _kept(before: ModelState, fitted: Fitted, traces: Traces, rng: np.random.Generator) -> Fitted:
    """The new model if it takes nothing away: neither tools that no trace mentions, nor what the model before had learned
    from other traces than these.

    Where tools are no longer found by their own descriptions, intents away from all traffic are left to cosine; see `Fusion.home`. For tools
    without traces this is done whatever it costs. Where they are the most, it is done for the others too, as long as their descriptions lie
    apart from the traffic: else half of the traffic would be left to cosine with them.
    """
    assert fitted.state is not None
    idle, after = descriptions(before, traces.tools, rng), fitted.state
    if 2 * idle.of >= len(before.catalog.tools):
        after, _ = _at_home(after, descriptions(before, None, rng), apart=True)
    after, lost = _at_home(after, idle)
    if not lost and before.learned is not None:
        channels, _ = before.learned.over(before.catalog)
        verdict, _ = Reference.of(before, [earlier(channels.memory, rng, set(traces.ids.tolist()))]).verdict(
            after, rng, one_of_many=False
        )
        lost = "" if verdict.passed else verdict.reason
    return _refused(fitted, lost) if lost else Fitted(after, fitted.report)


def _at_home(state: ModelState, asked: Part, apart: bool = False) -> tuple[ModelState, str]:
    """The model with the first home that lets it find what is asked for, or as it is; and what it still loses."""
    lost = loses_descriptions(state, asked)
    for home in homes(state, asked.x, apart=apart) if lost else ():
        at_home = staying(state, home)
        if not loses_descriptions(at_home, asked):
            return at_home, ""
    return state, lost


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


def _finished(runs: Runs, n_folds: int, started: float, variant: Variant, selection: Selection | None, reason: str) -> Fitted:
    """The final training on all traces, with the channel weights that were chosen."""
    before, traces = runs.state, runs.examples.traces
    everything = np.arange(len(traces))
    trainer = runs.train("all traces", variant, everything)
    learned = None
    if selection is not None:
        ids = tuple(t.id for t in before.catalog.tools)
        unseen = unseen_tools(traces.tools, everything, len(ids))
        never = frozenset(t for t, u in zip(ids, unseen.tolist(), strict=True) if u)
        learned = Learned(selection.chosen.fusion, Memory.of(traces, everything), ids, never)
    report = _report(runs, n_folds, started, trainer, variant, selection, reason)
    config = replace(before.config, node_offsets=variant.node_offsets, words=variant.words)
    _done(runs.checkpoint)
    return Fitted(ModelState(before.catalog, config, trainer.result(), before.cooccurrence, learned, report.to_dict()), report)


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
