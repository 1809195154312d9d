"""The learning rate rises and falls once, and what is annealed ends where it should."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shgat.training.schedule import anneal, learning_rate

TOTALS = st.integers(1, 300)


@given(TOTALS, st.floats(1e-5, 1.0), st.floats(0.0, 1.0))
def test_the_learning_rate_rises_to_one_peak_and_falls(total, peak, warmup):
    rates = np.array([learning_rate(step, total, peak, warmup) for step in range(total)])
    top = int(rates.argmax())
    assert ((rates > 0.0) & (rates <= peak)).all()
    assert (np.diff(rates[: top + 1]) >= 0.0).all()
    assert (np.diff(rates[top:]) <= 0.0).all()
    assert top <= max(1.0, warmup * total)


def test_warm_up_is_linear_and_the_fall_half_a_cosine():
    early = [learning_rate(step, 10_000, 1.0, warmup=0.01) for step in range(5)]
    np.testing.assert_allclose(early, np.arange(1, 6) / 100.0, rtol=1e-5)
    late = [learning_rate(step, 1000, 2.0, warmup=0.0) for step in (0, 500, 1000)]
    np.testing.assert_allclose(late, [2.0, 1.0, 1e-6], rtol=1e-6)


def test_the_floor_never_lies_above_the_peak():
    assert learning_rate(9, 10, 1e-8) == 1e-8
    assert learning_rate(10**6, 10, 1e-3) == 1e-6


@given(TOTALS, st.floats(-2.0, 2.0), st.floats(-2.0, 2.0))
def test_what_is_annealed_goes_straight_from_first_to_last(total, first, last):
    values = np.array([anneal(step, total, first, last) for step in range(total + 3)])
    assert values[0] == first
    np.testing.assert_allclose(values[max(1, total - 1) :], last, atol=1e-12)
    np.testing.assert_allclose(values[:total], np.linspace(first, last, total) if total > 1 else [first], atol=1e-12)


def test_annealing_stays_where_both_ends_are_the_same():
    assert [anneal(step, 4, 0.1, 0.1) for step in range(6)] == [pytest.approx(0.1)] * 6
