"""Traces beside their formulas."""

import numpy as np
import pytest

from shgat.errors import InputError
from shgat.td.traces import KINDS, Eligibility

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("kind", KINDS)
def test_two_steps_are_those_of_the_formula(kind):
    first, second = np.array([1.0, 0.0, 1.0]), np.array([0.0, 1.0, 1.0])
    traces = Eligibility(kind, first)
    np.testing.assert_array_equal(traces.step(first, 0.9, 0.1), first)
    expected = {
        "accumulating": [0.9, 1.0, 1.9],
        "replacing": [0.9, 1.0, 1.0],
        "dutch": [0.9, 1.0 - 0.1 * 0.9, 0.9 + 1.0 - 0.1 * 0.9],
    }
    np.testing.assert_allclose(traces.step(second, 0.9, 0.1), expected[kind])
    traces.begin()
    assert not traces.z.any()


@pytest.mark.parametrize("kind", KINDS)
def test_variants_side_by_side_are_each_alone(kind):
    decays, alphas = np.array([[0.1], [0.9]]), np.array([[0.5], [0.2]])
    both = Eligibility(kind, np.zeros((2, 4)))
    alone = [Eligibility(kind, np.zeros(4)) for _ in range(2)]
    for gradient in RNG.integers(0, 2, (6, 4)).astype(float):
        both.step(gradient, decays, alphas)
        for i, traces in enumerate(alone):
            np.testing.assert_allclose(traces.step(gradient, float(decays[i, 0]), float(alphas[i, 0])), both.z[i])


def test_another_kind_is_refused():
    with pytest.raises(InputError, match="kind of traces is one of"):
        Eligibility("eternal", np.zeros(2))
