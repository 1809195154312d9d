"""The first step: which traces there are, and whether they are fit to be learned from."""

import numpy as np

from ..drift import Report, compared, kept
from ..drift import validation as data
from ..errors import InputError
from ..features.validation import Limits
from ..store.feature_build import check_features
from ..traces import Trace
from .runs import Run
from .snapshot import Snapshot, latest
from .work import Outcome, Work

SEED = 0  # of the permutations: the same traces give the same answer


def validate_data(work: Work) -> Outcome:
    """Checks schema, dimensions, numbers, collapse, age, features and drift; and chooses the traces of the run."""
    settings, now = work.settings.data, work.store.clock()
    traces = latest(work.store, settings, work.user, now)
    work.say(f"{len(traces)} traces of the last {settings.window}")
    report = checked(work, traces, now)
    facts = {"traces": len(traces), "catalog": work.catalog.checksum, **report.to_dict()}
    failed = [c for c in report.checks if c.status == "fail"]
    if failed:
        first = f"{failed[0].message}; {failed[0].remedy}" if failed[0].remedy else failed[0].message
        more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
        return Outcome(False, f"{failed[0].name}: {first}{more}", facts)
    snapshot = Snapshot.of(traces, work.catalog, settings)
    snapshot.save(work.folder)
    facts["snapshot"] = snapshot.to_dict()
    warned = [c.name for c in report.checks if c.status == "warn"]
    reason = f"{len(snapshot.train)} traces to learn from, {len(snapshot.held_out)} later ones held out"
    return Outcome(True, reason + (f"; worth a look: {', '.join(warned)}" if warned else ""), facts)


def checked(work: Work, traces: list[Trace], now: float) -> data.Report:
    """Every check of the data: one report."""
    features = None
    if work.store.feature_state() is not None:
        features = check_features(work.store, Limits(max_age_hours=work.settings.data.limits.max_age_hours))
    return data.validate(
        traces, dimension=work.store.dimension, now=now, catalog=work.catalog, features=features, drift=_drift(work),
        limits=work.settings.data.limits,
    )  # fmt: skip


def unchanged(run: Run, before: list[Run]) -> Run | None:
    """The latest earlier run that came to its end with the same traces, catalogue and settings; None where there is something new."""
    new = run.steps["validate-data"].facts["snapshot"]["fingerprint"]
    for other in reversed(before):
        first = other.steps.get("validate-data")
        known = first.facts.get("snapshot", {}).get("fingerprint") if first is not None else None
        if known == new and other.settings == run.settings and other.status in ("promoted", "refused", "rolled back"):
            return other
    return None


def _drift(work: Work) -> Report | None:
    """What came in since the version that serves was made, beside its reference; None where there is too little of either."""
    try:
        found = kept.serving(work.store, work.catalog, user_id=work.user)
        window = kept.since(work.store, work.catalog, found.made_at, user_id=work.user)
    except InputError:  # nothing serves yet, or too few executions before it
        return None
    return compared(found.reference, window, np.random.default_rng(SEED)) if len(window) else None
