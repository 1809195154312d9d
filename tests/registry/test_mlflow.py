"""The registry in MLflow: what the contract does not say; and once on a real server."""

import sys
from pathlib import Path

import pytest

from mlflow_server import mlflow_server
from shgat.errors import DamagedError, MissingExtraError, StoreError
from shgat.registry import facts_of, promote

mlflow = pytest.importorskip("mlflow", reason="mlflow is not installed: pip install '.[mlflow]'")
pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow's own, of SQLAlchemy and pydantic


@pytest.fixture
def opened(store, mlflow_uri, tmp_path):
    from shgat.registry.mlflow import MlflowRegistry

    def open_(name=tmp_path.name):
        return MlflowRegistry(store, mlflow_uri, name, artifacts=(tmp_path / "artifacts").as_uri())

    return open_


def theirs(registry):
    client = mlflow.MlflowClient(registry._client.tracking_uri)
    return {alias: int(version) for alias, version in client.get_registered_model(registry.name).aliases.items()}


def test_its_aliases_follow_ours(opened, files, facts):
    registry = opened()
    a, b = (registry.add(data, facts).number for data in files[:2])
    registry.move("production", a)
    registry.move("canary", b)
    assert theirs(registry) == registry.aliases() == {"production": a, "canary": b}
    registry.move("production", b)
    registry.rollback(who="ann")
    registry.rollback("canary", who="ann")
    assert theirs(registry) == registry.aliases() == {"production": a}


def test_what_a_killed_process_or_somebody_else_left_is_set_right(opened, files, facts):
    registry = opened()
    a, b = (registry.add(data, facts).number for data in files[:2])
    registry.move("production", a)
    registry.store.move_alias("production", b, user_id=registry.owner)  # and was killed before it told MLflow
    client = mlflow.MlflowClient(registry._client.tracking_uri)
    client.set_registered_model_alias(registry.name, "staging", str(a))
    client.set_registered_model_alias(registry.name, "theirs", str(a))
    assert theirs(registry) == {"production": a, "staging": a, "theirs": a}
    assert theirs(opened()) == {"production": b, "theirs": a}


def test_figures_are_metrics_there(opened, trained):
    registry = opened()
    number = registry.add(trained.model.to_bytes(), facts_of(trained.model, 5.0, parent=1)).number
    client = mlflow.MlflowClient(registry._client.tracking_uri)
    run = client.get_run(client.get_model_version(registry.name, str(number)).run_id)
    (ranker, *_) = trained.report.validation
    assert run.data.metrics[f"{ranker}.all.recall_at_5"] == pytest.approx(trained.report.validation[ranker]["all"]["recall@5"])
    assert run.info.status == "FINISHED"
    tags = client.get_model_version(registry.name, str(number)).tags
    assert (tags["catalog"], tags["parent"], tags["trained_at"]) == (trained.catalog.fingerprint, "1", "5.0")


@pytest.mark.parametrize("file", ["model.safetensors", "facts.json"])
def test_what_was_altered_or_lost_is_damaged(opened, files, facts, tmp_path, file):
    registry = opened()
    a, b = (registry.add(data, facts).number for data in files[:2])
    registry.move("production", a)
    registry.move("production", b)
    newest = max(Path(tmp_path, "artifacts").rglob(file), key=lambda path: path.stat().st_mtime_ns)
    data = newest.read_bytes()
    newest.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    for call in (registry.data, registry.version, lambda n: registry.move("staging", n)):
        with pytest.raises(DamagedError, match=f"model version {b} is damaged: its SHA-256 does not match"):
            call(b)
    newest.unlink()
    with pytest.raises(DamagedError, match=f"model version {b} cannot be read"):
        registry.data(b)
    assert registry.rollback(who="ann", why="it is damaged").after == a


def test_models_of_different_names_do_not_share(opened, files, facts):
    one, other = opened("one of two"), opened("two of two")
    number = one.add(files[0], facts).number
    one.move("production", number)
    assert (other.versions(), other.aliases(), other.moves()) == ([], {}, [])
    assert len(opened("one of two").versions()) == 1


def test_what_is_no_mlflow_is_an_error_of_one_line(store):
    from shgat.registry.mlflow import MlflowRegistry

    for uri in ("nowhere://x", f"sqlite:///{Path('/proc/none')}/m.db"):
        with pytest.raises(StoreError, match=r"MLflow: .*check its URI") as caught:
            MlflowRegistry(store, uri)
        assert "\n" not in str(caught.value)


def test_without_the_package_the_extra_is_named(store, monkeypatch):
    from shgat.registry.mlflow import MlflowRegistry

    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(MissingExtraError, match="mlflow"):
        MlflowRegistry(store, "sqlite:///x.db")


@pytest.fixture
def server_uri(tmp_path):
    with mlflow_server(tmp_path) as uri:
        yield uri


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_real_server_keeps_what_the_contract_says(server_uri, trained, sqlite_url):
    from shgat import SHGAT
    from shgat.registry.mlflow import MlflowRegistry
    from shgat.store import Store

    with Store.open(sqlite_url, trained.catalog.dimension) as store:
        registry = MlflowRegistry(store, server_uri, "served")
        untrained = SHGAT.from_catalog(trained.catalog)
        numbers = [registry.add(m.to_bytes(), facts_of(m, 1.0)).number for m in (untrained, trained.model)]
        assert registry.data(numbers[1]) == trained.model.to_bytes()
        for number in numbers:
            promote(registry, number, trained.catalog, trained.test, who="ann")
        assert theirs(registry) == registry.aliases() == {"production": numbers[1]}
        again = MlflowRegistry(store, server_uri, "served")
        assert again.rollback(who="bob", why="a drill").after == numbers[0]
        assert theirs(again) == {"production": numbers[0]}
        assert [v.number for v in again.versions()] == numbers
        with pytest.raises(StoreError, match="version 99: there is no such version"):
            again.version(99)
