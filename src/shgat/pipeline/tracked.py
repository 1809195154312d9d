"""A run of the pipeline beside other experiments, in the tracker of the settings: once, when it ends."""

import logging
from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import ShgatError
from ..tracking import Experiment, open_tracker
from .runs import Run

_log = logging.getLogger("shgat")
EXPERIMENT = Experiment("pipeline", "what came in lately makes a better ranking than what serves", ("compare.metrics.recall@5",))
_TAG = "pipeline_run"


def track(place: str, run: Run, page: bytes) -> None:
    """Keeps settings, figures of every step and the page of a run that ended, where it has not been kept already.

    A tracker that fails is said in the log, and stops nothing.

    Parameters
    ----------
    place : as `shgat.tracking.open_tracker` takes it
    """
    try:
        tracker = open_tracker(place)
        if any(known.tags.get(_TAG) == run.id for known in tracker.runs(EXPERIMENT.name)):
            return
        reasons = {f"{name}.status": step.status for name, step in run.steps.items()}
        tags = {_TAG: run.id, "ended": run.status, **reasons}
        with tracker.run(EXPERIMENT, parameters=run.settings, tags=tags) as recorder:
            for i, (name, step) in enumerate(run.steps.items()):
                seconds = (step.ended_at or step.began_at) - step.began_at
                recorder.log({f"{name}.seconds": seconds, **dict(_figures(name, step.facts))}, i)
            recorder.keep("report.html", page)
    except (ShgatError, OSError) as error:
        _log.warning("run %s is not tracked: %s", run.id, error)


def _figures(name: str, facts: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Every number of nested facts, by names joined by dots; lists are left alone."""
    for key, value in facts.items():
        if isinstance(value, Mapping):
            yield from _figures(f"{name}.{key}", value)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield f"{name}.{key}", float(value)
