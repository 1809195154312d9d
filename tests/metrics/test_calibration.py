"""Calibration and its figures against scikit-learn, and what makes it safe to put behind a ranker: it never reorders."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import _sigmoid_calibration, calibration_curve
from sklearn.isotonic import IsotonicRegression as TheirIsotonic
from sklearn.metrics import brier_score_loss

from shgat.errors import InputError
from shgat.metrics.calibration import (
    IsotonicRegression,
    PlattScaling,
    brier,
    expected_calibration_error,
    reliability_bins,
    sigmoid,
)

BOTH = pytest.mark.parametrize("kind", [PlattScaling, IsotonicRegression])


def simulated(seed=0, m=3000, slope=2.0, intercept=-1.0):
    rng = np.random.default_rng(seed)
    s = rng.standard_normal(m) * 3.0
    return s, (rng.random(m) < 1.0 / (1.0 + np.exp(-slope * s - intercept))).astype(float)


def test_platt_is_that_of_scikit_learn():
    for seed, scale in ((0, 1.0), (1, 1e-3), (2, 1e4)):
        s, y = simulated(seed)
        ours = PlattScaling.fit(s * scale, y)
        a, b = _sigmoid_calibration(s * scale, y)
        assert ours.slope == pytest.approx(-a, rel=2e-3)
        assert ours.intercept == pytest.approx(-b, rel=2e-3)


def test_platt_finds_the_planted_line():
    found = PlattScaling.fit(*simulated(m=50_000))
    assert found.slope == pytest.approx(2.0, abs=0.06)
    assert found.intercept == pytest.approx(-1.0, abs=0.06)


@pytest.mark.parametrize("levels", [None, 40])
def test_isotonic_is_that_of_scikit_learn(levels):
    s, y = simulated(3, 800)
    if levels:
        s = np.round(s, 1)
    y = 0.5 * y + 0.25  # partial successes
    grid = np.linspace(-15, 15, 2001)
    theirs = TheirIsotonic(out_of_bounds="clip").fit(s, y)
    np.testing.assert_allclose(IsotonicRegression.fit(s, y).apply(grid), theirs.predict(grid), atol=1e-10)


@BOTH
def test_a_calibrated_score_is_calibrated_on_new_data(kind):
    fitted = kind.fit(*simulated(4, 8000))
    s, y = simulated(5, 8000)
    raw = 1.0 / (1.0 + np.exp(-0.3 * s))
    assert expected_calibration_error(fitted.apply(s), y) < 0.02 < expected_calibration_error(raw, y)


@BOTH
@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(0, 1)), min_size=1, max_size=40),
    new=st.lists(st.floats(-1e7, 1e7), max_size=20),
)
def test_never_reorders_and_round_trips(kind, rows, new):
    fitted = kind.fit(*zip(*rows, strict=True))
    p = fitted.apply(np.sort(new))
    assert (np.diff(p) >= 0.0).all()
    assert ((p >= 0.0) & (p <= 1.0)).all()
    again = kind.from_dict(json.loads(json.dumps(fitted.to_dict(), allow_nan=False)))
    assert again == fitted


def test_a_line_ends_where_the_next_begins():
    """Just before this knot the line between it and the one before rounds above it."""
    knots, p = (-0.0015076461013073317, 0.0015107968606047728, 0.007661560029919954), (0.2122260698821593, 0.6442005180032749)
    fitted = IsotonicRegression(knots, (*p, p[1]))
    before, at = fitted.apply([np.nextafter(knots[1], -np.inf), knots[1]])
    assert before <= at == p[1]


@BOTH
@pytest.mark.parametrize("outcomes", [[0, 0, 0], [1, 1, 1], [0, 0, 1], [1, 1, 0]])
def test_one_class_and_separable_data_stay_finite(kind, outcomes):
    fitted = kind.fit([1.0, 2.0, 3.0], outcomes)
    assert np.isfinite(fitted.apply([-1e9, 0.0, 1e9])).all()


def test_a_score_that_speaks_against_the_outcome_is_silenced_not_turned_round():
    s, y = simulated(6)
    p = PlattScaling.fit(-s, y).apply(-s)
    assert np.ptp(p) < 1e-4
    assert p.mean() == pytest.approx(y.mean(), abs=0.01)
    assert np.ptp(IsotonicRegression.fit(-s, y).apply(-s)) < 0.2


@BOTH
@pytest.mark.parametrize(
    ("scores", "outcomes", "message"),
    [
        ([], [], "m at least 1"),
        ([1.0], [1.0, 0.0], "not"),
        ([1.0, np.nan], [1.0, 0.0], r"scores\[1\]"),
        ([1.0, 2.0], [1.0, 2.0], r"outcomes\[1\]"),
        ([1.0, 2.0], [np.nan, 1.0], r"outcomes\[0\]"),
    ],
)
def test_bad_data_is_refused_by_name(kind, scores, outcomes, message):
    with pytest.raises(InputError, match=message):
        kind.fit(scores, outcomes)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (PlattScaling, {"slope": 1.0}),
        (PlattScaling, {"slope": -1.0, "intercept": 0.0}),
        (PlattScaling, {"slope": None, "intercept": 0.0}),
        (PlattScaling, {"slope": float("nan"), "intercept": 0.0}),
        (IsotonicRegression, {"scores": [0.0, 1.0], "probabilities": [0.5, 0.2]}),
        (IsotonicRegression, {"scores": [0.0, 0.0], "probabilities": [0.1, 0.2]}),
        (IsotonicRegression, {"scores": [0.0, 1.0], "probabilities": [0.1, 1.2]}),
        (IsotonicRegression, {"scores": [0.0], "probabilities": [0.1, 0.2]}),
        (IsotonicRegression, {"scores": [None], "probabilities": [0.1]}),
        (IsotonicRegression, {"scores": 3, "probabilities": [0.1]}),
    ],
)
def test_a_damaged_file_is_refused(kind, values):
    with pytest.raises(InputError, match=kind.__name__):
        kind.from_dict(values)


def test_calibration_metrics_against_scikit_learn():
    rng = np.random.default_rng(5)
    p = rng.random(4000)
    outcome = (rng.random(4000) < p**2).astype(float)
    assert brier(p, outcome) == pytest.approx(brier_score_loss(outcome, p))
    bins = reliability_bins(p, outcome, 15)
    observed, predicted = calibration_curve(outcome, p, n_bins=15)
    np.testing.assert_allclose(bins.observed, observed)
    np.testing.assert_allclose(bins.predicted, predicted)
    by_hand = np.sum(bins.count / 4000 * np.abs(observed - predicted))
    assert expected_calibration_error(p, outcome, 15) == pytest.approx(by_hand)


def test_calibration_at_the_edges():
    bins = reliability_bins([0.0, 0.5, 1.0], [0.0, 0.5, 1.0], 2)
    assert bins.count.tolist() == [1, 2]
    assert expected_calibration_error([0.0, 0.5, 1.0], [0.0, 0.5, 1.0], 7) == 0.0
    assert np.isnan(expected_calibration_error([], []))
    assert np.isnan(brier([], []))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: brier([0.5, 1.5], [0, 1]), r"p\[1\]"),
        (lambda: brier([0.5], [float("nan")]), r"outcome\[0\]"),
        (lambda: reliability_bins([0.5], [0, 1]), "one length"),
        (lambda: reliability_bins([0.5], [1], 0), "n_bins"),
    ],
)
def test_figures_of_what_is_no_probability_are_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_sigmoid_is_exact_at_both_ends_and_keeps_its_type(dtype):
    z = np.array([-1e4, -3.0, 0.0, 3.0, 1e4], dtype)
    with np.errstate(over="raise"):
        p = sigmoid(z)
    assert p.dtype == dtype
    np.testing.assert_allclose(p, [0.0, 1.0 / (1.0 + np.exp(3.0)), 0.5, 1.0 / (1.0 + np.exp(-3.0)), 1.0], rtol=1e-5)
