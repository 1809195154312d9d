"""A live model for those who ask: many at once, junk, and one line that says what it is."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from junk import JUNK
from shgat import SHGAT, InputError, SHGATConfig
from worlds import catalog, unit
from worlds import trained as some_model

RNG = np.random.default_rng(3)
INTENTS = np.stack([unit(RNG, 16) for _ in range(9)])
MODEL = some_model()
OPTIONS = ("top_k", "kind", "text", "texts", "context_tools", "candidates", "min_score", "explain")


@pytest.mark.parametrize("config", [SHGATConfig(), SHGATConfig(similarity="dot"), SHGATConfig(fusion="sigmoid")])
@pytest.mark.parametrize("kind", ["tools", "capabilities"])
@pytest.mark.parametrize("context", [(), ["t3", "t0"], None])
def test_many_at_once_are_ranked_as_one_by_one(config, kind, context):
    model = some_model(config=config)
    chosen = ["t7", "t2", "t13"] if kind == "tools" else ["c3", "c1"]
    for candidates in (None, chosen, []):
        many = model.rank_many(INTENTS, 5, kind, context_tools=context, candidates=candidates)
        for found, x in zip(many, INTENTS, strict=True):
            alone = model.rank(x, 5, kind, context_tools=context, candidates=candidates)
            assert (found.ids, found.kind, found.model_version) == (alone.ids, kind, model.version)
            np.testing.assert_allclose(found.scores, alone.scores, rtol=1e-4, atol=1e-5)
    assert model.rank_many(np.zeros((0, 16)), 5, kind) == []


def test_many_at_once_by_a_trained_model_have_probabilities(trained):
    x, texts = trained.test.vectors(np.arange(20)), list(trained.test.texts[:20])
    for least in (None, 0.2):
        for found, one, text in zip(trained.model.rank_many(x, 6, texts=texts, min_score=least), x, texts, strict=True):
            alone = trained.model.rank(one, 6, text=text, min_score=least)
            assert found.ids == alone.ids
            np.testing.assert_allclose(found.probabilities, alone.probabilities, rtol=1e-3, atol=1e-6)


@settings(max_examples=300)
@given(
    st.sampled_from(["rank", "score", "rank_many", "rank_sets", "why_not", "probabilities"]),
    JUNK,
    st.dictionaries(st.sampled_from(OPTIONS), JUNK, max_size=3),
)
def test_whatever_is_asked_is_answered_or_named(which, junk, options):
    method = getattr(MODEL, which)
    known = {name: value for name, value in options.items() if name in method.__code__.co_varnames}
    for intent in (junk, INTENTS[0]):
        try:
            method(intent, junk, **known) if which == "why_not" else method(intent, **known)
        except InputError:
            continue


def test_one_line_says_what_it_is(trained):
    assert repr(SHGAT.from_catalog(catalog())) == "SHGAT(14 tools, 10 capabilities, d=16, untrained, version 1)"
    assert re.fullmatch(r"SHGAT\(83 tools, 40 capabilities, d=384, trained on 400 traces, version \d+\)", repr(trained.model))
