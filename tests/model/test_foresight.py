"""Values in a ranking: they speak after a first step and where they have a weight, of the best candidates, and explanations say so."""

from dataclasses import replace

import numpy as np
import pytest

from shgat import SHGAT, Catalog
from shgat.model import foresight
from shgat.model.session_state import N_FACTS, SessionState
from shgat.model.value_network import ValueLayout, ValueNetwork
from shgat.model.values import LearnedValues, Values
from worlds import records

D, N = 16, 80
RNG = np.random.default_rng(0)
TOOLS, CAPABILITIES = records(np.random.default_rng(1), n_tools=N, d=D)
X = RNG.standard_normal((4, D)).astype(np.float32)
NETWORK = ValueNetwork.initial(ValueLayout(3 * D + N_FACTS, D, (16, 8, 4)), np.random.default_rng(2))
NETWORK["w4"][...] *= 10.0


def model(weight):
    made = SHGAT.from_catalog(Catalog.from_records(TOOLS, CAPABILITIES))
    return SHGAT(replace(made.state, values=LearnedValues(NETWORK, weight)))


def test_the_best_change_places_and_nothing_else():
    plain, led = (model(w).score(X, context_tools=["t4", "t1", "t4"]) for w in (0.0, 5.0))
    index = model(5.0).index()
    values = Values.build(NETWORK, index.catalog.tool_embeddings)
    for x, z, after in zip(X, plain, led, strict=True):
        best = foresight.best(z)
        assert set(best.tolist()) == set(np.argsort(-z)[: foresight.MOST].tolist())
        q = values.of(x, SessionState((4, 1, 4)), best)
        expected = z.copy()
        expected[best] += 5.0 * (q - q.mean())
        np.testing.assert_allclose(after, expected, rtol=1e-4, atol=1e-4)
    assert (plain.argmax(axis=1) != led.argmax(axis=1)).any()


def test_without_a_step_before_or_a_weight_nothing_changes():
    bare, weightless, led = SHGAT.from_catalog(Catalog.from_records(TOOLS, CAPABILITIES)), model(0.0), model(5.0)
    np.testing.assert_array_equal(bare.score(X), led.score(X))
    np.testing.assert_array_equal(bare.score(X, context_tools=["t1"]), weightless.score(X, context_tools=["t1"]))
    np.testing.assert_array_equal(
        bare.score(X, "capabilities", context_tools=["t1"]), led.score(X, "capabilities", context_tools=["t1"])
    )


def test_one_and_many_agree():
    led = model(5.0)
    many = led.rank_many(X, 5, context_tools=["t3"])
    for x, ranking in zip(X, many, strict=True):
        one = led.rank(x, 5, context_tools=["t3"])
        assert one.ids == ranking.ids
        np.testing.assert_allclose(one.scores, ranking.scores, rtol=1e-4, atol=1e-4)


def test_among_candidates_those_are_looked_at():
    led, few = model(5.0), [f"t{i}" for i in range(60, 80)]
    index = led.index()
    z = model(0.0).score(X[0], context_tools=["t3"])[0]
    columns = np.arange(60, 80, dtype=np.int32)
    q = index.values.of(X[0], SessionState((3,)), columns)
    expected = z[60:] + 5.0 * (q - q.mean())
    ranking = led.rank(X[0], 20, context_tools=["t3"], candidates=few)
    assert ranking.ids == tuple(f"t{60 + i}" for i in np.argsort(-expected, kind="stable"))
    assert led.rank(X[0], 3, context_tools=["t3"], candidates=[]).ids == ()


def test_an_explanation_adds_up():
    led = model(5.0)
    ranking = led.rank(X[0], 6, context_tools=["t3"], explain=True)
    plain = dict(zip(led.tool_ids, model(0.0).score(X[0], context_tools=["t3"])[0].tolist(), strict=True))
    for key, score, why in zip(ranking.ids, ranking.scores, ranking.explanations, strict=True):
        assert plain[key] + why.weights["values"] * why.channels["values"] == pytest.approx(score, abs=1e-4)
    assert any(
        "the rest of the session" in s for t in led.tool_ids[:20] for s in led.why_not(X[0], t, context_tools=["t3"]).sentences()
    )


def test_an_added_tool_has_a_value_too():
    led = model(5.0)
    led.rank(X[0], 1, context_tools=["t3"])
    led.add_tool({"id": "new", "embedding": X[0]})
    assert len(led.index().values.parts) == N + 1
    assert led.rank(X[0], 60, context_tools=["new"]).ids
