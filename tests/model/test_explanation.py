"""Explanations agree with the scores, before a training and after, and with what came in since."""

import numpy as np
import pytest

from shgat import SHGATConfig
from worlds import cosine64, unit
from worlds import trained as some_model

X = unit(np.random.default_rng(11), 16)
CONFIGS = [SHGATConfig(), SHGATConfig(similarity="dot"), SHGATConfig(fusion="sigmoid"), SHGATConfig(n_heads=2, d_head=5)]
IDS = ["cosine", "dot", "sigmoid", "projection"]


@pytest.mark.parametrize("config", CONFIGS, ids=IDS)
def test_explanations(config):
    model = some_model(config=config)
    ranking = model.rank(X, 14, explain=True, context_tools=["t2"])
    rows = model.catalog.tool_embeddings[[model.tool_ids.index(i) for i in ranking.ids]]
    np.testing.assert_allclose([e.cosine for e in ranking.explanations], cosine64(X, rows), atol=1e-5)
    holders = {t: {c.id for c in model.catalog.capabilities if t in c.tools} for t in model.tool_ids}
    for tool, why in zip(ranking.ids, ranking.explanations, strict=True):
        assert len(why.head_scores) == model.params.layout.n_heads
        assert all(0.0 <= s <= 1.0 for s in why.head_scores)
        assert {c for c, _ in why.carried_by} == holders[tool]
        weights = [w for _, w in why.carried_by]
        assert weights == sorted(weights, reverse=True)
    if config.fusion == "sigmoid":
        np.testing.assert_allclose([np.mean(e.head_scores) for e in ranking.explanations], ranking.scores, rtol=1e-4)
    exported = ranking.to_dict()["items"][0]
    assert set(exported["explanation"]) == {"cosine", "head_scores", "carried_by", "reliability", "channels", "weights"}


def test_an_explanation_adds_up_to_the_score(trained):
    x, text = trained.test.vectors(np.array([5]))[0], trained.test.texts[5]
    ranking = trained.model.rank(x, 83, text=text, explain=True)
    total = [sum(w.weights[name] * s for name, s in w.channels.items()) + w.weights["bonus"] for w in ranking.explanations]
    np.testing.assert_allclose(total, ranking.scores, rtol=1e-4, atol=1e-4)
    assert all(w.weights == {} for w in some_model().rank(X, 3, explain=True).explanations)
