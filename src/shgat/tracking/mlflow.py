"""Runs in MLflow: an experiment of its, and a run of its for each run."""

import math
import os
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from ..errors import MissingExtraError, TrackingError
from .contract import Tracker
from .folder import one_of
from .run import Point, Run, Status, artefact_name

if TYPE_CHECKING:
    pass

_LONGEST, _AT_ONCE = 500, 1000  # characters of a parameter, and metrics of a call, that MLflow takes
_STATUS: dict[Status, str] = {"running": "RUNNING", "completed": "FINISHED", "failed": "FAILED", "killed": "KILLED"}
_OURS: dict[str, Status] = {theirs: ours for ours, theirs in _STATUS.items()}
_RUN, _HYPOTHESIS, _DECISIVE, _ERROR = "shgat.run", "shgat.hypothesis", "shgat.metrics", "shgat.error"


class MlflowTracker(Tracker):
    """Runs of experiments in MLflow.

    Parameters
    ----------
    uri : of a tracking server or database, such as http://127.0.0.1:5000 or sqlite:///mlflow.db
    artifacts : where the files of a new experiment lie, a folder or URI; None: where the server keeps them

    Raises
    ------
    MissingExtraError
        MLflow is not installed.
    """

    def __init__(self, uri: str, *, artifacts: str | Path | None = None, clock: Callable[[], float] = time.time) -> None:
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        try:
            from mlflow import MlflowClient
        except ImportError:
            raise MissingExtraError("mlflow", "mlflow") from None
        self.name, self.clock, self._artifacts = f"mlflow {uri}", clock, artifacts
        self._client: MlflowClient = MlflowClient(uri)
        self._ids: dict[str, str] = {}

    def begin(self, run: Run) -> None:
        def begun() -> str:
            found = self._client.get_experiment_by_name(run.experiment)
            place = None if self._artifacts is None else str(self._artifacts)
            experiment = self._client.create_experiment(run.experiment, place) if found is None else found.experiment_id
            about = {_RUN: run.id, _HYPOTHESIS: run.hypothesis, _DECISIVE: orjson.dumps(run.decisive).decode()}
            made = self._client.create_run(experiment, round(1000.0 * run.started_at), {**run.tags, **about}, run.id)
            self._log(made.info.run_id, params=run.parameters)
            return str(made.info.run_id)

        self._ids[run.id] = self._asked(begun)

    def write(self, run_id: str, points: Sequence[Point]) -> None:
        from mlflow.entities import Metric

        theirs = self._theirs(run_id)
        for start in range(0, len(points), _AT_ONCE):
            batch = [Metric(_key(p.name), p.value, round(1000.0 * p.at), p.step) for p in points[start : start + _AT_ONCE]]
            self._asked(lambda batch=batch: self._client.log_batch(theirs, metrics=batch))  # type: ignore[misc]

    def keep(self, run_id: str, name: str, data: bytes) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, artefact_name(name))
            path.write_bytes(data)
            self._asked(lambda: self._client.log_artifact(self._theirs(run_id), str(path)))

    def end(self, run: Run) -> None:
        theirs = self._theirs(run.id)
        if run.error:
            self._asked(lambda: self._client.set_tag(theirs, _ERROR, run.error))
        self._asked(lambda: self._client.set_terminated(theirs, _STATUS[run.status], round(1000.0 * (run.ended_at or 0.0))))

    def runs(self, experiment: str | None = None) -> list[Run]:
        def found() -> list[Any]:
            of = [e for e in self._client.search_experiments() if experiment in (None, e.name)]
            rows = self._client.search_runs([e.experiment_id for e in of], order_by=["attributes.start_time DESC"]) if of else []
            names = {e.experiment_id: e.name for e in of}
            return [(names[r.info.experiment_id], r) for r in rows if _RUN in r.data.tags]

        made = [self._run(name, row) for name, row in self._asked(found)]
        return sorted(made, key=lambda r: (-r.started_at, r.id))

    def find(self, run_id: str) -> Run:
        runs = {r.id: r for r in self.runs()}
        return runs[one_of(sorted(runs), run_id, self.name)]

    def points(self, run_id: str) -> list[Point]:
        run = self.find(run_id)
        theirs = self._theirs(run.id)
        found = [
            Point(_name(m.key), m.value, m.step, m.timestamp / 1000.0)
            for key in self._asked(lambda: self._client.get_run(theirs).data.metrics)
            for m in self._asked(lambda key=key: self._client.get_metric_history(theirs, key))  # type: ignore[misc]
        ]
        return sorted(found, key=lambda p: (p.at, p.step))

    def artefact(self, run_id: str, name: str) -> bytes:
        run = self.find(run_id)
        if artefact_name(name) not in run.artefacts:
            raise TrackingError(f"run {run.id} keeps no {name!r}; it keeps {', '.join(run.artefacts) or 'nothing'}")
        with tempfile.TemporaryDirectory() as folder:
            return Path(self._asked(lambda: self._client.download_artifacts(self._theirs(run.id), name, folder))).read_bytes()

    # ---------------------------------------------------------------- between theirs and ours
    def _run(self, experiment: str, row: Any) -> Run:
        tags, run_id = row.data.tags, row.data.tags[_RUN]
        self._ids[run_id] = row.info.run_id
        kept = tuple(sorted(f.path for f in self._client.list_artifacts(row.info.run_id)))
        ended = row.info.end_time
        return Run(
            run_id, experiment, tags.get(_HYPOTHESIS, ""), tuple(orjson.loads(tags.get(_DECISIVE, "[]"))),
            _OURS.get(row.info.status, "running"), row.info.start_time / 1000.0, None if not ended else ended / 1000.0,
            {_name(k): _value(v) for k, v in row.data.params.items()},
            {k: v for k, v in tags.items() if not k.startswith(("shgat.", "mlflow."))},
            {_name(k): v for k, v in row.data.metrics.items()}, kept, tags.get(_ERROR, ""),
        )  # fmt: skip

    def _log(self, theirs: str, params: Mapping[str, Any]) -> None:
        from mlflow.entities import Param

        rows = [Param(_key(k), orjson.dumps(v).decode()[:_LONGEST]) for k, v in params.items()]
        for start in range(0, len(rows), 100):
            self._client.log_batch(theirs, params=rows[start : start + 100])

    def _theirs(self, run_id: str) -> str:
        if run_id not in self._ids:
            self.runs()
        if run_id not in self._ids:
            raise TrackingError(f"{self.name}: there is no run {run_id!r}")
        return self._ids[run_id]

    def _asked(self, ask: Callable[[], Any]) -> Any:
        try:
            return ask()
        except Exception as error:  # whatever MLflow, its database or the network raises
            if isinstance(error, TrackingError):
                raise
            raise TrackingError(f"{self.name}: {error}") from error


def _key(name: str) -> str:
    """MLflow takes no @."""
    return name.replace("@", "_at_")


def _name(key: str) -> str:
    return key.replace("_at_", "@")


def _value(text: str) -> Any:
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
    return None if isinstance(found, float) and math.isnan(found) else found
