"""The matrix beside a file of traces: row i of the .npy of its stem is the embedding of trace i. A row of NaN is no embedding."""

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from .._check import LARGEST
from .._files import load_matrix, replacing
from ..errors import InputError, TraceError
from .record import Trace

_CHUNK = 4096  # embeddings looked through at a time
_ABSENT, _PRESENT, _BROKEN = np.int8(0), np.int8(1), np.int8(2)  # what a row of the matrix is


class Beside:
    """The matrix of a file, if there is one, of float16, float32 or float64.

    Attributes
    ----------
    matrix : (n, d) memory map of the embeddings, None where there is no .npy

    Raises
    ------
    TraceError
        for a matrix that cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._of, self._path = path, path.with_suffix(".npy")
        try:
            there = self._path.exists() or self._path.is_symlink()  # a link to nowhere is a fault, and no absence
            self.matrix: npt.NDArray[Any] | None = load_matrix(self._path, mmap=True) if there else None
        except (OSError, ValueError) as error:  # ValueError: a NUL in the name; InputError is one
            raise TraceError(str(error)) from None
        self._rows = None if self.matrix is None else _looked_through(self.matrix)

    def known(self, row: int) -> bool:
        """Has the row an embedding? What lies beyond the matrix is for `check_alignment` to say."""
        return self._rows is not None and (row >= len(self._rows) or bool(self._rows[row] != _ABSENT))

    def fault(self, row: int) -> TraceError | None:
        """What is wrong with a row."""
        if self._rows is None or row >= len(self._rows) or self._rows[row] != _BROKEN:
            return None
        return TraceError(f"{self._path.name} holds NaN, infinity or more than {LARGEST:g} in row {row}")

    def check_alignment(self, n: int, dimension: int | None) -> None:
        """TraceError where the matrix is not (n, dimension); None: any dimension."""
        if self.matrix is None:
            return
        expected = (n, self.matrix.shape[1] if dimension is None else dimension)
        if self.matrix.shape != expected:
            raise TraceError(f"{self._path.name} has shape {self.matrix.shape}, expected {expected} as {self._of.name} has it")

    def given(self, trace: Trace | TraceError, row: int) -> Trace | TraceError:
        """The trace with the embedding of its row, where that has one."""
        if self.matrix is None or isinstance(trace, TraceError) or not self.known(row):
            return trace
        found = object.__new__(Trace)  # the row was looked through already
        found.__dict__.update(vars(trace), embedding=np.array(self.matrix[row], np.float32))
        return found


def write(path: Path, traces: Iterable[Trace], dimension: int | None, line: Callable[[Trace], bytes], head: bytes = b"") -> int:
    """Writes a line a trace with the matrix beside them, (n, dimension), and returns n; both files appear when they are whole.

    Parameters
    ----------
    dimension : None: texts alone; embeddings are left out, and there is no matrix any more
    line : of a trace, with its end
    head : what stands before the first line
    """
    with ExitStack() as stack:
        lines_path = stack.enter_context(replacing(path))
        matrix_path = None  # the matrix takes its place first
        if dimension is not None:
            matrix_path = stack.enter_context(replacing(path.with_suffix(".npy")))
        lines = stack.enter_context(lines_path.open("wb"))
        lines.write(head)
        n = 0
        if dimension is None or matrix_path is None:
            for trace in traces:
                lines.write(line(trace))
                n += 1
            path.with_suffix(".npy").unlink(missing_ok=True)
            return n
        matrix = stack.enter_context(matrix_path.open("wb"))
        header = _write_header(matrix, 0, dimension)
        absent = np.full(dimension, np.nan, "<f4").tobytes()
        for trace in traces:
            lines.write(line(trace))
            n += 1
            matrix.write(absent if trace.embedding is None else trace.embedding.astype("<f4").tobytes())
        matrix.seek(0)
        if _write_header(matrix, n, dimension) != header:
            raise InputError(f"{n} traces are too many for one .npy file; write a .parquet")
        return n


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
