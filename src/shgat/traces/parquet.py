"""Traces as Parquet: the fields of `Trace` as columns, embeddings as lists of float32, pages with checksums. Needs pyarrow."""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .._files import open_regular, reason, replacing
from ..errors import InputError, MissingExtraError, TraceError
from .record import COLUMNS, SAID, Trace, of_dimension, said

_ROW_GROUP = 4096
_LISTS = ("tools", "context_tools", "offered")
_NUMBERS = ("outcome", "weight", "duration_ms", "timestamp", "priority", "rating", "propensity")


def read(path: Path, dimension: int | None) -> Iterator[tuple[int, Trace | TraceError]]:
    """(row number from 1, the trace or what is wrong with it). `dimension`: that its embeddings must have, None for any."""
    pa, pq = arrow()
    try:
        with open_regular(path) as opened, pq.ParquetFile(opened, page_checksum_verification=True) as file:
            names = file.schema_arrow.names
            if "id" not in names:
                raise InputError(f"{path.name} has no column 'id'")
            wanted = [name for name in (*COLUMNS, *SAID, "embedding") if name in names]
            number = 0
            for batch in file.iter_batches(_ROW_GROUP, columns=wanted):
                columns = {name: batch.column(name) for name in wanted}
                vectors = columns.pop("embedding", None)
                lists = {name: column.to_pylist() for name, column in columns.items()}
                for i in range(batch.num_rows):
                    number += 1
                    values = {name: column[i] for name, column in lists.items()}
                    yield number, _trace(values, None if vectors is None else vectors[i], dimension)
    except pa.ArrowException as error:
        raise InputError(f"{path.name} is no readable Parquet file: {' '.join(str(error).split())}") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        if isinstance(error, InputError):
            raise
        if getattr(error, "filename", None) is None and not isinstance(error, ValueError):  # Arrow's own, of a torn page
            raise InputError(f"{path.name} is no readable Parquet file: {' '.join(str(error).split())}") from None
        raise InputError(f"cannot read {path}: {reason(error)}") from None


def write(path: Path, traces: Iterable[Trace], dimension: int | None) -> int:
    """Writes traces, a row group at a time, and returns their number; the file appears when it is whole. `dimension` None: texts alone."""
    pa, pq = arrow()
    columns = [(name, _column_type(pa, name)) for name in (*COLUMNS, *SAID)]
    if dimension is not None:
        columns.append(("embedding", pa.list_(pa.float32(), dimension)))
    schema = pa.schema(columns)
    n, waiting = 0, iter(traces)
    with replacing(path) as temporary, pq.ParquetWriter(temporary, schema, write_page_checksum=True) as writer:
        while group := list(islice(waiting, _ROW_GROUP)):
            writer.write_batch(_record_batch(pa, schema, group))
            n += len(group)
    return n


def _trace(values: dict[str, Any], vector: Any, dimension: int | None) -> Trace | TraceError:
    try:
        trace = Trace.from_record({**values, "embedding": _embedding(vector)})
        return of_dimension(trace, dimension)
    except TraceError as error:
        return error


def _embedding(vector: Any) -> npt.NDArray[Any] | None:
    if vector is None or not vector.is_valid:
        return None
    if not hasattr(vector, "values"):
        raise TraceError("embedding is no list of numbers")
    return np.asarray(vector.values.to_numpy(zero_copy_only=False))


def _record_batch(pa: Any, schema: Any, group: list[Trace]) -> Any:
    columns = [pa.array([getattr(t, name) for t in group], schema.field(name).type) for name in COLUMNS]
    told = [said(t) for t in group]
    columns += [pa.array([of.get(name) for of in told], schema.field(name).type) for name in SAID]
    if "embedding" in schema.names:
        columns.append(pa.array([t.embedding for t in group], schema.field("embedding").type))
    return pa.record_batch(columns, schema)


def _column_type(pa: Any, name: str) -> Any:
    if name in _LISTS:
        return pa.list_(pa.string())
    if name == "step":
        return pa.int64()
    return pa.float64() if name in _NUMBERS else pa.string()


def arrow() -> tuple[Any, Any]:
    """The modules pyarrow and pyarrow.parquet; MissingExtraError where there are none."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise MissingExtraError("pyarrow", "store") from None
    return pa, pq
