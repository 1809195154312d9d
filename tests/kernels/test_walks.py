"""Walks step for step as their twin takes them, by the law of node2vec; counts, products and skip-gram as by definition."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference import walks as twin
from reference.incidence import readonly
from shgat._kernels import walks
from shgat.graph import Incidence


def graph(rng, n, n_edges):
    """Sorted neighbours of an undirected graph whose last node is alone."""
    rows = [set() for _ in range(n)]
    for _ in range(n_edges):
        a, b = rng.integers(n - 1, size=2).tolist()
        if a != b:
            rows[a].add(b)
            rows[b].add(a)
    return [sorted(row) for row in rows]


def walked(rows, each, p, q, seed, length, starts=None):
    incidence = Incidence.from_rows(rows)
    starts = np.arange(len(rows), dtype=np.int32) if starts is None else np.array(starts, np.int32)
    out = np.full((len(starts) * each, length), 9, np.int32)
    walks.walk(readonly(incidence.indptr), readonly(incidence.indices), readonly(starts), each, p, q, seed, out)
    return out


@given(
    st.integers(2, 9), st.integers(0, 20), st.sampled_from([(1, 1), (0.25, 4), (4, 0.5)]), st.integers(0, 2**63), st.integers(1, 7)
)
@settings(max_examples=60, deadline=None)
def test_walks_are_those_of_the_twin(n, n_edges, pq, seed, length):
    rows = graph(np.random.default_rng(seed % 1000), n, n_edges)
    expected = [twin.walk(rows, start, k, *pq, seed, length) for start in range(n) for k in range(3)]
    np.testing.assert_array_equal(walked(rows, 3, *pq, seed, length), expected)


def test_a_walk_is_its_own_whoever_else_walks():
    rows = graph(np.random.default_rng(1), 12, 30)
    whole = walked(rows, 4, 0.5, 2, 7, 10)
    np.testing.assert_array_equal(walked(rows, 4, 0.5, 2, 7, 10, [5, 3]), np.concatenate([whole[20:24], whole[12:16]]))
    assert (walked(rows, 4, 0.5, 2, 8, 10) != whole).any()


@pytest.mark.parametrize(("p", "q"), [(1, 1), (0.25, 4), (4, 0.25)])
def test_steps_follow_the_law_of_node2vec(p, q):
    rows = [[1, 2, 3], [0, 2, 4], [0, 1], [0], [1], []]  # a triangle with tails: all three weights occur
    steps = Counter(
        (a, b, c)
        for path in walked(rows, 6000, p, q, 3, 6, [0, 1]).tolist()
        for a, b, c in zip(path, path[1:], path[2:], strict=False)
    )
    for before, now in {(a, b) for a, b, _ in steps}:
        law = twin.transition(rows, before, now, p, q)
        n = sum(steps[before, now, x] for x in rows[now])
        for x, share in law.items():
            assert abs(steps[before, now, x] - n * share) < 5 * np.sqrt(n * share * (1 - share)) + 1e-9, (before, now, x)


def near(paths, n, weights, low=0):
    begin = np.zeros(n + 1, np.int64)
    np.cumsum(np.bincount(paths[paths >= 0], minlength=n), out=begin[1:])
    where = np.empty(begin[-1], np.int64)
    walks.places(paths, begin, where)
    sizes, indptr = np.zeros(n, np.int64), np.zeros(n + 1, np.int64)
    walks.near_sizes(paths, weights, begin, where, low, n, np.zeros(n, np.float32), np.empty(n, np.int32), sizes)
    np.cumsum(sizes, out=indptr[1:])
    indices, values = np.empty(indptr[-1], np.int32), np.empty(indptr[-1], np.float32)
    walks.near(paths, weights, begin, where, low, n, np.zeros(n, np.float32), np.empty(n, np.int32), indptr, indices, values)
    return begin, where, indptr, indices, values


@given(st.integers(1, 6), st.integers(0, 5), st.integers(1, 6), st.integers(1, 4), st.integers(0, 999))
@settings(max_examples=60, deadline=None)
def test_cooccurrences_and_products(n, n_walks, length, window, seed):
    rng = np.random.default_rng(seed)
    paths = readonly(rng.integers(-1, n, (n_walks, length), dtype=np.int32))
    weights = rng.random(window).astype(np.float32) + 0.1
    begin, where, indptr, indices, values = near(paths, n, weights)
    for i in range(n):
        assert where[begin[i] : begin[i + 1]].tolist() == np.flatnonzero(paths.ravel() == i).tolist()
    dense = np.zeros((n, n))
    dense[np.repeat(np.arange(n), np.diff(indptr)), indices] = values
    expected = twin.near(paths.tolist(), n, weights)
    np.testing.assert_allclose(dense, expected, rtol=1e-5)
    x, y = rng.standard_normal((n, 3)).astype(np.float32), np.full((n, 3), np.nan, np.float32)
    walks.multiply(indptr, indices, values, 0, n, readonly(x), y)
    np.testing.assert_allclose(y, expected @ x, rtol=1e-4, atol=1e-5)
    *_, later, columns, _ = near(paths, n, weights, n - 1)
    assert later[n - 1] == 0
    assert sorted(columns.tolist()) == np.flatnonzero(expected[n - 1]).tolist()


@pytest.mark.parametrize("first", [0, 4])
def test_skip_gram_moves_as_its_twin_does(first):
    rng = np.random.default_rng(2)
    paths = rng.integers(-1, 6, (20, 7), dtype=np.int32)
    table, scratch = rng.integers(0, 6, 50, dtype=np.int32), np.empty(5, np.float32)
    vectors, contexts = (rng.standard_normal((6, 5)).astype(np.float32) for _ in range(2))
    v, c = vectors.astype(np.float64), contexts.astype(np.float64)
    before = vectors.copy(), contexts.copy()
    walks.skip_gram(paths, 3, table, 4, 0.1, 0.01, first, 11, vectors, contexts, scratch)
    twin.skip_gram(paths.tolist(), 3, table, 4, 0.1, 0.01, first, 11, v, c)
    np.testing.assert_allclose(vectors, v, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(contexts, c, rtol=1e-4, atol=1e-5)
    assert (vectors[4:] != before[0][4:]).any()
    if first:
        np.testing.assert_array_equal(vectors[:first], before[0][:first])
        np.testing.assert_array_equal(contexts, before[1])


def test_what_does_not_fit_raises():
    indptr, indices, starts = np.array([0, 1, 2], np.int32), np.array([1, 0], np.int32), np.array([0, 1], np.int32)
    with pytest.raises(ValueError, match="walk: 2 starts of 3 walks into 5 rows"):
        walks.walk(indptr, indices, starts, 3, 1.0, 1.0, 0, np.empty((5, 4), np.int32))
    with pytest.raises(ValueError, match="dtype"):
        walks.walk(indptr, indices.astype(np.int64), starts, 1, 1.0, 1.0, 0, np.empty((2, 4), np.int32))
    with pytest.raises(ValueError, match="contiguous"):
        walks.walk(indptr, indices, starts, 1, 1.0, 1.0, 0, np.empty((4, 2), np.int32).T)
