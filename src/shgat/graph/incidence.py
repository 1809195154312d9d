"""Incidence in compressed sparse rows: which sources each target gathers from."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from .._types import Bool, Int32, Int64
from ..errors import InputError


@dataclass(frozen=True, eq=False)
class Incidence:
    """Rows of sorted, unique column indices.

    Attributes
    ----------
    indptr : (n_rows + 1,) int32
    indices : (nnz,) int32, sorted within each row, so that nothing depends on the order in which members were listed
    """

    indptr: Int32
    indices: Int32

    @classmethod
    def from_rows(cls, rows: Iterable[Iterable[int]]) -> "Incidence":
        """From one collection of column indices a row; duplicates count once."""
        sets = [sorted(set(row)) for row in rows]
        indptr = np.zeros(len(sets) + 1, np.int32)
        np.cumsum([len(s) for s in sets], out=indptr[1:])
        return cls(indptr, np.array([i for s in sets for i in s], np.int32))

    @classmethod
    def stacked(cls, parts: Sequence["Incidence"]) -> "Incidence":
        """The rows of all parts, one part below the other."""
        indptr = np.zeros(1 + sum(p.n_rows for p in parts), np.int32)
        np.cumsum(np.concatenate([p.degrees for p in parts]), out=indptr[1:])
        return cls(indptr, np.concatenate([p.indices for p in parts]))

    @property
    def n_rows(self) -> int:
        return len(self.indptr) - 1

    @property
    def nnz(self) -> int:
        return len(self.indices)

    def fits(self, n_rows: int, n_columns: int) -> bool:
        """Are these rows and columns as the kernels take them, which check nothing? To be asked of arrays that came from outside."""
        starts, entries = self.indptr, self.indices
        if starts.dtype != np.int32 or entries.dtype != np.int32 or starts.shape != (n_rows + 1,) or entries.ndim != 1:
            return False
        rising = starts[0] == 0 and starts[-1] == len(entries) and (starts[1:] >= starts[:-1]).all()
        return bool(rising and ((entries >= 0) & (entries < n_columns)).all())

    def check(self, what: str) -> None:
        """InputError where these are no rows of ascending, unique columns from 0; of arrays that did not come from `from_rows`."""
        for name in ("indptr", "indices"):
            array = getattr(self, name)
            if not isinstance(array, np.ndarray) or array.ndim != 1 or array.dtype != np.int32:
                raise InputError(f"{what}: {name} is a one-dimensional array of int32")
        ends = self.indptr[[0, -1]].tolist() if self.indptr.size else None
        if ends != [0, self.nnz] or (np.diff(self.indptr) < 0).any():
            raise InputError(f"{what}: indptr rises from 0 to the number of indices, {self.nnz}")
        same_row = np.diff(self.row_of_entry) == 0
        bad = self.indices < 0
        bad[1:] |= same_row & (np.diff(self.indices) <= 0)
        if bad.any():
            row = self.row_of_entry[bad.argmax()]
            raise InputError(f"{what}: the columns of row {row} are not ascending, unique and at least 0")

    @cached_property
    def degrees(self) -> Int32:
        """(n_rows,) entries of each row."""
        return np.diff(self.indptr)

    @cached_property
    def row_of_entry(self) -> Int32:
        """(nnz,) the row each entry stands in."""
        return np.repeat(np.arange(self.n_rows, dtype=np.int32), self.degrees)

    @cached_property
    def kinds(self) -> Int64:
        """(n_rows,) a number for each row, from 0; equal rows have the same."""
        number: dict[bytes, int] = {}
        return np.array([number.setdefault(self.row(i).tobytes(), len(number)) for i in range(self.n_rows)], np.int64)

    def touching(self, marked: Bool) -> Bool:
        """(n_rows,) does the row hold any of the marked columns (n_columns,)?"""
        return np.greater(np.bincount(self.row_of_entry, marked[self.indices], self.n_rows), 0)

    def row(self, i: int) -> Int32:
        """The columns of row i."""
        return self.indices[self.indptr[i] : self.indptr[i + 1]]

    def transpose(self, n_columns: int) -> "Incidence":
        """Columns become rows; entries stay sorted."""
        order = np.argsort(self.indices, kind="stable")
        indptr = np.zeros(n_columns + 1, np.int32)
        np.cumsum(np.bincount(self.indices, minlength=n_columns), out=indptr[1:])
        return Incidence(indptr, self.row_of_entry[order])

    def keeping(self, entries: Bool) -> "Incidence":
        """The same rows with only some of the entries (nnz,)."""
        indptr = np.zeros(self.n_rows + 1, np.int32)
        np.cumsum(np.bincount(self.row_of_entry[entries], minlength=self.n_rows), out=indptr[1:])
        return Incidence(indptr, self.indices[entries])

    def take(self, rows: Sequence[int] | npt.NDArray[np.integer]) -> "Incidence":
        """The given rows, in the given order."""
        rows = np.asarray(rows, np.int64)
        degrees = self.degrees[rows]
        indptr = np.zeros(len(rows) + 1, np.int32)
        np.cumsum(degrees, out=indptr[1:])
        entries = np.arange(indptr[-1]) + np.repeat(self.indptr[rows] - indptr[:-1], degrees)
        return Incidence(indptr, self.indices[entries])
