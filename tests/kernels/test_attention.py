"""Attention over members against the twin, its backward against central differences."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference import attention as twin
from reference.gradients import assert_gradient
from reference.incidence import csr, readonly, single
from shgat._kernels import attention

SLOPE = 0.2
CASES = {
    "mixed sizes": (6, [3, 0, 1, 6, 2]),
    "one member each": (4, [1, 1, 1]),
    "one target": (3, [3]),
    "no edges": (3, [0, 0]),
    "long segment": (70, [70, 1]),
    "no targets": (3, []),
}


def problem(sizes_key, heads, width, mode, seed=0, gate=(0.8, 0.7, -0.3)):
    """s, t, a, indptr, indices, gate, x in float64."""
    n_sources, sizes = CASES[sizes_key]
    rng = np.random.default_rng(seed)
    indptr, indices = csr(rng, n_sources, sizes)
    d = heads * width
    s, t, x = (rng.standard_normal((n, d)) for n in (n_sources, len(sizes), len(sizes)))
    a = rng.standard_normal((heads if mode == "gatv2" else 2 * heads, width))
    return s, t, a, indptr, indices, np.array(gate), x


def run(s, t, a, indptr, indices, gate, x, heads):
    """The kernel's out and caches."""
    s, t, a, gate, x = single(s, t, a, gate, x)
    d = s.shape[1]
    alpha, agg, out = (np.full(shape, np.nan, np.float32) for shape in ((len(indices), heads), x.shape, x.shape))
    attention.attend(s, t, a, indptr, indices, SLOPE, gate, x, alpha, agg, out, np.empty(2 * d, np.float32))
    return out, alpha, agg


def run_backward(d_out, s, t, a, indptr, indices, gate, x, alpha, agg):
    heads, longest = alpha.shape[1], max(np.diff(indptr), default=0)
    d_out, s, t, a, gate, x = single(d_out, s, t, a, gate, x)
    d_s, d_t, d_a = np.zeros_like(s), np.zeros_like(t), np.zeros_like(a)
    d_gate, d_x = np.zeros(3), np.full_like(x, np.nan)
    scratch = np.full(3 * s.shape[1] + heads * longest, np.nan, np.float32)
    attention.attend_backward(d_out, s, t, a, indptr, indices, SLOPE, gate, x, alpha, agg, d_s, d_t, d_a, d_gate, d_x, scratch)
    return d_s, d_t, d_a, d_gate, d_x


