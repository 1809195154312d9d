"""V->V against the twin, its backward against central differences."""

import numpy as np
import pytest

from reference import cooccurrence as twin
from reference.gradients import assert_gradient
from reference.incidence import csr, single
from shgat._kernels import cooccurrence

CASES = {
    "mixed degrees": [3, 0, 1, 4, 2, 5],
    "one neighbour each": [1, 1, 1],
    "alone": [1],
    "no edges": [0, 0, 0],
    "long row": [40] + [0] * 39,
}


def problem(case, d, seed=0):
    rng = np.random.default_rng(seed)
    sizes = CASES[case]
    indptr, indices = csr(rng, len(sizes), sizes)  # self loops may occur
    return rng.standard_normal((len(sizes), d)), indptr, indices, rng.uniform(0.1, 3.0, len(indices))


def run(h, indptr, indices, w, beta, temperature):
    h, w = single(h, w)
    n, d = h.shape
    norms, cosine, alpha, agg, pre_norm, y = kept = [
        np.full(shape, np.nan, np.float32) for shape in (n, len(indices), len(indices), (n, d), n, (n, d))
    ]
    cooccurrence.mix(h, indptr, indices, w, beta, temperature, norms, cosine, alpha, agg, pre_norm, y)
    return kept


def run_backward(d_y, h, indptr, indices, w, beta, temperature, kept):
    d_y, h, w, *kept = single(d_y, h, w, *kept)
    d_h, scratch = np.zeros_like(h), np.full(h.shape[1] + max(np.diff(indptr)), np.nan, np.float32)
    d_beta, d_temperature = cooccurrence.mix_backward(d_y, h, indptr, indices, w, beta, temperature, *kept, d_h, scratch)
    return d_h, d_beta, d_temperature


@pytest.mark.parametrize("d", [1, 7, 64])
@pytest.mark.parametrize("case", [case for case in CASES if case != "no edges"])
def test_forward_and_backward_match_the_twin(case, d):
    h, indptr, indices, w = problem(case, d)
    y, cache = twin.mix(h, indptr, indices, w, 0.3, 0.7)
    kept = run(h, indptr, indices, w, 0.3, 0.7)
    np.testing.assert_allclose(kept[-1], y, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(kept[2], cache.alpha, rtol=1e-4, atol=1e-6)
    d_y = np.random.default_rng(1).standard_normal(h.shape)
    for name, kernel, reference in zip(
        ["d_h", "d_beta", "d_temperature"],
        run_backward(d_y, h, indptr, indices, w, 0.3, 0.7, kept),
        twin.mix_backward(d_y, cache),
        strict=True,
    ):
        np.testing.assert_allclose(kernel, reference, rtol=1e-4, atol=2e-5, err_msg=name)


@pytest.mark.parametrize("case", ["mixed degrees", "one neighbour each", "no edges"])
def test_backward_is_the_gradient(case):
    h, indptr, indices, w = problem(case, 5)
    scalars = np.array([0.3, 0.7])
    d_y = np.random.default_rng(1).standard_normal(h.shape)

    def loss():
        return (d_y * twin.mix(h, indptr, indices, w, *scalars)[0]).sum()

    d_h, *d_scalars = twin.mix_backward(d_y, twin.mix(h, indptr, indices, w, *scalars)[1])
    assert_gradient(loss, h, d_h)
    assert_gradient(loss, scalars, d_scalars)


def test_without_edges_nothing_is_written():
    h, indptr, indices, w = problem("no edges", 5)
    assert np.isnan(run(h, indptr, indices, w, 0.3, 0.7)[-1]).all()
    d_h, d_beta, d_temperature = run_backward(h, h, indptr, indices, w, 0.3, 0.7, run(h, indptr, indices, w, 0.3, 0.7))
    assert not d_h.any()
    assert (d_beta, d_temperature) == (0.0, 0.0)


def test_rows_with_neighbours_come_out_as_unit_rows():
    h, indptr, indices, w = problem("mixed degrees", 7)
    norms = np.linalg.norm(run(h, indptr, indices, w, 0.3, 0.7)[-1], axis=1)
    np.testing.assert_allclose(norms[np.diff(indptr) > 0], 1.0, rtol=1e-5)


def test_a_zero_row_has_cosine_zero_and_a_finite_gradient():
    h, indptr, indices, w = problem("mixed degrees", 7)
    h[2] = 0.0
    y, cache = twin.mix(h, indptr, indices, w, 0.3, 0.7)
    kept = run(h, indptr, indices, w, 0.3, 0.7)
    np.testing.assert_allclose(kept[-1], y, rtol=1e-4, atol=1e-5)
    d_y = np.ones_like(h)
    d_h, *_ = run_backward(d_y, h, indptr, indices, w, 0.3, 0.7, kept)
    np.testing.assert_allclose(d_h, twin.mix_backward(d_y, cache)[0], rtol=1e-4, atol=2e-5)


@pytest.mark.parametrize("spoil", [lambda v: v.astype(np.float64), np.asfortranarray])
def test_transposed_or_wrong_dtype_raises(spoil):
    h, indptr, indices, w = problem("mixed degrees", 7)
    h, w = single(h, w)
    n, d = h.shape
    kept = [np.zeros(shape, np.float32) for shape in (n, len(indices), len(indices), (n, d), n, (n, d))]
    with pytest.raises(ValueError, match=r"contiguous|dtype"):
        cooccurrence.mix(spoil(h), indptr, indices, w, 0.3, 1.0, *kept)
    with pytest.raises(ValueError, match="dtype"):
        cooccurrence.mix(h, indptr.astype(np.int64), indices, w, 0.3, 1.0, *kept)
