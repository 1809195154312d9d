"""What is computed of an intent once: the same by folded keys and by queries, and nobody's array is another's."""

import numpy as np
import pytest

from shgat import SHGAT
from shgat.model.question import Question, queries
from worlds import catalog, opened


@pytest.fixture(scope="module")
def model():
    return SHGAT.from_catalog(catalog())


def intents(model, n):
    return np.random.default_rng(0).standard_normal((n, model.catalog.dimension)).astype(np.float32)


def test_one_intent_by_folded_keys_is_that_by_its_query(model):
    index = model.index()
    assert index.tools.folded is not None
    (x,) = intents(model, 1)
    one, two = Question(index, x[None]), Question(index, np.stack([x, x]))
    np.testing.assert_allclose(one.logits(index.tools)[0], two.logits(index.tools)[0], rtol=1e-4, atol=1e-4)
    assert "q" not in vars(one)
    with_context = Question(index, x[None], (model.catalog.tools[0].id,))
    assert "q" not in vars(with_context)
    assert with_context.logits(index.tools).shape == one.logits(index.tools).shape
    assert "q" in vars(with_context)


def test_what_is_handed_out_is_the_callers_own(model):
    question = Question(model.index(), intents(model, 2))
    first = question.logits(model.index().tools)
    kept = first.copy()
    first[:] = 0.0
    np.testing.assert_array_equal(question.logits(model.index().tools), kept)


def test_a_trained_model_goes_by_its_query(model):
    index = opened(SHGAT.from_catalog(catalog(), seed=1), 1).index()
    x = intents(model, 3)
    question = Question(index, x)
    np.testing.assert_array_equal(question.q, queries(index, x, (), None))
    assert question.without_words() is question