@pytest.mark.parametrize("mode", ["gatv2", "gat"])
@pytest.mark.parametrize(("heads", "width"), [(1, 8), (1, 1), (3, 5), (4, 16), (16, 3), (19, 2)])
@pytest.mark.parametrize("case", CASES)
def test_forward_and_backward_match_the_twin(case, heads, width, mode):
    s, t, a, indptr, indices, gate, x = problem(case, heads, width, mode)
    expected, cache = twin.attend(s, t, a, indptr, indices, SLOPE, gate, x, heads=heads)
    out, alpha, agg = run(s, t, a, indptr, indices, gate, x, heads)
    np.testing.assert_allclose(out, expected, rtol=1e-4, atol=1e-5)
    filled = np.diff(indptr) > 0
    np.testing.assert_allclose(alpha, cache.alpha, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(agg[filled], cache.agg[filled], rtol=1e-4, atol=1e-5)

    d_out = np.random.default_rng(1).standard_normal(out.shape)
    got = run_backward(d_out, s, t, a, indptr, indices, gate, x, readonly(alpha), readonly(agg))
    for name, kernel, reference in zip(
        ["d_s", "d_t", "d_a", "d_gate", "d_x"], got, twin.attend_backward(d_out, cache), strict=True
    ):
        np.testing.assert_allclose(kernel, reference, rtol=1e-4, atol=2e-5, err_msg=name)


@pytest.mark.parametrize("mode", ["gatv2", "gat"])
@pytest.mark.parametrize("heads", [1, 3])
@pytest.mark.parametrize("case", ["mixed sizes", "one member each", "no edges"])
def test_backward_is_the_gradient(case, heads, mode):
    s, t, a, indptr, indices, gate, x = problem(case, heads, 2, mode)
    d_out = np.random.default_rng(1).standard_normal(x.shape)

    def loss():
        return (d_out * twin.attend(s, t, a, indptr, indices, SLOPE, gate, x, heads=heads)[0]).sum()

    _, cache = twin.attend(s, t, a, indptr, indices, SLOPE, gate, x, heads=heads)
    gradients = twin.attend_backward(d_out, cache)
    for name, variable, gradient in zip(["s", "t", "a", "gate", "x"], (s, t, a, gate, x), gradients, strict=True):
        assert_gradient(loss, variable, gradient, name=name)


def test_a_target_without_sources_keeps_its_row_and_its_gradient():
    s, t, a, indptr, indices, gate, x = problem("mixed sizes", 3, 5, "gatv2")
    out, alpha, agg = run(s, t, a, indptr, indices, gate, x, 3)
    np.testing.assert_array_equal(out[1], x[1].astype(np.float32))
    d_out = np.ones_like(x)
    *_, d_x = run_backward(d_out, s, t, a, indptr, indices, gate, x, alpha, agg)
    np.testing.assert_array_equal(d_x[1], 1.0)


def test_a_closed_gate_changes_nothing():
    s, t, a, indptr, indices, gate, x = problem("mixed sizes", 3, 5, "gatv2", gate=(0.0, 1.0, 1.0))
    np.testing.assert_array_equal(run(s, t, a, indptr, indices, gate, x, 3)[0], x.astype(np.float32))


def test_in_gat_the_target_has_no_influence():
    s, t, a, indptr, indices, gate, x = problem("mixed sizes", 3, 5, "gat")
    out, alpha, agg = run(s, t, a, indptr, indices, gate, x, 3)
    np.testing.assert_allclose(run(s, 2.0 * t, a, indptr, indices, gate, x, 3)[0], out, rtol=1e-4, atol=1e-5)
    _, d_t, d_a, *_ = run_backward(np.ones_like(x), s, t, a, indptr, indices, gate, x, alpha, agg)
    np.testing.assert_allclose(d_t, 0.0, atol=1e-5)
    np.testing.assert_allclose(d_a[3:], 0.0, atol=1e-5)


@given(st.randoms(use_true_random=False), st.integers(1, 12), st.integers(1, 5))
@settings(max_examples=30, deadline=None)
def test_the_order_of_members_does_not_matter(random, size, heads):
    rng = np.random.default_rng(random.getrandbits(32))
    d = 4 * heads
    s, t, x, a = (rng.standard_normal(shape) for shape in ((size, d), (1, d), (1, d), (heads, 4)))
    indptr, members = np.array([0, size], np.int32), rng.permutation(size).astype(np.int32)
    gate = np.array([1.0, 0.5, 0.5])
    out, alpha, _ = run(s, t, a, indptr, members, gate, x, heads)
    np.testing.assert_allclose(alpha.sum(0), 1.0, rtol=1e-5)
    shuffled = run(s, t, a, indptr, rng.permutation(members), gate, x, heads)[0]
    np.testing.assert_allclose(out, shuffled, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("size", [1e-6, 1e-4, 1e-2, 1.0, 50.0, 1e4])
@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_elu_keeps_its_relative_accuracy(size, sign):
    """One source, alpha = 1, g = 1: out = ELU(s), which for small s is s and not exp(s) - 1 with its digits lost."""
    s = sign * size * np.linspace(0.5, 1.0, 32)[None]
    gate, one = np.array([1.0, 0.0, 100.0]), np.array([0, 1], np.int32)
    out, *_ = run(s, s, np.ones((1, 32)), one, np.zeros(1, np.int32), gate, np.zeros_like(s), 1)
    np.testing.assert_allclose(out, twin.elu(s.astype(np.float32).astype(float)), rtol=1e-6)


@pytest.mark.parametrize("spread", [1e3, 1e30])
def test_logits_of_any_size_give_a_distribution(spread):
    s, t, a, indptr, indices, gate, x = problem("mixed sizes", 3, 5, "gatv2")
    _, alpha, _ = run(s * spread, t, a, indptr, indices, gate, x, 3)
    assert np.all(alpha >= 0.0)
    for lo, hi in pairwise(indptr):
        np.testing.assert_allclose(alpha[lo:hi].sum(0), 1.0 if hi > lo else 0.0, rtol=1e-5)


@pytest.mark.parametrize("which", range(5))
@pytest.mark.parametrize("spoil", [lambda v: v.astype(np.float64), np.asfortranarray])
def test_transposed_or_wrong_dtype_raises(which, spoil):
    s, t, a, indptr, indices, gate, x = problem("mixed sizes", 3, 5, "gatv2")
    s, t, a, x = single(s, t, a, x)
    alpha = np.zeros((len(indices), 3), np.float32)
    arrays = [s, t, a, x, alpha]
    arrays[which] = spoil(arrays[which])
    s, t, a, x, alpha = arrays
    gate, scratch = gate.astype(np.float32), np.empty(30, np.float32)
    with pytest.raises(ValueError, match=r"contiguous|dtype"):
        attention.attend(s, t, a, indptr, indices, SLOPE, gate, x, alpha, np.zeros_like(x), np.zeros_like(x), scratch)
