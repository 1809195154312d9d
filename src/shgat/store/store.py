"""A store: catalogue, decisions, traces, priorities and models in one database."""

import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Table, delete, func, select, text

from .._check import brief, number
from ..errors import StoreError
from .catalog import CatalogRows
from .claims import ClaimRows
from .database import Database
from .decisions import DecisionRows
from .migration import current_revision, stored_dimension, upgrade
from .model_versions import ModelVersionRows
from .schema import METADATA, REVISION, decisions, model_versions, priorities, traces
from .traces import TraceRows

MAX_DIMENSION = 16_000  # of a pgvector column


class Store(CatalogRows, DecisionRows, TraceRows, ModelVersionRows, ClaimRows):
    """Opened by `Store.open`; may be used by any number of threads, and by any number of processes at once.

    Attributes
    ----------
    dimension : of the embeddings, fixed when the store was created
    url : without its password
    """

    def __init__(self, database: Database, dimension: int, clock: Callable[[], float]) -> None:
        self.database = database
        self.dimension = dimension
        self.clock = clock

    @classmethod
    def open(
        cls,
        url: str,
        dimension: int | None = None,
        *,
        timeout: float = 5.0,
        clock: Callable[[], float] = time.time,
    ) -> Self:
        """Opens a store, creates it where there is none, and brings its schema up to date.

        Parameters
        ----------
        url : sqlite:///path.db or postgresql+psycopg://user:password@host/database
        dimension : of the embeddings; needed to create a store, checked against an existing one
        timeout : seconds that a call waits at most for a lock or a connection
        clock : seconds since the epoch

        Raises
        ------
        StoreError
            the database cannot be reached, is locked, damaged, written by a newer shgat, or of another dimension.
        """
        if dimension is not None and not 1 <= dimension <= MAX_DIMENSION:
            raise StoreError(f"the dimension of embeddings lies in [1, {MAX_DIMENSION}], not {brief(dimension)}")
        database = Database(url, timeout)
        try:
            return cls(database, _prepare(database, dimension), clock)
        except BaseException:
            database.close()
            raise

    @property
    def url(self) -> str:
        return self.database.name

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        self.database.close()

    def counts(self) -> dict[str, int]:
        """Rows of each table."""
        tables = [table for name, table in METADATA.tables.items() if name != "meta"]
        with self.database.read() as connection:
            query = select(*[select(func.count()).select_from(table).scalar_subquery() for table in tables])
            row = connection.execute(query).one()
        return {str(table.name): count for table, count in zip(tables, row, strict=True)}

    def status(self) -> dict[str, Any]:
        """What the store is and holds, as JSON values."""
        pages = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
        with self.database.read() as connection:
            size = "SELECT pg_database_size(current_database())" if self.database.is_postgresql else pages
            n_bytes = connection.scalar(text(size))
            new = select(func.count()).where(priorities.c.priority == float("inf"))
            untrained = connection.scalar(new)
            active = connection.scalar(select(func.max(model_versions.c.version)).where(model_versions.c.active))
        return {
            "url": self.url,
            "revision": REVISION,
            "dimension": self.dimension,
            "bytes": n_bytes,
            "rows": self.counts(),
            "untrained_traces": untrained,
            "active_model": active,
            "model_age_s": self.model_age(),
        }

    def prune(
        self, *, keep_traces: int | None = None, keep_decisions: int | None = None, keep_models: int | None = None
    ) -> dict[str, int]:
        """Deletes all but the newest so many rows of a kind, where a number is given; returns how many went.

        The active version of the model always stays. A pruned trace takes along the memory that its decision has had
        its feedback.
        """
        given = {"keep_traces": keep_traces, "keep_decisions": keep_decisions, "keep_models": keep_models}
        for name, keep in given.items():
            if keep is not None:
                number(keep, 0, 2**53, f"prune: {name}")
        wanted = zip((traces, decisions, model_versions), given.values(), strict=True)
        removed: dict[str, int] = {}
        with self.database.write() as connection:
            self.database.unhurried(connection)
            for table, keep in wanted:
                if keep is not None:
                    removed[str(table.name)] = connection.execute(_all_but_newest(table, keep)).rowcount
        return removed


def _all_but_newest(table: Table, keep: int) -> Any:
    (key,) = table.primary_key.columns
    oldest_kept = select(key).order_by(key.desc()).offset(keep).limit(1).scalar_subquery()
    statement = delete(table).where(key <= oldest_kept)
    return statement.where(~model_versions.c.active) if table is model_versions else statement


def _prepare(database: Database, dimension: int | None) -> int:
    file = None if database.is_postgresql else database.url.database
    if file and dimension is None and not Path(file).exists():
        raise StoreError(f"{database.name}: there is no such store; to create it say which dimension its embeddings have")
    with database.read() as connection:
        revision = current_revision(connection)
    if revision != REVISION:
        upgrade(database, dimension)
    with database.read() as connection:
        stored = stored_dimension(connection)
    if dimension not in (None, stored):
        raise StoreError(f"{database.name} holds embeddings of {stored} dimensions, not {dimension}; use another store")
    return stored
