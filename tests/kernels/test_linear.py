"""Matrix products against the twin, in and out of BLAS's hands."""

import numpy as np
import pytest

from reference import linear as twin
from reference.gradients import assert_gradient
from reference.incidence import single
from shgat._kernels import linear

SHAPES = [(1, 1, 1), (3, 5, 7), (33, 17, 64), (0, 4, 3)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("beta", [0.0, 1.0])
def test_products_match_the_twin(shape, beta):
    m, n, k = shape
    rng = np.random.default_rng(0)
    x, w, d_out = rng.standard_normal((m, k)), rng.standard_normal((n, k)), rng.standard_normal((m, n))
    d_x, d_w = twin.project_backward(d_out, x, w)
    x32, w32, d_out32 = single(x, w, d_out)
    for kernel, a, b, expected in [
        (linear.project, x32, w32, twin.project(x, w)),
        (linear.project_backward_input, d_out32, w32, d_x),
        (linear.project_backward_weight, d_out32, x32, d_w),
    ]:
        # beta = 0 must overwrite even NaN: outputs come uninitialised
        out = np.full(expected.shape, np.nan if beta == 0.0 else 2.0, np.float32)
        kernel(a, b, out, beta)
        if out.size and m:
            np.testing.assert_allclose(out, expected + 2.0 * beta, rtol=1e-4, atol=1e-5)


def test_backward_is_the_gradient():
    rng = np.random.default_rng(1)
    x, w, d_y = rng.standard_normal((3, 5)), rng.standard_normal((4, 5)), rng.standard_normal((3, 4))
    d_x, d_w = twin.project_backward(d_y, x, w)

    def loss():
        return (d_y * twin.project(x, w)).sum()

    assert_gradient(loss, x, d_x)
    assert_gradient(loss, w, d_w)


def test_shapes_that_do_not_fit_raise():
    x, w, out = np.zeros((3, 5), np.float32), np.zeros((4, 6), np.float32), np.zeros((3, 4), np.float32)
    with pytest.raises(ValueError, match="project: shapes"):
        linear.project(x, w, out)
    with pytest.raises(ValueError, match="project_backward_input: shapes"):
        linear.project_backward_input(x, w, out)
    with pytest.raises(ValueError, match="project_backward_weight: shapes"):
        linear.project_backward_weight(x, w, out)


@pytest.mark.parametrize("x", [np.zeros((4, 4), np.float32).T[:, :], np.zeros((4, 4))], ids=["transposed", "float64"])
def test_transposed_or_wrong_dtype_raises(x):
    square = np.zeros((4, 4), np.float32)
    with pytest.raises(ValueError, match=r"contiguous|dtype"):
        linear.project(x, square, square.copy())


def test_blas_threads_are_set_and_returned():
    before = linear.set_blas_threads(1)
    assert before >= 1
    assert linear.set_blas_threads(before) == 1
    assert linear.blas_config()
