"""Sequential inference under the worst habit there is: looking after every single outcome."""

import math

import numpy as np
import pytest

from shgat.errors import InputError
from shgat.metrics.sequential import HarmTest, confidence_sequence, quantile_interval

SLOW = pytest.mark.slow


MANY = [pytest.param(2000, p, share, marks=pytest.mark.slow) for p, share in ((0.5, 0.5), (0.05, 0.5), (0.9, 0.1))]


def stream(rng, m, p_control, p_treated, share=0.5):
    treated = rng.random(m) < share
    return treated, (rng.random(m) < np.where(treated, p_treated, p_control)).astype(float)


@pytest.mark.parametrize(("runs", "p", "share"), [(200, 0.5, 0.5), *MANY])
def test_type_one_error_under_continuous_peeking(runs, p, share):
    rng = np.random.default_rng(0)
    alpha, fooled, fooled_by_z = 0.05, 0, 0
    for _ in range(runs):
        treated, x = stream(rng, 800, p, p, share)
        fooled += confidence_sequence(treated, x, alpha=alpha).p_value[-1] <= alpha  # the lowest over all 800 looks
        n_b, n_a = np.cumsum(treated), np.cumsum(~treated)
        start = np.flatnonzero(np.minimum(n_a, n_b) >= 30)
        n_a, n_b = n_a[start], n_b[start]
        s_a, s_b = np.cumsum(~treated * x)[start], np.cumsum(treated * x)[start]
        pooled = (s_a + s_b) / (n_a + n_b)
        error = np.sqrt(pooled * (1 - pooled) * (1 / n_a + 1 / n_b))
        fooled_by_z += (np.abs(s_b / n_b - s_a / n_a) > 1.96 * error).any()
    assert fooled / runs <= alpha
    assert fooled_by_z / runs > 3 * alpha  # what it protects from


def test_intervals_hold_at_every_look():
    rng = np.random.default_rng(1)
    missed = 0
    for _ in range(100):
        treated, x = stream(rng, 600, 0.3, 0.45, 0.3)
        found = confidence_sequence(treated, x, at=np.arange(10, 601, 10))
        missed += ((found.lower > 0.15) | (found.upper < 0.15)).any()
    assert missed / 100 <= 0.05


def test_fractional_outcomes_are_covered_too():
    rng = np.random.default_rng(2)
    missed = 0
    for _ in range(100):
        treated = rng.random(500) < 0.5
        x = np.where(treated, rng.beta(4, 2, 500), rng.beta(2, 2, 500))
        found = confidence_sequence(treated, x, at=np.arange(10, 501, 10))
        missed += ((found.lower > 2 / 3 - 0.5) | (found.upper < 2 / 3 - 0.5)).any()
    assert missed / 100 <= 0.05


def test_a_real_difference_is_found_and_its_sign():
    rng = np.random.default_rng(3)
    treated, x = stream(rng, 20_000, 0.5, 0.56)
    found = confidence_sequence(treated, x, at=[100, 20_000])
    assert found.lower[-1] > 0.0
    assert found.p_value[-1] < 1e-6
    assert found.lower[-1] < found.difference[-1] < found.upper[-1]
    assert found.upper[0] - found.lower[0] > found.upper[1] - found.lower[1]
    mirrored = confidence_sequence(~treated, x)
    assert mirrored.lower[-1] == pytest.approx(-found.upper[-1], abs=1e-6)


def test_interval_and_p_value_tell_the_same():
    rng = np.random.default_rng(4)
    treated, x = stream(rng, 3000, 0.4, 0.5)
    at = np.arange(1, 3001, 7)
    found = confidence_sequence(treated, x, at=at)
    excludes = (found.lower > 0) | (found.upper < 0)
    assert excludes.any()
    assert (found.p_value[excludes] <= 0.05).all()
    assert (np.diff(found.p_value) <= 0).all()


def test_before_both_arms_have_spoken_nothing_is_known():
    found = confidence_sequence(np.zeros(20, bool), np.ones(20), at=[1, 20])
    assert np.isnan(found.difference).all()
    assert (found.p_value == 1.0).all()
    assert (found.lower <= -0.99).all()


