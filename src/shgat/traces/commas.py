"""Traces as comma-separated values: a header with the names of the fields of `Trace`, then a row a trace.

Row i of the .npy of the same stem is the embedding of row i, or a column `embedding` holds them as JSON lists. A list is JSON too, or one
id alone. An empty cell is absent: an `id` is needed, everything else has the defaults of `Trace`; unknown columns are left alone.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import orjson

from .._files import open_regular, reason
from ..errors import InputError, TraceError
from . import beside
from .beside import Beside
from .record import COLUMNS, SAID, Trace, of_dimension

_LISTS = ("tools", "context_tools", "offered")
_NUMBERS = ("outcome", "weight", "duration_ms", "priority", "rating", "propensity", "step")
_FIELDS = (*COLUMNS, *SAID)


def read(path: Path, dimension: int | None) -> Iterator[tuple[int, Trace | TraceError]]:
    """(row number from 1 behind the header, the trace with its embedding or what is wrong with it)."""
    matrix = Beside(path)
    if matrix.matrix is not None:
        matrix.check_alignment(sum(1 for _ in _rows(path)), dimension)
    for i, row in enumerate(_rows(path)):
        if matrix.matrix is not None:
            row.pop("embedding", None)
        trace = matrix.fault(i) or _trace(row)
        yield i + 1, of_dimension(matrix.given(trace, i), dimension)


def write(path: Path, traces: Iterable[Trace], dimension: int | None) -> int:
    """Writes traces with the matrix of their embeddings, see `shgat.traces.beside.write`, and returns their number."""
    return beside.write(
        path, traces, dimension, lambda trace: _line([_cell(getattr(trace, name)) for name in _FIELDS]), _line(_FIELDS)
    )


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    """The cells of each row that are not empty, by the names of the header."""
    try:
        with open_regular(path) as file, io.TextIOWrapper(file, "utf-8-sig", newline="") as text:
            rows = csv.DictReader(text, strict=True)
            if "id" not in (rows.fieldnames or ()):
                raise InputError(f"{path.name} has no column 'id'")
            for row in rows:
                yield {name: cell for name, cell in row.items() if isinstance(cell, str) and cell != ""}
    except (OSError, ValueError, csv.Error) as error:  # ValueError: a NUL in the name, or bytes that are no UTF-8
        if isinstance(error, InputError):
            raise
        raise TraceError(f"cannot read {path}: {reason(error) if isinstance(error, OSError) else error}") from None


def _trace(row: dict[str, Any]) -> Trace | TraceError:
    try:
        for name in (*_LISTS, "embedding"):
            if name in row:
                row[name] = _listed(row[name], name)
        for name in _NUMBERS:
            if name in row:
                row[name] = _number(row[name], name)
        if "timestamp" in row:
            row["timestamp"] = _moment(row["timestamp"])
        return Trace.from_record(row)
    except TraceError as error:
        return error


def _listed(cell: str, name: str) -> Any:
    if not cell.startswith("["):
        return [cell]
    try:
        return orjson.loads(cell)
    except orjson.JSONDecodeError as error:
        raise TraceError(f"{name} is no JSON list ({error})") from None


def _number(cell: str, name: str) -> float | int:
    try:
        return int(cell) if name == "step" else float(cell)
    except ValueError:
        raise TraceError(f"{name} is a number, not {cell!r:.60}") from None


def _moment(cell: str) -> Any:
    """A number is one; everything else has to be ISO 8601, which the trace says."""
    try:
        return float(cell)
    except ValueError:
        return cell


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        return orjson.dumps(value).decode() if value else ""
    return value if isinstance(value, str) else repr(value)


def _line(cells: Iterable[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue().encode()
