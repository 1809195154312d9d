"""Traces as JSON lines: the fields of `Trace`, one record a line. Row i of the .npy of the same stem is the embedding of line i.

A row of NaN is no embedding. Matrices of float16, float32 and float64 are read, and without a matrix embeddings inline
(`"embedding": [...]`). An `id` is needed, everything else has the defaults of `Trace`; unknown fields are left alone.
"""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt
import orjson

from .._check import LARGEST
from .._files import LONGEST_LINE, load_matrix, open_regular, reason, replacing
from ..errors import InputError, TraceError
from .record import COLUMNS, Trace, of_dimension, said

_CHUNK = 4096  # embeddings looked through at a time
_ABSENT, _PRESENT, _BROKEN = np.int8(0), np.int8(1), np.int8(2)  # what a row of the matrix is


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
    matrix : (n, d) memory map of the embeddings, None where there is no .npy

    Raises
    ------
    TraceError
        for a matrix that cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path, beside = path, path.with_suffix(".npy")
        try:
            there = beside.exists() or beside.is_symlink()  # a link to nowhere is a fault, and no absence
            self.matrix: npt.NDArray[Any] | None = load_matrix(beside, mmap=True) if there else None
        except (OSError, ValueError) as error:  # ValueError: a NUL in the name; InputError is one
            raise TraceError(str(error)) from None
        self._rows = None if self.matrix is None else _looked_through(self.matrix)

    def lines(self) -> Iterator[Line]:
        """Every line that is not blank, its trace without the embedding of the matrix."""
        row = -1
        for number, offset, line in self._raw():
            row += 1
            record = _record(line)
            if isinstance(record, TraceError):
                yield Line(number, offset, record, False)
                continue
            embedding, known = record.pop("embedding", None), True
            if self._rows is None:
                known = embedding is not None
                record["embedding"] = embedding
            elif row < len(self._rows):  # else the matrix is not aligned, which `check_alignment` says
                known = bool(self._rows[row] != _ABSENT)
                if self._rows[row] == _BROKEN:
                    name = self.path.with_suffix(".npy").name
                    yield Line(
                        number, offset, TraceError(f"{name} holds NaN, infinity or more than {LARGEST:g} in row {row}"), False
                    )
                    continue
            try:
                yield Line(number, offset, Trace.from_record(record), known)
            except TraceError as error:
                yield Line(number, offset, error, known)

    def count(self) -> int:
        """How many lines are not blank; none is parsed."""
        return sum(1 for _ in self._raw())

    def check_alignment(self, n_lines: int, dimension: int) -> None:
        """TraceError where the matrix is not (n_lines, dimension)."""
        if self.matrix is not None and self.matrix.shape != (n_lines, dimension):
            name = self.path.with_suffix(".npy").name
            raise TraceError(f"{name} has shape {self.matrix.shape}, expected ({n_lines}, {dimension}) as {self.path.name} has it")

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
    if file.matrix is not None:
        file.check_alignment(file.count(), file.matrix.shape[1] if dimension is None else dimension)
    for row, line in enumerate(file.lines()):
        trace = line.trace
        if isinstance(trace, Trace) and file.matrix is not None and line.has_embedding:
            trace = with_embedding(trace, file.matrix[row])
        yield line.number, trace if isinstance(trace, TraceError) else of_dimension(trace, dimension)


def with_embedding(trace: Trace, row: npt.NDArray[Any]) -> Trace:
    """The trace with a row (d,) of its file's matrix, which was looked through already, as float32."""
    found = object.__new__(Trace)
    found.__dict__.update(vars(trace), embedding=np.array(row, np.float32))
    return found


def write(path: Path, traces: Iterable[Trace], dimension: int | None) -> int:
    """Writes traces with the matrix of their embeddings (n, dimension), and returns their number; both files appear when they are whole.

    `dimension` None: texts alone; embeddings are left out, and there is no matrix any more.
    """
    with ExitStack() as stack:
        lines_path = stack.enter_context(replacing(path))
        matrix_path = None  # the matrix takes its place first
        if dimension is not None:
            matrix_path = stack.enter_context(replacing(path.with_suffix(".npy")))
        lines = stack.enter_context(lines_path.open("wb"))
        if dimension is None or matrix_path is None:
            n = sum(_write_line(lines, trace) for trace in traces)
            path.with_suffix(".npy").unlink(missing_ok=True)
            return n
        matrix = stack.enter_context(matrix_path.open("wb"))
        header = _write_header(matrix, 0, dimension)
        absent = np.full(dimension, np.nan, "<f4").tobytes()
        n = 0
        for trace in traces:
            n += _write_line(lines, trace)
            matrix.write(absent if trace.embedding is None else trace.embedding.astype("<f4").tobytes())
        matrix.seek(0)
        if _write_header(matrix, n, dimension) != header:
            raise InputError(f"{n} traces are too many for one .npy file; write a .parquet")
        return n


def _write_line(file: BinaryIO, trace: Trace) -> int:
    record = {name: getattr(trace, name) for name in COLUMNS}
    file.write(orjson.dumps(record | said(trace)) + b"\n")
    return 1


def _record(line: bytes) -> dict[str, Any] | TraceError:
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return TraceError(f"not JSON ({error})")
    return record if isinstance(record, dict) else TraceError(f"a trace is a record, not {type(record).__name__}")


def _looked_through(matrix: npt.NDArray[Any]) -> npt.NDArray[np.int8]:
    """(n,) what each row is: no embedding where it is NaN throughout, else one that can be used or not."""
    found = np.full(len(matrix), _PRESENT)
    for start in range(0, len(matrix), _CHUNK):
        with np.errstate(over="ignore"):  # what overflows float32 becomes infinity
            rows = np.abs(matrix[start : start + _CHUNK].astype(np.float32, copy=False))
        broken = np.flatnonzero(~(rows <= LARGEST).all(axis=1))
        found[start + broken] = np.where(np.isnan(rows[broken]).all(axis=1), _ABSENT, _BROKEN)
    return found


def _write_header(file: BinaryIO, n: int, dimension: int) -> int:
    """An .npy header, which NumPy pads so that the number of rows can grow in place; returns its length."""
    header = {"descr": "<f4", "fortran_order": False, "shape": (n, dimension)}
    np.lib.format.write_array_header_1_0(file, header)
    return file.tell()