def test_quantile_interval_holds_at_every_size():
    rng = np.random.default_rng(5)
    truth = -np.log(0.01)
    missed = 0
    for _ in range(100):
        x = rng.exponential(size=1500)
        intervals = [quantile_interval(x[:n], 0.99) for n in range(100, 1501, 200)]
        missed += any(not low <= truth <= high for low, high in intervals)
    assert missed / 100 <= 0.05
    low, high = quantile_interval(rng.exponential(size=100_000), 0.99)
    assert truth - 0.3 < low < truth < high < truth + 0.3


def test_few_values_do_not_bound_a_high_quantile():
    low, high = quantile_interval(np.arange(50.0), 0.99)
    assert high == np.inf
    assert low > 20.0


def test_refusals():
    with pytest.raises(InputError, match=r"outcome\[1\]"):
        confidence_sequence(np.array([True, False]), [1.0, 1.5])
    with pytest.raises(InputError, match="true or false"):
        confidence_sequence(np.array([0, 1]), [1.0, 0.0])
    with pytest.raises(InputError, match="from 1 to 2"):
        confidence_sequence(np.array([True, False]), [1.0, 0.0], at=[3])
    with pytest.raises(InputError, match="alpha"):
        confidence_sequence(np.array([True]), [1.0], alpha=5)
    with pytest.raises(InputError, match="finite"):
        quantile_interval([np.inf], 0.5)
    with pytest.raises(InputError, match="q and alpha"):
        quantile_interval([1.0], 99)


def run(test, rng, control, treated, n):
    """Feeds n treated outcomes, each with those of the control; at how many of them p first was 0.05, or None."""
    for i in range(n):
        for x in rng.random(test.m) < control:
            test.add(False, float(x))
        test.add(True, float(rng.random() < treated))
        if test.p_value <= 0.05:
            return i + 1
    return None


@pytest.mark.parametrize(("m", "mean"), [(1, 0.5), (4, 0.9), (19, 0.97)])
def test_a_factor_of_the_harm_test_is_expected_to_be_1_at_most_where_the_arms_are_alike(m, mean):
    """Exactly: over all outcomes of a block, and for means above and below what the test believes."""
    for p in (mean, max(mean - 0.2, 0.01), min(mean + 0.2, 0.999)):
        expected = 0.0
        for k in range(m + 1):
            for y in (0.0, 1.0):
                test = HarmTest(m, 0.03)
                test._seen[:] = (mean * 1000.0, 1000.0)
                for j in range(m):
                    test.add(False, float(j < k))
                test.add(True, y)
                chance = math.comb(m, k) * p**k * (1.0 - p) ** (m - k) * (p if y else 1.0 - p)
                expected += chance * math.exp(test.evidence)
        assert expected <= 1.0 + 1e-12


def test_the_harm_test_finds_a_large_loss_soon_and_a_gain_never():
    rng = np.random.default_rng(0)
    assert max(run(HarmTest(9), rng, 0.9, 0.4, 400) or 400 for _ in range(10)) < 60
    assert [run(HarmTest(4), rng, 0.9, 0.95, 500) for _ in range(10)] == [None] * 10


def test_the_harm_test_waits_for_blocks_and_bounds_what_waits():
    test = HarmTest(3)
    assert math.isnan(test.difference)
    for _ in range(10):
        test.add(True, 1.0)
    assert (test.blocks, test.p_value) == (0, 1.0)
    for x in (1.0, 0.0, 1.0, 1.0):
        test.add(False, x)
    assert (test.blocks, test.difference) == (1, pytest.approx(1.0 / 3.0))
    for _ in range(5000):
        test.add(True, 1.0)
    assert len(test._treated) == 1000
    with pytest.raises(InputError, match=r"an outcome lies in \[0, 1\], not 2"):
        test.add(True, 2.0)
    for m, harm in ((0, 0.1), (1, 0.0), (1, 1.0)):
        with pytest.raises(InputError, match=r"m is at least 1 and harm lies in \(0, 1\)"):
            HarmTest(m, harm)
