"""The third step: protocols that train and measure anew. Does the recipe pay on what it has not seen?"""

from dataclasses import asdict
from typing import Any

import numpy as np

from .._json import none_for_not_finite
from ..errors import InputError
from ..experiments.counterfactual import DecisionLog, value_on_log
from ..experiments.measurement import Measurement
from ..experiments.pair import CRITERION, Mean, summarize_pair
from ..experiments.protocols import Recipe, run_holdout, run_temporal
from ..metrics.gate import Verdict, compare, kept
from ..traces import Traces
from .work import Outcome, Work

_SHOWN = (CRITERION, "recall@5", "ndcg@5", "hit@1", "mrr")


def evaluate(work: Work) -> Outcome:
    """Runs the protocols of the settings; refused where one says that training ranks worse than frozen cosine.

    A protocol for which there are too few traces says so, and refuses nothing: the gate on held-out traces is the next step. The counterfactual
    estimate is shown and decides nothing, since its interval holds only where the log covers what the candidate would do.
    """
    facts: dict[str, Any] = {}
    refused = ""
    traces = Traces.from_records(work.snapshot.learned_from(work.store), work.catalog)
    for name in work.settings.evaluation.protocols:
        work.say(name)
        try:
            facts[name] = _counterfactual(work) if name == "counterfactual" else _protocol(work, name, traces)
        except InputError as error:
            facts[name] = {"trials": 0, "reason": str(error)}
            continue
        if facts[name].get("passed") is False:
            refused = refused or f"{name}: {facts[name]['reason']}"
    said = "; ".join(f"{name}: {found['reason']}" for name, found in facts.items())
    return Outcome(not refused, refused or said or "no protocol was asked for", none_for_not_finite({"protocols": facts}))


def _protocol(work: Work, name: str, traces: Traces) -> dict[str, Any]:
    settings, seed = work.settings.evaluation, work.settings.training.seed
    recipe = Recipe(seed=seed, options={"epochs": work.settings.training.epochs})
    if name == "holdout":
        trials = run_holdout(work.catalog, traces, recipe, test=settings.test)
    else:
        trials = run_temporal(work.catalog, traces, recipe, train=settings.temporal_train, test=settings.temporal_test)
    ours, theirs = trials.pooled()
    verdict = _verdict(ours, theirs, seed)
    summary = summarize_pair(ours, theirs, rng=np.random.default_rng(seed))["all"]
    means = {"shgat": summary.a, "cosine": summary.b, "difference": summary.difference}
    return {
        "trials": len(trials.trials), "intents": summary.n, "passed": verdict.passed, "reason": verdict.reason,
        "metrics": {metric: {who: _mean(of[metric]) for who, of in means.items()} for metric in _SHOWN},
        "passed_over": [f"{name}: {why}" for name, why in trials.passed_over],
    }  # fmt: skip


def _verdict(ours: Measurement, theirs: Measurement, seed: int) -> Verdict:
    """Is it worse than cosine on no part, as far as the interval tells?"""
    rng, criteria = np.random.default_rng(seed), (ours.criterion, theirs.criterion)
    compared = (compare("cosine", part, criteria[0][rows], criteria[1][rows], rng) for part, rows in ours.parts.items())
    return kept([c for c in compared if c is not None], one_of_many=False)


def _counterfactual(work: Work) -> dict[str, Any]:
    """What the candidate would have earned on the decisions of the store."""
    log = DecisionLog.from_store(work.store, work.catalog)
    found = value_on_log(work.candidate(), log, rng=np.random.default_rng(work.settings.training.seed))
    robust = found.estimates["doubly robust"]
    reason = f"{robust.value:.3f} by the doubly robust estimate, {found.logged.value:.3f} as logged, {len(log)} decisions"
    estimates = {name: asdict(estimate) for name, estimate in found.estimates.items()}
    return {"decisions": len(log), "reason": reason, "logged": asdict(found.logged), "estimates": estimates}


def _mean(mean: Mean) -> list[float]:
    return [mean.value, mean.ci_low, mean.ci_high]
