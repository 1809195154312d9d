"""A registry of each kind over an empty store, and model files for it."""

import importlib.util
from collections.abc import Iterator

import numpy as np
import pytest

from shgat import SHGAT
from shgat.registry import Registry, StoreRegistry, facts_of
from shgat.store import Store
from worlds import catalog, opened

D = 16


@pytest.fixture
def store(sqlite_url: str) -> Iterator[Store]:
    with Store.open(sqlite_url, D, timeout=20.0) as store:
        yield store


MLFLOW = pytest.param("mlflow", marks=pytest.mark.filterwarnings("ignore"))  # its own, of SQLAlchemy and pydantic


@pytest.fixture(params=["sqlite", "postgresql", MLFLOW])
def registry(request: pytest.FixtureRequest, tmp_path) -> Iterator[Registry]:
    """An empty one."""
    kind = "sqlite" if request.param == "mlflow" else request.param
    with Store.open(request.getfixturevalue(f"{kind}_url"), D, timeout=20.0) as store:
        if request.param != "mlflow":
            yield StoreRegistry(store)
            return
        if importlib.util.find_spec("mlflow") is None:
            pytest.skip("mlflow is not installed: pip install '.[mlflow]'")
        from shgat.registry.mlflow import MlflowRegistry

        uri = request.getfixturevalue("mlflow_uri")
        yield MlflowRegistry(store, uri, f"m{tmp_path.name}", artifacts=(tmp_path / "artifacts").as_uri())


@pytest.fixture(scope="session")
def mlflow_uri(tmp_path_factory) -> str:
    """One database for all tests: making one takes seconds."""
    return f"sqlite:///{tmp_path_factory.mktemp('mlflow') / 'mlflow.db'}"


def model(seed: int) -> SHGAT:
    return opened(SHGAT.from_catalog(catalog(), seed=seed), seed)


@pytest.fixture(scope="session")
def files() -> list[bytes]:
    """Model files that differ."""
    return [model(seed).to_bytes() for seed in range(4)]


@pytest.fixture(scope="session")
def facts() -> dict[str, object]:
    return facts_of(model(0), 12.5, parent=3)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)
