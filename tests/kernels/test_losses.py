"""InfoNCE and push-down against the twins, also where logits are extreme."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference import losses as twin
from reference.gradients import assert_gradient
from reference.incidence import csr, single
from shgat._kernels import losses

CASES = {
    "mixed": (7, [2, 0, 1, 7]),
    "one": (5, [1, 1, 1]),
    "single": (1, [1]),
    "none": (5, [0, 0]),
    "wide": (1031, [3, 40]),
}


def problem(case, seed=0, spread=3.0):
    """z, indptr, indices, y (summing to 1 per row), w"""
    n, sizes = CASES[case]
    rng = np.random.default_rng(seed)
    indptr, indices = csr(rng, n, sizes)
    y = rng.uniform(0.1, 1.0, len(indices))
    y /= np.repeat([y[lo:hi].sum() for lo, hi in pairwise(indptr)], sizes)
    return spread * rng.standard_normal((len(sizes), n)), indptr, indices, y, rng.uniform(0.2, 2.0, len(sizes))


def run_info_nce(z, indptr, indices, y, w, tau, apart=False):
    z, y, w = single(z, y, w)
    d_z, loss, p = np.full_like(z, np.nan), np.full(len(z), np.nan), np.full(len(z), np.nan, np.float32)
    losses.info_nce(z, indptr, indices, y, w, tau, d_z, loss, p, apart)
    return loss, d_z, p


def run_info_nce_apart(*problem):
    return run_info_nce(*problem, apart=True)


PULLS = {"together": (run_info_nce, twin.info_nce), "apart": (run_info_nce_apart, twin.info_nce_apart)}


def run_push_down(z, indptr, indices, y, w, tau):
    z, y, w = single(z, y, w)
    d_z, loss = np.ones_like(z), np.ones(len(z))  # it adds
    losses.push_down(z, indptr, indices, y, w, tau, d_z, loss)
    return loss - 1.0, d_z - 1.0


@pytest.mark.parametrize("tau", [1.0, 0.06])
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("pull", PULLS)
def test_info_nce_matches_the_twin(pull, case, tau):
    z, *rest = problem(case)
    z = z * tau
    run, loss = PULLS[pull]
    for kernel, reference in zip(run(z, *rest, tau), loss(z, *rest, tau), strict=True):
        np.testing.assert_allclose(kernel, reference, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("tau", [1.0, 0.06])
@pytest.mark.parametrize("case", CASES)
def test_push_down_matches_the_twin(case, tau):
    z, *rest = problem(case)
    z = z * tau
    for kernel, reference in zip(run_push_down(z, *rest, tau), twin.push_down(z, *rest, tau), strict=True):
        np.testing.assert_allclose(kernel, reference, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("tau", [1.0, 0.06])
def test_one_target_is_the_same_together_and_apart(tau):
    together, apart = (run(*problem("one"), tau) for run, _ in PULLS.values())
    for a, b in zip(together, apart, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_targets_that_are_all_candidates_pull_nothing_apart():
    z, *rest = problem("mixed")
    loss, d_z, p = run_info_nce_apart(z, *rest, 1.0)
    assert loss[3] == 0.0
    assert not d_z[3].any()
    assert p[3] == 1.0


def test_a_target_is_not_pushed_by_another_one_apart():
    """However high the first, the second is pulled up as if it stood alone."""
    indptr, indices = np.array([0, 2], np.int32), np.array([0, 1], np.int32)
    for first in (0.0, 9.0):
        _, d_z, _ = run_info_nce_apart(np.array([[first, 0.0, 1.0]]), indptr, indices, np.full(2, 0.5), np.ones(1), 1.0)
        assert d_z[0, 1] == pytest.approx(-0.5 / (1.0 + np.exp(-1.0)))


@pytest.mark.parametrize("loss", [twin.info_nce, twin.info_nce_apart, twin.push_down])
def test_backward_is_the_gradient(loss):
    z, *rest = problem("mixed")

    def total():
        return loss(z, *rest, 0.7)[0].sum()

    assert_gradient(total, z, loss(z, *rest, 0.7)[1])


def test_an_index_that_occurs_twice_counts_twice():
    z, w = np.array([[0.3, -0.2, 0.1]]), np.ones(1)
    indptr, indices, y = np.array([0, 2], np.int32), np.array([1, 1], np.int32), np.array([0.5, 0.5])
    for run, loss in PULLS.values():
        for kernel, reference in list(zip(run(z, indptr, indices, y, w, 1.0), loss(z, indptr, indices, y, w, 1.0), strict=True))[
            :2
        ]:
            np.testing.assert_allclose(kernel, reference, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("extreme", [1e3, -1e3, 1e6, 1e30])
def test_extreme_logits_stay_finite_and_exact(extreme):
    z, *rest = problem("mixed")
    z[:, 1] = extreme
    for run, loss in (*PULLS.values(), (run_push_down, twin.push_down)):
        for kernel, reference in zip(run(z, *rest, 1.0), loss(z, *rest, 1.0), strict=True):
            np.testing.assert_allclose(kernel, reference, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("pull", PULLS)
def test_a_masked_candidate_has_no_mass(pull):
    z, indptr, indices, y, w = problem("one")
    free = next(j for j in range(5) if j not in indices)
    z[:, free] = -np.inf
    _, d_z, _ = PULLS[pull][0](z, indptr, indices, y, w, 1.0)
    assert not d_z[:, free].any()
    np.testing.assert_allclose(d_z.sum(1), 0.0, atol=1e-6)


@pytest.mark.parametrize("pull", PULLS)
def test_nan_is_not_hidden(pull):
    z, *rest = problem("one")
    z[1, 3] = np.nan
    loss, *_ = PULLS[pull][0](z, *rest, 1.0)
    assert np.isnan(loss[1])
    assert np.isfinite(loss[[0, 2]]).all()


def test_exp_is_exact_to_two_ulp():
    """Logits (0, x), target 0: d_z of the second column is exp(x) / (1 + exp(x))."""
    x = np.linspace(-87.0, 0.0, 100_003).astype(np.float32)
    z = np.stack([np.zeros_like(x), x], axis=1)
    indptr, indices = np.arange(len(x) + 1, dtype=np.int32), np.zeros(len(x), np.int32)
    ones = np.ones(len(x), np.float32)
    d_z, loss, p = np.empty_like(z), np.empty(len(x)), np.empty_like(x)
    losses.info_nce(z, indptr, indices, ones, ones, 1.0, d_z, loss, p)
    exact = np.exp(x.astype(float))
    small = exact < 2.0**-25  # there 1 + exp(x) is 1 in float32, and d_z is exp(x) itself
    ulp = np.spacing(exact[small].astype(np.float32))
    assert np.abs((d_z[small, 1] - exact[small]) / ulp).max() <= 2.0
    np.testing.assert_allclose(d_z[:, 1], exact / (1.0 + exact), rtol=5e-7)


@given(st.integers(0, 2**32 - 1), st.floats(-50.0, 50.0))
@settings(max_examples=30, deadline=None)
def test_a_constant_on_all_logits_changes_nothing(seed, constant):
    z, *rest = problem("mixed", seed)
    for run, loss in PULLS.values():
        for kernel, reference in zip(run(z + constant, *rest, 1.0), loss(z, *rest, 1.0), strict=True):
            np.testing.assert_allclose(kernel, reference, rtol=1e-4, atol=5e-5)


@pytest.mark.parametrize("spoil", [lambda v: v.astype(np.float64), np.asfortranarray])
def test_transposed_or_wrong_dtype_raises(spoil):
    z, indptr, indices, y, w = problem("mixed")
    z, y, w = single(z, y, w)
    with pytest.raises(ValueError, match=r"contiguous|dtype"):
        losses.info_nce(spoil(z), indptr, indices, y, w, 1.0, np.zeros_like(z), np.zeros(4), np.zeros(4, np.float32))
    with pytest.raises(ValueError, match=r"contiguous|dtype"):
        losses.push_down(z, indptr, indices, y, w, 1.0, spoil(np.zeros(z.shape, np.float32)), np.zeros(4))
