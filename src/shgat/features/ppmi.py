"""What stands near what in walks, as a sparse matrix, and its factors.

Positive pointwise mutual information m_ij = max(0, ln(n_ij n / (n_i n_j))), of which skip-gram with negative sampling is an implicit
factorisation (Levy and Goldberg, NIPS 2014), by randomised subspace iteration (Halko, Martinsson and Tropp, SIAM Review 2011).
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from .._kernels import walks as kernels
from .._types import Float32, Float64, Int32, Int64

_SPARE, _ROUNDS = 16, 4  # columns beyond those wanted, and products by the matrix before the last one


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows of a sparse matrix; columns in no order.

    Attributes
    ----------
    indptr : (n_rows + 1,) int64
    indices : (nnz,) int32 columns
    values : (nnz,) float32
    """

    indptr: Int64
    indices: Int32
    values: Float32

    @classmethod
    def near(cls, walks: Int32, n: int, window: int, first: int = 0, threads: int = 1) -> "Rows":
        """How often nodes stand near each other: pairs at distance o within the window count 1 - (o - 1) / window.

        Parameters
        ----------
        walks : (N, length) int32 nodes, -1 after the end of a walk
        n : number of nodes
        first : rows below it are left empty
        """
        weights = (1.0 - np.arange(window, dtype=np.float32) / window).astype(np.float32)
        begin = np.zeros(n + 1, np.int64)
        np.cumsum(np.bincount(walks[walks >= 0], minlength=n), out=begin[1:])
        where = np.empty(begin[-1], np.int64)
        kernels.places(walks, begin, where)
        sizes, indptr = np.zeros(n, np.int64), np.zeros(n + 1, np.int64)

        def count(low: int, high: int) -> None:
            kernels.near_sizes(walks, weights, begin, where, low, high, np.zeros(n, np.float32), np.empty(n, np.int32), sizes)

        def fill(low: int, high: int) -> None:
            scratch = np.zeros(n, np.float32), np.empty(n, np.int32)
            kernels.near(walks, weights, begin, where, low, high, *scratch, indptr, indices, values)

        in_parts(count, first, n, threads)
        np.cumsum(sizes, out=indptr[1:])
        indices, values = np.empty(indptr[-1], np.int32), np.empty(indptr[-1], np.float32)
        in_parts(fill, first, n, threads)
        return cls(indptr, indices, values)

    def sums(self) -> Float64:
        """(n_rows,) sum of each row."""
        return np.bincount(self._row_of_entry(), self.values, len(self.indptr) - 1).astype(np.float64)

    def ppmi(self, shares: Float64) -> "Rows":
        """The positive pointwise mutual information of counts; `shares` (n_columns,) is what every column has of all counts."""
        row = self._row_of_entry()
        with np.errstate(divide="ignore"):  # a column without a share is one that nothing stood near
            found = np.log(self.values) - np.log(self.sums())[row] - np.log(shares)[self.indices]
        keep = (found > 0) & np.isfinite(found)
        indptr = np.zeros_like(self.indptr)
        np.cumsum(np.bincount(row[keep], minlength=len(indptr) - 1), out=indptr[1:])
        return Rows(indptr, self.indices[keep], found[keep].astype(np.float32))

    def times(self, x: Float32, threads: int = 1) -> Float32:
        """(n_rows, k) the product with x (n_columns, k)."""
        out = np.empty((len(self.indptr) - 1, x.shape[1]), np.float32)
        x = np.ascontiguousarray(x)
        in_parts(
            lambda low, high: kernels.multiply(self.indptr, self.indices, self.values, low, high, x, out), 0, len(out), threads
        )
        return out

    def _row_of_entry(self) -> Int64:
        return np.repeat(np.arange(len(self.indptr) - 1), np.diff(self.indptr))


def factors(m: Rows, k: int, rng: np.random.Generator, threads: int = 1) -> tuple[Float32, Float64]:
    """(U (n, k'), its eigenvalues (k',) falling) of a symmetric matrix: at most k, those above zero, signs fixed."""
    n = len(m.indptr) - 1
    if not m.values.any():
        return np.zeros((n, 0), np.float32), np.zeros(0)
    q = rng.standard_normal((n, min(n, k + _SPARE))).astype(np.float32)
    for _ in range(_ROUNDS):
        q = np.linalg.qr(m.times(q, threads))[0].astype(np.float32)
    small = q.T.astype(np.float64) @ m.times(q, threads)
    values, turned = np.linalg.eigh((small + small.T) / 2)
    best = np.argsort(-values, kind="stable")[:k]
    best = best[values[best] > 1e-6 * max(float(np.abs(values).max(initial=0.0)), 1e-30)]
    u = q @ turned[:, best]
    u *= np.sign(u[np.abs(u).argmax(axis=0), np.arange(len(best))])
    return u.astype(np.float32), values[best]


def in_parts(work: Callable[[int, int], None], first: int, n: int, threads: int) -> None:
    """work(low, high) on parts of the rows from `first` to n, one for each thread."""
    bounds = np.linspace(first, n, max(threads, 1) + 1).astype(int).tolist()
    if threads <= 1:
        work(first, n)
        return
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, bounds[:-1], bounds[1:]))
