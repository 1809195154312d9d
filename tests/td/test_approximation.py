"""A linear form and the network give values and the gradients of those values."""

import numpy as np
import pytest

from shgat.model.value_network import ValueLayout, ValueNetwork
from shgat.td import Linear, Network


def test_a_linear_form_is_its_features():
    form = Linear(np.array([[1.0, 2.0], [0.0, -1.0]]))
    x = np.array([3.0, 1.0])
    np.testing.assert_array_equal(form.value(x), [5.0, -1.0])
    assert form.gradient(x) is x
    assert form.value(None) == 0.0


def test_the_network_moves_along_its_gradient():
    rng = np.random.default_rng(0)
    form = Network(ValueNetwork.initial(ValueLayout(6, 3, (8, 6, 4)), rng))
    x = rng.standard_normal(6, dtype=np.float32), rng.standard_normal(3, dtype=np.float32)
    before, gradient = form.value(x), form.gradient(x).copy()
    form.weights[...] += np.float32(1e-4) * gradient
    assert form.value(x) - before == pytest.approx(1e-4 * float(gradient @ gradient), rel=0.05)
    assert form.value(None) == 0.0
