"""An empty store on each of the two databases, traces for it, and what its tables differ in from the code."""

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

import traces.examples
from postgres import PostgresServer
from shgat.store import Store
from shgat.store.database import Database
from shgat.store.features import N2V_DIMENSION
from shgat.store.migration import VERSION_TABLE
from shgat.store.schema import METADATA

DIMENSION = traces.examples.D


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
                connection.execute(sa.text("DELETE FROM meta WHERE key <> 'dimension'"))
        yield store


@pytest.fixture
def other(tmp_path) -> Iterator[Store]:
    """Another empty store."""
    with Store.open(f"sqlite:///{tmp_path}/other.db", DIMENSION) as store:
        yield store


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """A database with nothing in it."""
    database = Database(url, 5.0)
    yield database
    database.close()


@pytest.fixture(scope="session")
def make_trace() -> Any:
    return traces.examples.make_trace


@pytest.fixture(scope="session")
def columns() -> Any:
    return traces.examples.columns


@pytest.fixture(scope="session")
def differences() -> Any:
    """What a database has otherwise than the code. What depends on the dimension, and what HNSW indexes, is the migrations'."""

    def found(database: Database) -> list[Any]:
        def same_type(context: Any, inspected: Any, column: Any, found: Any, expected: Any) -> bool | None:
            if column.name.endswith("embedding") and database.is_postgresql:
                return bool(found.dimension != (N2V_DIMENSION if column.name == "n2v_embedding" else DIMENSION))
            return None

        def ours(name: str | None, kind: str, parents: Any) -> bool:
            return name != VERSION_TABLE and not (kind == "index" and str(name).startswith("hnsw_"))

        options = {"compare_type": same_type, "include_name": ours}
        with database.read() as connection:
            return list(compare_metadata(MigrationContext.configure(connection, opts=options), METADATA))

    return found
