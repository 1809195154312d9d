"""Sparse rows against dense ones, and factors against the eigenvectors of the dense matrix."""

import numpy as np
import pytest

from reference import walks as twin
from shgat.features.ppmi import Rows, factors, in_parts

N = 30


@pytest.fixture(scope="module")
def walks():
    rng = np.random.default_rng(0)
    near = np.cumsum(rng.integers(-2, 3, (80, 9)), axis=1)  # what is near in number is near in walks
    return ((near + rng.integers(N, size=(80, 1))) % N).astype(np.int32)


def dense(rows, n=N):
    out = np.zeros((n, n))
    out[np.repeat(np.arange(n), np.diff(rows.indptr)), rows.indices] = rows.values
    return out


def test_counts_fall_with_distance_and_become_ppmi(walks):
    counts = Rows.near(walks, N, 3)
    expected = twin.near(walks.tolist(), N, [1, 2 / 3, 1 / 3])
    np.testing.assert_allclose(dense(counts), expected, rtol=1e-5)
    np.testing.assert_allclose(counts.sums(), expected.sum(axis=1), rtol=1e-5)
    found = counts.ppmi(counts.sums() / counts.sums().sum())
    np.testing.assert_allclose(dense(found), twin.ppmi(expected), atol=1e-5)
    assert (found.values > 0).all()


@pytest.mark.parametrize("threads", [2, 3, 40])
def test_threads_change_nothing(walks, threads):
    one, many = Rows.near(walks, N, 4), Rows.near(walks, N, 4, threads=threads)
    for name in ("indptr", "indices", "values"):
        np.testing.assert_array_equal(getattr(one, name), getattr(many, name))
    x = np.random.default_rng(1).standard_normal((N, 5)).astype(np.float32)
    np.testing.assert_array_equal(one.times(x), many.times(x, threads))


def test_factors_are_the_leading_eigenvectors_above_zero(walks):
    counts = Rows.near(walks, N, 4)
    m = counts.ppmi(counts.sums() / counts.sums().sum())
    u, values = factors(m, 6, np.random.default_rng(0))
    expected, vectors = np.linalg.eigh(dense(m))
    np.testing.assert_allclose(values, expected[::-1][:6], rtol=1e-4)
    np.testing.assert_allclose(np.abs(np.sum(u * vectors[:, ::-1][:, :6], axis=0)), 1, atol=1e-2)
    assert (u[np.abs(u).argmax(axis=0), np.arange(6)] > 0).all()
    whole, all_values = factors(m, N, np.random.default_rng(0))
    positive = expected[expected > 1e-6 * expected.max()]
    np.testing.assert_allclose(all_values, positive[::-1], rtol=1e-3)
    assert whole.shape == (N, len(positive))


def test_nothing_has_no_factors():
    empty = Rows.near(np.zeros((0, 5), np.int32), 4, 2)
    u, values = factors(empty.ppmi(np.zeros(4)), 3, np.random.default_rng(0))
    assert u.shape == (4, 0)
    assert len(values) == 0


def test_parts_cover_every_row_once():
    seen = []
    in_parts(lambda low, high: seen.append((low, high)), 2, 11, 4)
    assert sorted(i for low, high in seen for i in range(low, high)) == list(range(2, 11))
