"""Traces as JSON lines. Row i of the .npy of the same stem is the embedding of line i, NaN where it has none.

Reading takes float16, float32 and float64 matrices, embeddings inline as well (`"embedding": [...]`, in a file without
.npy), and leaves unknown keys alone. `id` and `intent` are needed; everything else has the defaults of `Trace`.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import orjson

from .._files import load_matrix
from ..errors import InputError
from ..store.files import COLUMNS, Parsed, replacing, trace_of
from ..store.store import Store
from .record import Trace

_LONGEST_LINE = 64 << 20  # bytes


def write(store: Store, path: Path) -> int:
    """Writes every trace; the matrix takes its place first."""
    with ExitStack() as stack:
        lines_path = stack.enter_context(replacing(path))
        matrix_path = stack.enter_context(replacing(path.with_suffix(".npy")))
        lines = stack.enter_context(lines_path.open("wb"))
        matrix = stack.enter_context(matrix_path.open("wb"))
        header = _write_header(matrix, 0, store.dimension)
        absent = np.full(store.dimension, np.nan, "<f4").tobytes()
        n = 0
        for trace in store.traces():
            n += 1
            lines.write(orjson.dumps({column: getattr(trace, name) for column, name in COLUMNS.items()}) + b"\n")
            matrix.write(absent if trace.embedding is None else trace.embedding.astype("<f4").tobytes())
        matrix.seek(0)
        if _write_header(matrix, n, store.dimension) != header:
            raise InputError(f"{n} traces are too many for one .npy file; export to .parquet")
        return n


def read(path: Path, dimension: int) -> Iterator[Parsed]:
    """Every line that is not blank, as a trace or as what is wrong with it."""
    matrix_path = path.with_suffix(".npy")
    matrix = load_matrix(matrix_path, mmap=True) if matrix_path.exists() else None
    if matrix is not None:
        _check_alignment(path, matrix, dimension)
    row = -1
    for number, line in _lines(path):
        row += 1
        try:
            yield number, _trace(line, None if matrix is None else matrix[row], dimension)
        except InputError as error:
            yield number, error


def _check_alignment(path: Path, matrix: npt.NDArray[Any], dimension: int) -> None:
    name = path.with_suffix(".npy").name
    if matrix.shape[1] != dimension:
        raise InputError(f"{name} has {matrix.shape[1]} columns, the store has {dimension} dimensions")
    n_lines = sum(1 for _ in _lines(path))
    if n_lines != matrix.shape[0]:
        raise InputError(f"{path.name} has {n_lines} lines and {name} {matrix.shape[0]} rows; one of them is not whole")


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        with path.open("rb") as file:
            number = 0
            while line := file.readline(_LONGEST_LINE):
                number += 1
                if len(line) == _LONGEST_LINE:
                    raise InputError(f"{path.name}, line {number}: longer than {_LONGEST_LINE >> 20} MiB")
                if line.strip():
                    yield number, line
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from None


def _trace(line: bytes, row: npt.NDArray[Any] | None, dimension: int) -> Trace:
    try:
        values = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise InputError(f"not JSON ({error})") from None
    if not isinstance(values, dict) or "id" not in values or "intent" not in values:
        raise InputError("a trace is an object with an id and an intent")
    embedding = values.get("embedding")
    if row is not None:
        embedding = None if np.isnan(row).all() else np.array(row, np.float32)
    return trace_of(values, embedding, dimension)


def _write_header(file: BinaryIO, n: int, dimension: int) -> int:
    """An .npy header, which NumPy pads so that the number of rows can grow in place; returns its length."""
    header = {"descr": "<f4", "fortran_order": False, "shape": (n, dimension)}
    np.lib.format.write_array_header_1_0(file, header)
    return file.tell()
