"""Calibration error beside chance, and whether low best scores tell intents that no tool fits."""

import itertools

import numpy as np
import pytest

from shgat import SHGAT, InputError
from shgat.experiments.confidence import Intents, abstention, area_under_roc, best_scores, calibration, first_tools, summary
from shgat.experiments.dataset import Dataset
from shgat.graph import Incidence
from worlds import SAMPLE


def test_area_is_the_share_of_pairs_in_order():
    rng = np.random.default_rng(0)
    inside, outside = rng.integers(0, 6, 40) / 5, rng.integers(0, 6, 30) / 8
    pairs = [1.0 if a > b else 0.5 if a == b else 0.0 for a, b in itertools.product(inside, outside)]
    assert area_under_roc(inside, outside) == pytest.approx(np.mean(pairs))
    assert (area_under_roc(np.ones(3), np.zeros(2)), area_under_roc(np.zeros(3), np.zeros(2))) == (1.0, 0.5)
    assert np.isnan(area_under_roc(np.ones(0), np.ones(2)))


def test_the_area_is_that_of_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics", reason="scikit-learn is not installed")
    rng = np.random.default_rng(1)
    inside, outside = rng.normal(1.0, 1.0, 200), rng.normal(0.0, 1.0, 300)
    expected = metrics.roc_auc_score(np.repeat([1, 0], [200, 300]), np.concatenate([inside, outside]))
    assert area_under_roc(inside, outside) == pytest.approx(expected)


def test_the_first_tools_and_whether_they_are_wanted():
    p, right = first_tools(np.array([[0.1, 0.9, 0.5], [0.3, 0.2, 0.1]]), Incidence.from_rows([[2], [0]]), 2)
    np.testing.assert_array_equal(p, [[0.9, 0.5], [0.3, 0.2]])
    np.testing.assert_array_equal(right, [[False, True], [True, False]])


def test_error_of_probabilities_that_are_true_is_that_of_chance():
    rng = np.random.default_rng(2)
    p = rng.random((3000, 12)).astype(np.float32)
    wanted = Incidence.from_rows([np.flatnonzero(row).tolist() for row in rng.random(p.shape) < p])
    cold = np.arange(3000) < 30
    found = calibration(p, wanted, cold, rng)
    assert found["all"]["ece"] < 0.01
    assert found["cold"]["ece"] == pytest.approx(found["cold"]["chance"], abs=0.03)
    assert found["cold"]["chance"] > 3 * found["all"]["chance"]  # few intents
    assert calibration(p**3, wanted, cold, rng)["all"]["ece"] > 0.1
    assert set(calibration(p, wanted, np.zeros(3000, bool), rng)) == {"all", "warm"}


def test_an_intent_of_nobody_scores_below_those_of_the_catalogue():
    data = Dataset.load(SAMPLE)
    model, own = SHGAT.from_catalog(data.catalog), Intents(data.intents, data.texts)
    noise = np.random.default_rng(3).standard_normal((50, data.catalog.dimension)).astype(np.float32)
    areas = abstention(model, own, {"noise": Intents(noise, ["zzz"] * 50), "itself": own})
    assert areas["noise"] > 0.95
    assert areas["itself"] == pytest.approx(0.5)
    assert summary(areas) == {"mean": pytest.approx((areas["noise"] + 0.5) / 2), "worst": areas["itself"], "worst_for": "itself"}
    best = best_scores(model, own)
    cosine = (data.intents @ data.tools.T).max(axis=1)
    np.testing.assert_allclose(best, (1 + cosine) / 2, atol=1e-5)
    assert (abstention(model, own, {}), summary({})) == ({}, {})
    with pytest.raises(InputError, match="dimensions"):
        abstention(model, own, {"other": Intents(np.ones((1, 3), np.float32), ["x"])})
