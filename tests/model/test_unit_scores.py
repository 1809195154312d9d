"""One scale for all that people see: within [0, 1], rising with what items were sorted by, never 0 for what is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from shgat import SHGATConfig
from shgat.model import unit_scores
from worlds import cosine64, unit
from worlds import trained as some_model

X = unit(np.random.default_rng(11), 16)
CONFIGS = [SHGATConfig(), SHGATConfig(similarity="dot"), SHGATConfig(fusion="sigmoid"), SHGATConfig(log_scale=-3.0)]


def assert_one_scale(raw, seen):
    assert ((seen >= unit_scores.LEAST) & (seen <= 1.0)).all()
    assert (np.diff(seen[np.argsort(raw, kind="stable")]) >= 0.0).all()


@pytest.mark.parametrize("config", CONFIGS, ids=["cosine", "dot", "sigmoid", "low scale"])
@pytest.mark.parametrize("kind", ["tools", "capabilities"])
def test_of_any_model(config, kind):
    model = some_model(config=config)
    ranking = model.rank(X, 100, kind)
    seen, calibrated = unit_scores.of_ranking(model.index(), ranking)
    assert not calibrated
    assert_one_scale(ranking.scores, seen)


def test_of_an_untrained_model_the_cosine_can_be_read_back(trained):
    model = type(trained.model).from_catalog(trained.catalog)
    x = trained.test.vectors(np.array([3]))[0]
    ranking = model.rank(x, 83)
    seen, _ = unit_scores.of_ranking(model.index(), ranking)
    rows = trained.catalog.tool_embeddings[[trained.catalog.tool_column[i] for i in ranking.ids]]
    np.testing.assert_allclose(2.0 * seen - 1.0, cosine64(x, rows), atol=1e-5)


def test_of_a_trained_model_they_are_probabilities(trained):
    ranking = trained.model.rank(trained.test.vectors(np.array([3]))[0], 83)
    seen, calibrated = unit_scores.of_ranking(trained.model.index(), ranking)
    assert calibrated
    assert_one_scale(ranking.scores, seen)
    np.testing.assert_allclose(seen, ranking.probabilities, atol=1e-6)


@given(arrays(np.float32, 7, elements=st.floats(0.0, np.float32(1e30), width=32)))
def test_of_words(raw):
    assert_one_scale(raw, unit_scores.of_words(raw))


@given(arrays(np.float32, 7, elements=st.floats(-1.0, 1.0, width=32)))
def test_of_cosine(raw):
    assert_one_scale(raw, unit_scores.of_cosine(raw))
