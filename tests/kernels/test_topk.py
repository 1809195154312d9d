"""The best by a stable sort, and the votes of what was chosen."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from reference import topk as twin
from reference.incidence import readonly
from shgat._kernels import topk
from shgat.graph import Incidence


def assert_matches_the_twin(scores, k):
    best, indices = np.full(k, np.nan, np.float32), np.full(k, -1, np.int32)
    topk.top_k(scores, best, indices)
    expected, order = twin.top_k(scores, k)
    np.testing.assert_array_equal(best, expected)
    np.testing.assert_array_equal(indices, order)


@pytest.mark.parametrize(("n", "k"), [(1, 1), (5, 5), (1000, 1), (1000, 10), (1003, 1000), (5, 0), (0, 0)])
def test_matches_a_stable_sort(n, k):
    rng = np.random.default_rng(0)
    assert_matches_the_twin(readonly(rng.standard_normal(n).astype(np.float32)), k)
    assert_matches_the_twin(readonly(np.sort(rng.standard_normal(n).astype(np.float32))), k)
    assert_matches_the_twin(readonly(rng.integers(4, size=n).astype(np.float32)), k)


VALUES = st.sampled_from([np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 3.0e38, 1e-45])


@given(hnp.arrays(np.float32, st.integers(1, 70), elements=VALUES), st.integers(0, 70))
@settings(max_examples=200, deadline=None)
def test_ties_and_infinities(scores, k):
    assert_matches_the_twin(scores, min(k, len(scores)))


def test_lengths_and_dtypes_that_do_not_fit_raise():
    scores, best, indices = np.zeros(3, np.float32), np.zeros(4, np.float32), np.zeros(4, np.int32)
    with pytest.raises(ValueError, match="top_k: 4 of 3"):
        topk.top_k(scores, best, indices)
    with pytest.raises(ValueError, match="into 4 indices"):
        topk.top_k(scores, best[:2], indices)
    with pytest.raises(ValueError, match="dtype"):
        topk.top_k(scores.astype(float), best[:2], indices[:2])
    with pytest.raises(ValueError, match="contiguous"):
        topk.top_k(np.zeros(6, np.float32)[::2], best[:2], indices[:2])


@given(st.integers(1, 70).flatmap(lambda n: hnp.arrays(np.float32, (5, n), elements=VALUES)), st.integers(0, 99))
@settings(max_examples=200, deadline=None)
def test_ranks_are_those_of_a_stable_sort(scores, seed):
    rng = np.random.default_rng(seed)
    sets = [sorted(set(rng.integers(scores.shape[1], size=rng.integers(0, 4)).tolist())) for _ in scores]
    incidence = Incidence.from_rows(sets)
    found = np.full(incidence.nnz, -1)
    topk.ranks(readonly(scores), readonly(incidence.indptr), readonly(incidence.indices), found)
    assert found.tolist() == twin.ranks(scores, sets)


def test_ranks_that_do_not_fit_raise():
    incidence, found = Incidence.from_rows([[0], [1]]), np.zeros(2, np.int64)
    for scores, out in ((np.zeros((3, 4), np.float32), found), (np.zeros((2, 4), np.float32), found[:1])):
        with pytest.raises(ValueError, match="ranks: scores"):
            topk.ranks(scores, incidence.indptr, incidence.indices, out)
    with pytest.raises(ValueError, match="dtype"):
        topk.ranks(np.zeros((2, 4)), incidence.indptr, incidence.indices, found)
    topk.ranks(np.zeros((0, 0), np.float32), np.zeros(1, np.int32), np.zeros(0, np.int32), found[:0])


@given(st.lists(st.sets(st.integers(0, 8)), min_size=1, max_size=6), st.lists(st.integers(0, 5), max_size=8), st.integers(0, 99))
@settings(max_examples=100, deadline=None)
def test_votes(sets, chosen, seed):
    incidence = Incidence.from_rows(sets)
    rows = np.array([i % len(sets) for i in chosen], np.int32)
    rng = np.random.default_rng(seed)
    weights, votes = rng.random(len(rows)).astype(np.float32), np.full(9, np.nan, np.float32)
    expected = twin.vote(rows, weights, 0.75, 1e-3, [sorted(s) for s in sets], 9)
    topk.vote(readonly(rows), readonly(weights), 0.75, 1e-3, readonly(incidence.indptr), readonly(incidence.indices), votes)
    np.testing.assert_allclose(votes, expected, rtol=1e-5, atol=1e-6)
    with pytest.raises(ValueError, match=f"vote: {len(rows)} rows with {len(rows) + 1} weights"):
        topk.vote(rows, np.zeros(len(rows) + 1, np.float32), 0.75, 1e-3, incidence.indptr, incidence.indices, votes)
