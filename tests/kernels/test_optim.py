"""Adam against the twin, step by step."""

import numpy as np
import pytest

from reference import optim as twin
from reference.incidence import single
from shgat._kernels import optim

RATES = {"lr": 1e-2, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8}


@pytest.mark.parametrize("n", [0, 1, 7, 64, 1001])
@pytest.mark.parametrize("anchored", [False, True])
@pytest.mark.parametrize(("decay", "g_scale"), [(0.0, 1.0), (0.1, 0.25)])
def test_steps_match_the_twin(n, anchored, decay, g_scale):
    rng = np.random.default_rng(0)
    p, m, v = rng.standard_normal(n), np.zeros(n), np.zeros(n)
    anchor = rng.standard_normal(n) if anchored else None
    (anchor32,) = single(anchor) if anchored else (None,)
    p32, m32, v32 = (array.astype(np.float32) for array in (p, m, v))
    for step in range(1, 21):
        g = rng.standard_normal(n)
        p, m, v = twin.adam_step(p, g, m, v, step, **RATES, decay=decay, g_scale=g_scale, anchor=anchor)
        optim.adam_step(p32, *single(g), m32, v32, step, *RATES.values(), decay, g_scale, anchor32)
    for kernel, reference in ((p32, p), (m32, m), (v32, v)):
        np.testing.assert_allclose(kernel, reference, rtol=1e-4, atol=1e-6)


def test_the_first_step_is_the_sign_of_the_gradient():
    p, m, v = (np.zeros(4, np.float32) for _ in range(3))
    optim.adam_step(p, np.array([1e-3, -1e-3, 5.0, 0.0], np.float32), m, v, 1, 0.1, 0.9, 0.999, 1e-8, 0.0, 1.0)
    np.testing.assert_allclose(p, [-0.1, 0.1, -0.1, 0.0], rtol=1e-4)


def test_decay_pulls_to_the_anchor():
    p, anchor, zero = np.full(3, 2.0, np.float32), np.full(3, 1.0, np.float32), np.zeros(3, np.float32)
    optim.adam_step(p, zero, zero.copy(), zero.copy(), 1, 0.1, 0.9, 0.999, 1e-8, 0.5, 1.0, anchor)
    np.testing.assert_allclose(p, 2.0 - 0.1 * 0.5 * (2.0 - 1.0), rtol=1e-6)


@pytest.mark.parametrize("n", [0, 1, 4095, 4096, 4097, 100_001])
def test_sum_of_squares(n):
    x = np.random.default_rng(0).standard_normal(n).astype(np.float32)
    assert optim.sum_of_squares(x) == pytest.approx(float((x.astype(float) ** 2).sum()), rel=1e-6)


def test_lengths_and_dtypes_that_do_not_fit_raise():
    a, b = np.zeros(4, np.float32), np.zeros(5, np.float32)
    for arrays in ((a, b, a.copy(), a.copy()), (a, a, b, a.copy()), (a, a, a.copy(), b)):
        with pytest.raises(ValueError, match="one length"):
            optim.adam_step(*arrays, 1, *RATES.values(), 0.0, 1.0)
    with pytest.raises(ValueError, match="one length"):
        optim.adam_step(a, a, a.copy(), a.copy(), 1, *RATES.values(), 0.0, 1.0, b)
    with pytest.raises(ValueError, match="dtype"):
        optim.adam_step(a, a.astype(float), a.copy(), a.copy(), 1, *RATES.values(), 0.0, 1.0)
    with pytest.raises(ValueError, match="contiguous"):
        optim.sum_of_squares(np.zeros(8, np.float32)[::2])
