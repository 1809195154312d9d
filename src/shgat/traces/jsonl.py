"""Traces as JSON lines: the fields of `Trace`, one record a line. Row i of the .npy of the same stem is the embedding of line i.

Without a matrix embeddings are inline (`"embedding": [...]`). An `id` is needed, everything else has the defaults of `Trace`; unknown
fields are left alone.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from .._files import LONGEST_LINE, open_regular, reason
from ..errors import InputError, TraceError
from . import beside
from .beside import Beside
from .record import COLUMNS, Trace, of_dimension, said


class Line(NamedTuple):
    """One line: its number from 1, where it starts, and the trace or what is wrong with it; `has_embedding` here or in the matrix."""

    number: int
    offset: int
    trace: Trace | TraceError
    has_embedding: bool


class JsonLines:
    """A file of traces and the matrix beside it.

    Attributes
    ----------
    beside : its matrix

    Raises
    ------
    TraceError
        for a matrix that cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.beside = path, Beside(path)

    def lines(self) -> Iterator[Line]:
        """Every line that is not blank, its trace without the embedding of the matrix."""
        row = -1
        for number, offset, line in self._raw():
            row += 1
            record = _record(line)
            if isinstance(record, TraceError):
                yield Line(number, offset, record, False)
                continue
            inline = record.pop("embedding", None)
            if self.beside.matrix is None:
                record["embedding"] = inline
            known = inline is not None if self.beside.matrix is None else self.beside.known(row)
            if (fault := self.beside.fault(row)) is not None:
                yield Line(number, offset, fault, False)
                continue
            try:
                yield Line(number, offset, Trace.from_record(record), known)
            except TraceError as error:
                yield Line(number, offset, error, known)

    def count(self) -> int:
        """How many lines are not blank; none is parsed."""
        return sum(1 for _ in self._raw())

    def _raw(self) -> Iterator[tuple[int, int, bytes]]:
        """(number, offset, line) of every line that is not blank."""
        try:
            with open_regular(self.path) as file:
                number = offset = 0
                while line := file.readline(LONGEST_LINE):
                    number += 1
                    if len(line) == LONGEST_LINE:
                        raise TraceError(f"{self.path.name}, line {number}: longer than {LONGEST_LINE >> 20} MiB")
                    if line.strip():
                        yield number, offset, line
                    offset += len(line)
        except (OSError, ValueError) as error:  # ValueError: a NUL in the name
            if isinstance(error, InputError):
                raise
            raise TraceError(f"cannot read {self.path}: {reason(error)}") from None


def read(path: Path, dimension: int | None) -> Iterator[tuple[int, Trace | TraceError]]:
    """(line number, the trace with its embedding or what is wrong with it); a matrix that is not aligned is refused at once."""
    file = JsonLines(path)
    if file.beside.matrix is not None:
        file.beside.check_alignment(file.count(), dimension)
    for row, line in enumerate(file.lines()):
        yield line.number, of_dimension(file.beside.given(line.trace, row), dimension)


def write(path: Path, traces: Iterable[Trace], dimension: int | None) -> int:
    """Writes traces with the matrix of their embeddings, see `shgat.traces.beside.write`, and returns their number."""
    return beside.write(path, traces, dimension, _line)


def _line(trace: Trace) -> bytes:
    return orjson.dumps({name: getattr(trace, name) for name in COLUMNS} | said(trace)) + b"\n"


def _record(line: bytes) -> dict[str, Any] | TraceError:
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return TraceError(f"not JSON ({error})")
    return record if isinstance(record, dict) else TraceError(f"a trace is a record, not {type(record).__name__}")
