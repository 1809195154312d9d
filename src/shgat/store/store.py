"""A store: catalogue, decisions, traces, priorities and models in one database."""

import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import func, select

from .._check import brief
from ..errors import DimensionError, StoreError
from .catalog import CatalogRows
from .claims import ClaimRows
from .database import Database
from .decisions import DecisionRows
from .drift_references import DriftReferenceRows
from .features import FeatureRows
from .migration import current_revision, stored_dimension, upgrade
from .model_versions import ModelVersionRows
from .outcomes import OutcomeRows
from .principals import PrincipalRows
from .retention import RetentionRows
from .schema import METADATA, REVISION, model_aliases, priorities
from .traces import TraceRows

MAX_DIMENSION = 16_000  # of a pgvector column


class Store(
    CatalogRows, DecisionRows, TraceRows, OutcomeRows, PrincipalRows, ModelVersionRows, DriftReferenceRows, ClaimRows, RetentionRows,
    FeatureRows,
):  # fmt: skip
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
        size = self.size()
        with self.database.read() as connection:
            new = select(func.count()).where(priorities.c.priority == float("inf"), ~priorities.c.aside)
            untrained = connection.scalar(new)
            aside = connection.scalar(select(func.count()).where(priorities.c.aside))
            active = connection.scalar(select(func.max(model_aliases.c.version)).where(model_aliases.c.alias == "production"))
        return {
            "url": self.url,
            "revision": REVISION,
            "dimension": self.dimension,
            "bytes": size["bytes"],
            "bytes_used": size["used"],
            "rows": self.counts(),
            "untrained_traces": untrained,
            "set_aside_traces": aside,
            "active_model": active,
            "model_age_s": self.model_age(),
        }


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
        raise DimensionError(f"{database.name} holds embeddings of {stored} dimensions, not {dimension}; use another store")
    return stored
