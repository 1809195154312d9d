"""Rows that leave a store, as Parquet files. Files of traces are read as any others, see `shgat.traces`. Needs pyarrow."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import JSON, BigInteger, Column, Double, Integer, LargeBinary, Table, Text, select

from .._files import reason, replacing
from ..errors import DamagedError, InputError
from ..traces.parquet import arrow
from .database import Database

_log = logging.getLogger("shgat")
_LISTS = ("tools", "context_tools", "offered")  # of texts; other JSON stays the text that it is


class Archive:
    """A folder that rows of tables go to, one file a batch, named by the table and by the first and the last number of its rows.

    A batch that was written and, because the process was killed, not removed is written again, as the same file or as part of another one: what
    has the same id is the same row.

    Parameters
    ----------
    folder : is made where there is none
    dimension : of the embeddings
    """

    def __init__(self, folder: str | Path, dimension: int) -> None:
        self._folder, self._dimension = Path(folder), dimension

    def add(self, database: Database, table: Table, keys: Sequence[int]) -> None:
        """Writes the rows with these numbers. One that cannot be read is named in the log and left out.

        Raises
        ------
        InputError
            where the folder cannot be written to.
        MissingExtraError
            without pyarrow.
        """
        rows = self._rows(database, table, keys)
        if not rows:
            return
        pa, pq = arrow()
        fields = {column.name: self._field(pa, column) for column in table.columns}
        arrays = [pa.array([made(row[name]) for row in rows], kind) for name, (kind, made) in fields.items()]
        path = self._folder / f"{table.name}-{keys[0]:012d}-{keys[-1]:012d}.parquet"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with replacing(path) as temporary:
                pq.write_table(pa.table(arrays, list(fields)), temporary, write_page_checksum=True)
        except OSError as error:
            raise InputError(f"cannot archive to {self._folder}: {reason(error)}; nothing was removed") from None

    def _rows(self, database: Database, table: Table, keys: Sequence[int]) -> list[Any]:
        (key,) = table.primary_key.columns
        try:
            with database.read() as connection:
                return list(connection.execute(select(table).where(key.in_(keys)).order_by(key)).mappings())
        except DamagedError as error:
            if len(keys) == 1:
                _log.error("row %d of %s is damaged, and removed without being archived: %s", keys[0], table.name, error)
                return []
        half = len(keys) // 2
        return self._rows(database, table, keys[:half]) + self._rows(database, table, keys[half:])

    def _field(self, pa: Any, column: Column[Any]) -> tuple[Any, Callable[[Any], Any]]:
        """The type of a column, and what makes its values."""
        kind = column.type
        if isinstance(kind, JSON):
            if column.name in _LISTS:
                return pa.list_(pa.string()), _same
            return pa.string(), lambda value: orjson.dumps(value).decode()
        for of, made in (
            (Double, pa.float64()),
            ((BigInteger, Integer), pa.int64()),
            (LargeBinary, pa.binary()),
            (Text, pa.string()),
        ):
            if isinstance(kind, of):
                return made, _same
        return pa.list_(pa.float32(), self._dimension), _same  # an embedding


def _same(value: Any) -> Any:
    return value
