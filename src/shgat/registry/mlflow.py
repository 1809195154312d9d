"""A registry whose versions are those of a registered model in MLflow.

Files, facts and metrics lie in MLflow. Its aliases are moved without looking at what they named before, so that of two processes the slower
one would win unseen; ours, and the log of their moves, are rows of a store, and MLflow's follow them.
"""

import math
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from .. import _check
from .._files import sha256
from ..errors import DamagedError, InputError, MissingExtraError, ShgatError, StoreError
from ..store import ALIASES, ANYTHING, Anything, Move, Store
from .contract import Registry, Version

if TYPE_CHECKING:
    from mlflow import MlflowClient

_FILE, _FACTS = "model.safetensors", "facts.json"
_TRIES = 20  # of a mirror that is overtaken again and again


class MlflowRegistry(Registry):
    """The versions of a registered model.

    Parameters
    ----------
    store : of the aliases and their log, and of the traces that the gate asks for
    uri : of the tracking server or database, such as http://127.0.0.1:5000 or sqlite:///mlflow.db
    name : of the registered model, which is made where there is none, and of its experiment
    artifacts : where the files of a new experiment lie, a folder or a URI; None: where the server keeps them
    user_id : whose traces

    Raises
    ------
    MissingExtraError
        MLflow is not installed.
    StoreError
        it cannot be reached.
    """

    def __init__(
        self, store: Store, uri: str, name: str = "shgat", *, artifacts: str | Path | None = None, user_id: str = "local"
    ) -> None:
        super().__init__(store, f"mlflow:{_check.storable_text(name, 'name')}", user_id)
        self.name = name
        self._client = _client(_check.text(uri, "uri"))
        self._experiment = self._asked(lambda: self._prepare(artifacts))
        self.mirror()

    def add(self, data: bytes, facts: Mapping[str, Any]) -> Version:
        try:
            described = orjson.dumps(dict(facts))
        except TypeError as error:
            raise InputError(f"the facts about a model are JSON: {error}") from None
        digest = sha256(len(described).to_bytes(8, "big"), described, data)
        tags = {"sha256": digest, "size": str(len(data))}
        tags |= {key: str(facts[key]) for key in ("catalog", "encoder", "parent", "trained_at") if facts.get(key) not in (None, "")}

        def registered() -> Any:
            run = self._client.create_run(self._experiment)
            for key, value in _figures(facts.get("metrics") or {}).items():
                self._client.log_metric(run.info.run_id, key, value)
            with tempfile.TemporaryDirectory() as folder:
                for file, content in ((_FILE, data), (_FACTS, described)):
                    Path(folder, file).write_bytes(content)
                self._client.log_artifacts(run.info.run_id, folder, "model")
            self._client.set_terminated(run.info.run_id)
            return self._client.create_model_version(self.name, f"{run.info.artifact_uri}/model", run_id=run.info.run_id, tags=tags)

        return self._version(self._asked(registered), dict(facts))

    def versions(self) -> list[Version]:
        found = self._asked(lambda: self._client.search_model_versions(f"name='{self.name}'", max_results=10_000))
        return [self._version(v, _told(v.tags)) for v in sorted(found, key=lambda v: int(v.version))]

    def version(self, number: int) -> Version:
        found, _, facts = self._read(number)
        return self._version(found, facts)

    def data(self, number: int) -> bytes:
        return self._read(number)[1]

    def move(self, alias: str, number: int | None, *, expected: int | Anything | None = ANYTHING, **told: Any) -> Move:
        move = super().move(alias, number, expected=expected, **told)
        self.mirror()
        return move

    def mirror(self) -> None:
        """Lets MLflow's aliases name what ours name: after each move, and when a registry is opened, since a process may have been killed
        between the two."""
        for _ in range(_TRIES):
            ours = self.aliases()
            self._asked(lambda ours=ours: self._follow(ours))  # type: ignore[misc]
            if self.aliases() == ours:  # else it was moved meanwhile, and whoever moved it may have been first
                return

    def _follow(self, ours: Mapping[str, int]) -> None:
        theirs = self._client.get_registered_model(self.name).aliases
        for alias in ALIASES:
            if alias in ours and str(theirs.get(alias)) != str(ours[alias]):
                self._client.set_registered_model_alias(self.name, alias, str(ours[alias]))
            elif alias in theirs and alias not in ours:
                self._client.delete_registered_model_alias(self.name, alias)

    def _prepare(self, artifacts: str | Path | None) -> str:
        from mlflow.exceptions import MlflowException

        experiment = self._client.get_experiment_by_name(self.name)
        if experiment is None:
            place = None if artifacts is None else str(artifacts)
            identity = self._client.create_experiment(self.name, artifact_location=place)
        else:
            identity = experiment.experiment_id
        try:
            self._client.get_registered_model(self.name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            self._client.create_registered_model(self.name)
        return str(identity)

    def _read(self, number: int) -> tuple[Any, bytes, dict[str, Any]]:
        """MLflow's record of a version, its file and its facts, verified."""
        from mlflow.artifacts import download_artifacts

        what = f"{self.name} in MLflow: model version {number}"
        found = self._asked(lambda: self._client.get_model_version(self.name, str(number)), f"{what}: there is no such version")
        with tempfile.TemporaryDirectory() as folder:
            try:
                place = Path(self._asked(lambda: download_artifacts(
                    artifact_uri=found.source, dst_path=folder, tracking_uri=self._client.tracking_uri,
                )))  # fmt: skip
                data, described = (place / _FILE).read_bytes(), (place / _FACTS).read_bytes()
            except (OSError, StoreError) as error:
                raise DamagedError(f"{what} cannot be read: {error}; promote another version") from None
        if sha256(len(described).to_bytes(8, "big"), described, data) != found.tags.get("sha256"):
            raise DamagedError(f"{what} is damaged: its SHA-256 does not match; promote another version")
        return found, data, orjson.loads(described)

    def _version(self, found: Any, facts: dict[str, Any]) -> Version:
        return Version(int(found.version), found.creation_timestamp / 1000.0, int(found.tags.get("size", 0)), facts)

    def _asked(self, call: Callable[[], Any], missing: str = "") -> Any:
        """What MLflow answers; StoreError where it does not, or where it does not know of it."""
        from mlflow.exceptions import MlflowException

        try:
            return call()
        except MlflowException as error:
            if missing and error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                raise StoreError(missing) from None
            raise StoreError(f"MLflow: {' '.join(str(error).split())[:300]}; check its URI and that it runs") from None
        except ShgatError:
            raise
        except Exception as error:  # of whatever transport and database lie below
            raise StoreError(f"MLflow: {type(error).__name__}: {str(error)[:300]}; check its URI and that it runs") from None


def _client(uri: str) -> "MlflowClient":
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    try:
        from mlflow import MlflowClient
    except ImportError as error:
        raise MissingExtraError(error.name or "mlflow", "mlflow") from None
    try:
        return MlflowClient(uri, uri)
    except Exception as error:  # of whatever the URI names
        raise StoreError(f"MLflow: {type(error).__name__}: {str(error)[:300]}; check its URI") from None


def _told(tags: Mapping[str, str]) -> dict[str, Any]:
    """The facts that stand in tags: what a list shows without reading files."""
    facts: dict[str, Any] = {key: tags[key] for key in ("catalog", "encoder") if key in tags}
    return facts | {key: read(tags[key]) for key, read in (("parent", int), ("trained_at", float)) if key in tags}


def _figures(metrics: Mapping[str, Any]) -> dict[str, float]:
    """Held-out figures as MLflow takes them: its names have no "@"."""
    found: dict[str, float] = {}
    for ranker, parts in (metrics.get("validation") or {}).items():
        for part, values in parts.items():
            for name, value in values.items():
                if isinstance(value, int | float) and math.isfinite(value):
                    found[f"{ranker}.{part}.{name.replace('@', '_at_')}"] = float(value)
    return found
