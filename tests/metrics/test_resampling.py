"""Tests of the tests: size under no difference, coverage, power, agreement of their two ways of drawing."""

import numpy as np
import pytest
from scipy import stats

from shgat.errors import InputError
from shgat.metrics.resampling import clustered_intervals, mean_intervals, paired_bootstrap, permutation_test


def test_same_seed_same_answer():
    rng = np.random.default_rng(0)
    a, b = rng.random(50), rng.random(50)
    first, second = (paired_bootstrap(a, b, rng=np.random.default_rng(1), n_resamples=500) for _ in range(2))
    assert first == second


def test_a_clear_difference_and_none():
    rng = np.random.default_rng(0)
    b = rng.random(400)
    a = b + 0.05 + 0.05 * rng.standard_normal(400)
    for test in (paired_bootstrap, permutation_test):
        assert test(a, b, rng=rng).p_value < 0.001
        assert test(b, b, rng=rng).p_value == 1.0
        assert test(a, b, rng=rng).mean_difference == pytest.approx(-test(b, a, rng=rng).mean_difference)
    found = paired_bootstrap(a, b, rng=rng)
    assert 0.04 < found.ci_low < found.mean_difference < found.ci_high < 0.06


@pytest.mark.parametrize("hits", [True, False])
def test_bootstrap_interval_is_that_of_scipy(hits):
    rng = np.random.default_rng(2)
    d = rng.integers(-1, 2, 300).astype(float) if hits else rng.standard_normal(300)
    ours = paired_bootstrap(d, np.zeros(300), rng=rng, n_resamples=20_000)
    theirs = stats.bootstrap((d,), np.mean, n_resamples=20_000, method="percentile", rng=rng).confidence_interval
    assert ours.ci_low == pytest.approx(theirs.low, abs=0.006)
    assert ours.ci_high == pytest.approx(theirs.high, abs=0.006)


@pytest.mark.parametrize("hits", [True, False])
def test_permutation_p_value_is_that_of_scipy(hits):
    rng = np.random.default_rng(3)
    d = rng.choice([-1.0, 0.0, 1.0], 200, p=[0.2, 0.5, 0.3]) if hits else rng.standard_normal(200) + 0.1
    ours = permutation_test(d, np.zeros(200), rng=rng, n_resamples=20_000)
    theirs = stats.permutation_test((d,), np.mean, permutation_type="samples", n_resamples=20_000, rng=rng)
    assert ours.p_value == pytest.approx(theirs.pvalue, abs=0.015)


def test_type_one_error_and_coverage():
    rng = np.random.default_rng(4)
    runs = 1000
    rejected, covered = np.zeros(2), 0
    for _ in range(runs):
        d = rng.choice([-1.0, 0.0, 0.0, 1.0], 200)
        bootstrap = paired_bootstrap(d, np.zeros(200), rng=rng, n_resamples=800)
        flips = permutation_test(d, np.zeros(200), rng=rng, n_resamples=800)
        rejected += [bootstrap.p_value <= 0.05, flips.p_value <= 0.05]
        covered += bootstrap.ci_low <= 0.0 <= bootstrap.ci_high
    assert (rejected / runs < 0.07).all()
    assert 0.93 <= covered / runs <= 0.97


def test_queries_without_a_value_are_left_out():
    rng = np.random.default_rng(5)
    found = paired_bootstrap([0.5, np.nan, 1.0], [0.0, 0.0, np.nan], rng=rng, n_resamples=10)
    assert found.n == 1
    assert found.mean_difference == 0.5


def test_refusals():
    rng = np.random.default_rng(6)
    with pytest.raises(InputError, match="same queries"):
        paired_bootstrap([1.0], [1.0, 2.0], rng=rng)
    with pytest.raises(InputError, match="no query"):
        permutation_test([np.nan], [1.0], rng=rng)
    with pytest.raises(InputError, match="n_resamples"):
        permutation_test([1.0], [1.0], rng=rng, n_resamples=0)
    with pytest.raises(InputError, match="confidence"):
        paired_bootstrap([1.0], [1.0], rng=rng, confidence=95)


def test_groups_of_one_row_are_resampled_as_rows():
    values = np.random.default_rng(0).random((80, 2))
    alone = clustered_intervals(values, np.arange(80), rng=np.random.default_rng(1))
    np.testing.assert_allclose(alone, mean_intervals(values, rng=np.random.default_rng(1)))


def test_rows_that_are_alike_within_their_group_tell_less_and_the_interval_covers():
    rng, covered, runs = np.random.default_rng(0), 0, 300
    widths = []
    for _ in range(runs):
        sizes = rng.integers(1, 8, 60)
        groups = np.repeat(np.arange(60), sizes)
        values = (rng.standard_normal(60)[groups] + 0.1 * rng.standard_normal(len(groups)))[:, None]
        low, high = clustered_intervals(values, groups, rng=rng, n_resamples=400)[:, 0]
        naive = mean_intervals(values, rng=rng, n_resamples=400)[:, 0]
        covered += low <= 0.0 <= high
        widths.append((high - low) / (naive[1] - naive[0]))
    assert 0.90 <= covered / runs <= 0.975
    assert np.mean(widths) > 1.5


@pytest.mark.parametrize(
    ("values", "groups"),
    [(np.zeros((0, 1)), []), (np.full((2, 1), np.nan), [0, 1]), (np.zeros((3, 1)), [0, 1]), (np.zeros(3), [0, 1, 2])],
)
def test_rows_without_a_group_or_a_number_are_refused(values, groups):
    with pytest.raises(InputError, match="with a group each"):
        clustered_intervals(values, groups, rng=np.random.default_rng(0))
