"""An empty store on each of the two databases, and traces for it."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from postgres import PostgresServer
from shgat.store import Store
from shgat.store.schema import METADATA
from shgat.traces import Trace

DIMENSION = 8


@pytest.fixture(scope="session")
def emptied_url(server: PostgresServer) -> str:
    """A PostgreSQL store that is made once and emptied for each test: making one takes longer than most tests."""
    server.execute("CREATE DATABASE emptied")
    Store.open(server.url("emptied"), DIMENSION).close()
    return server.url("emptied")


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """An empty store."""
    url = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "emptied_url")
    with Store.open(url, DIMENSION, timeout=2.0) as store:
        if request.param == "postgresql":
            with store.database.write() as connection:
                tables = ", ".join(name for name in METADATA.tables if name != "meta")
                connection.execute(sa.text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))
        yield store


def make_trace(i: int = 0, **changes: Any) -> Trace:
    values: dict[str, Any] = {
        "id": f"t{i}",
        "intent": f"find thé thing № {i}",
        "embedding": np.random.default_rng(i).standard_normal(DIMENSION).astype(np.float32),
        "tools": ("fs.read", f"tool {i}"),
        "capability": "cap:read",
        "context_tools": ("fs.list",),
        "outcome": (i % 3) / 3,
        "duration_ms": 12.5 + i,
        "error": None if i % 3 else "timed out",
        "decision_id": f"d{i}",
        "parent_id": f"t{i // 2}" if i else None,
        "created_at": 1_700_000_000.123 + i,
    }
    return Trace(**(values | changes))


@pytest.fixture(name="make_trace")
def _make_trace() -> Any:
    return make_trace


def columns(trace: Trace) -> dict[str, Any]:
    """Every column of a trace, comparable."""
    return {k: v.tobytes() if isinstance(v, np.ndarray) else v for k, v in vars(trace).items() if k != "seq"}


@pytest.fixture(name="columns")
def _columns() -> Any:
    return columns
