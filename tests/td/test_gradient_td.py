"""TD with gradient correction: on-policy it finds the same values, and a step is that of its formula."""

import numpy as np
import pytest

from shgat.errors import InputError
from shgat.td import GradientTD


def test_one_step_is_the_formula():
    rng = np.random.default_rng(0)
    x, after, w = rng.standard_normal((3, 4))
    learner = GradientTD(w.copy(), alpha=0.1, beta=0.2, gamma=0.9, lam=0.5)
    learner.correction[...] = v = rng.standard_normal(4)
    v, delta, z = v.copy(), 2.0 + 0.9 * w @ after - w @ x, 3.0 * x
    assert learner.step(x, 2.0, after, ratio=3.0) == pytest.approx(delta)
    np.testing.assert_allclose(learner.weights, w + 0.1 * (delta * z - 0.9 * 0.5 * (z @ v) * after))
    np.testing.assert_allclose(learner.correction, v + 0.2 * (delta * z - (v @ x) * x))


def test_it_finds_the_values_of_a_chain():
    eye, learner = np.eye(3), GradientTD(np.zeros(3), alpha=0.05, beta=0.01, gamma=0.9, lam=0.3)
    for _ in range(3000):
        learner.begin()
        for i in range(3):
            learner.step(eye[i], float(i == 2), eye[i + 1] if i < 2 else None)
    np.testing.assert_allclose(learner.weights, [0.81, 0.9, 1.0], atol=0.01)


def test_a_discount_beyond_1_is_refused():
    with pytest.raises(InputError, match="gamma"):
        GradientTD(np.zeros(2), alpha=0.1, beta=0.1, gamma=1.5)
