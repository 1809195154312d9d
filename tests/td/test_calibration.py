"""Calibration of values: a line that is known, bins that cover, and what is refused."""

import numpy as np
import pytest

from shgat.errors import InputError
from shgat.td.calibration import value_calibration


def test_right_values_are_on_the_line():
    rng = np.random.default_rng(0)
    q = rng.uniform(0, 1, 5000)
    found = value_calibration(q, q + 0.2 * rng.standard_normal(5000))
    assert found.slope == pytest.approx(1.0, abs=0.05)
    assert found.intercept == pytest.approx(0.0, abs=0.03)
    assert found.error < 0.02
    assert found.explained == pytest.approx(1 - 0.04 / (1 / 12 + 0.04), abs=0.05)
    assert sum(b.n for b in found.bins) == 5000
    assert sum(b.low <= b.predicted <= b.high for b in found.bins) >= 8
    assert found.to_dict()["slope"] == found.slope


def test_values_twice_too_large_are_seen():
    q = np.linspace(0, 2, 100)
    found = value_calibration(q, np.append(q[:-1] / 2, np.nan))
    assert found.slope == pytest.approx(0.5)
    assert found.error == pytest.approx(0.5, abs=0.03)


def test_values_that_never_differ_and_too_few():
    found = value_calibration(np.ones(4), np.arange(4.0))
    assert (found.slope, found.intercept) == (0.0, 1.5)
    assert len(found.bins) == 4
    with pytest.raises(InputError, match="at least 2"):
        value_calibration(np.ones(2), np.array([1.0, np.nan]))
