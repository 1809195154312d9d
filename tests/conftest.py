"""What is trained once and shared, and the URL of a fresh database on each of the two."""

import gc
import os
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings

from postgres import PostgresServer
from shgat import SHGAT, Catalog, Traces, TrainReport, load_traces
from worlds import SAMPLE

settings.register_profile("unhurried", deadline=None)  # the machine may be busy, and no test measures time
settings.load_profile("unhurried")


if (
    "PYTEST_XDIST_WORKER" in os.environ
):  # which gives its workers a width of 80, that of a terminal; what they run writes into a pipe
    os.environ.pop("COLUMNS", None)


def pytest_configure(config):
    """Temporary folders lie in memory where there is enough: thousands of commits that wait for a disk are minutes of waiting."""
    memory = Path("/dev/shm")
    if memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 2 << 30:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(memory))


@pytest.fixture(scope="module", autouse=True)
def _garbage():
    """What a file of tests leaves behind is collected at its end, and what stays is not looked through again: it is millions of objects."""
    yield
    gc.collect()
    gc.freeze()


@dataclass(frozen=True, eq=False)
class Trained:
    """The sample catalogue, its traces, a model trained on them, its report, and its file. Not to be changed."""

    catalog: Catalog
    train: Traces
    test: Traces
    model: SHGAT
    report: TrainReport
    path: Path


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    catalog = Catalog.load(SAMPLE)
    train, test = (load_traces(SAMPLE / f"{name}.jsonl", catalog) for name in ("train", "test"))
    model = SHGAT.from_catalog(catalog)
    report = model.fit(train)
    assert report.accepted
    path = tmp_path_factory.mktemp("trained") / "model.safetensors"
    model.save(path)
    return Trained(catalog, train, test, model, report, path)


@pytest.fixture(scope="session")
def server() -> Iterator[PostgresServer]:
    server = PostgresServer()
    server.start()
    yield server
    server.remove()


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'store.db'}"


@pytest.fixture
def postgresql_url(server: PostgresServer) -> Iterator[str]:
    name = f"t{uuid.uuid4().hex}"
    server.execute(f"CREATE DATABASE {name}")
    yield server.url(name)
    server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    found: str = request.getfixturevalue(f"{request.param}_url")
    return found
