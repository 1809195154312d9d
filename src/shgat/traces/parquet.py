"""Traces as Parquet: the columns of `Trace`, embeddings as lists of float32, pages with checksums."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import InputError, MissingExtraError
from ..store.files import COLUMNS, Parsed, replacing, trace_of
from ..store.store import Store
from .record import Trace

_ROW_GROUP = 4096
_LISTS = ("tools", "context_tools")
_NUMBERS = ("outcome", "duration_ms", "timestamp", "priority")


def write(store: Store, path: Path) -> int:
    """Writes every trace, a row group at a time."""
    pa, pq = _arrow()
    columns = [(name, _column_type(pa, name)) for name in COLUMNS]
    schema = pa.schema([*columns, ("embedding", pa.list_(pa.float32(), store.dimension))])
    n = 0
    with replacing(path) as temporary, pq.ParquetWriter(temporary, schema, write_page_checksum=True) as writer:
        group: list[Trace] = []
        for trace in store.traces():
            group.append(trace)
            n += 1
            if len(group) == _ROW_GROUP:
                writer.write_batch(_record_batch(pa, schema, group))
                group = []
        if group:
            writer.write_batch(_record_batch(pa, schema, group))
    return n


def read(path: Path, dimension: int) -> Iterator[Parsed]:
    """Every row, as a trace or as what is wrong with it."""
    pa, pq = _arrow()
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            names = file.schema_arrow.names
            missing = [name for name in ("id", "intent") if name not in names]
            if missing:
                raise InputError(f"{path.name} has no column {missing[0]!r}")
            wanted = [name for name in (*COLUMNS, "embedding") if name in names]
            number = 0
            for batch in file.iter_batches(_ROW_GROUP, columns=wanted):
                columns = {name: batch.column(name) for name in wanted}
                vectors = columns.pop("embedding", None)
                lists = {name: column.to_pylist() for name, column in columns.items()}
                for i in range(batch.num_rows):
                    number += 1
                    values = {name: column[i] for name, column in lists.items()}
                    yield number, _trace(values, None if vectors is None else vectors[i], dimension)
    except FileNotFoundError:
        raise InputError(f"cannot read {path}: no such file") from None
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"{path.name} is no readable Parquet file: {' '.join(str(error).split())}") from None


def _trace(values: dict[str, Any], vector: Any, dimension: int) -> Trace | InputError:
    for name in (*_LISTS, "outcome"):
        if values.get(name, ()) is None:
            return InputError(f"trace {values['id']!r}: {name} is null")
    try:
        return trace_of(values, _embedding(vector), dimension)
    except InputError as error:
        return error


def _embedding(vector: Any) -> npt.NDArray[Any] | None:
    if vector is None or not vector.is_valid:
        return None
    if not hasattr(vector, "values"):
        raise InputError("embedding is no list of numbers")
    return np.asarray(vector.values.to_numpy(zero_copy_only=False))


def _record_batch(pa: Any, schema: Any, group: list[Trace]) -> Any:
    columns = [pa.array([getattr(t, name) for t in group], schema.field(column).type) for column, name in COLUMNS.items()]
    vectors = pa.array([t.embedding for t in group], schema.field("embedding").type)
    return pa.record_batch([*columns, vectors], schema)


def _column_type(pa: Any, name: str) -> Any:
    if name in _LISTS:
        return pa.list_(pa.string())
    return pa.float64() if name in _NUMBERS else pa.string()


def _arrow() -> tuple[Any, Any]:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise MissingExtraError("pyarrow", "store") from None
    return pa, pq
