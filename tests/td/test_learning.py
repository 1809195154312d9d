"""Learning values through the door: they weigh where held-out sessions say so, and nowhere else."""

import json

import numpy as np
import pytest

from shgat import SHGAT
from shgat.errors import InputError
from shgat.model.session_state import SessionState
from shgat.td import TDConfig
from shgat.td.learning import WEIGHTS, learn
from td.traces import REWARD, START, catalog, sessions, world_of


def learned(foresight, n=1500, propensities=True, seed=0):
    world = world_of(seed, foresight)
    model = SHGAT.from_catalog(catalog(world))
    report = model.learn_values(sessions(world, n, 5, propensities), reward=REWARD, config=TDConfig(epochs=8), seed=seed)
    return world, model, report


def earned(world, model):
    """Of the policy that follows the model's suggestions."""

    def choice(k, used):
        found = np.zeros(world.n_tools)
        ids = [START, *(f"t{i}" for i in used)]
        found[int(model.score(world.intents[k], context_tools=ids)[0, : world.n_tools].argmax())] = 1.0
        return found

    return world.value_of(choice)


def test_values_weigh_where_foresight_is_paid():
    world, model, report = learned(True, 3000, seed=2)
    assert report.weight in WEIGHTS
    assert report.basis == "return"
    assert report.weight == model.state.values.weight
    assert earned(world, model) > 1.2 * earned(world, SHGAT.from_catalog(catalog(world)))
    assert report.error < report.spread
    assert json.loads(json.dumps(model.state.values.report))["reason"] == report.reason
    again = SHGAT.from_bytes(model.to_bytes())
    used = ["t1", "t2"]
    np.testing.assert_array_equal(again.score(world.intents, context_tools=used), model.score(world.intents, context_tools=used))


def test_they_do_not_where_it_is_not():
    """The log's ranking is the best there is: cosine is what a tool brings."""
    world, model, report = learned(False)
    assert report.weight == 0.0
    assert "are not shown to bring more" in report.reason
    assert earned(world, model) == earned(world, SHGAT.from_catalog(catalog(world)))
    values = model.index().values.of(world.intents[0], SessionState((1,)))
    assert values.std() > 0.0  # they are known all the same


@pytest.mark.slow
def test_without_propensities_the_next_tool_decides():
    _, model, report = learned(True, 2000, propensities=False)
    assert report.basis == "next tool"
    assert "MRR" in report.reason
    assert model.state.values is not None


def test_the_same_seed_gives_the_same_bits():
    a, b = (learned(True, 100)[1].state.values.network.buffer for _ in range(2))
    np.testing.assert_array_equal(a, b)


def test_too_few_sessions_leave_values_without_a_weight():
    _, _, report = learned(True, 60)
    assert (report.weight, report.basis, report.comparison) == (0.0, "", None)
    assert "too few" in report.reason


def test_a_trained_model_is_judged_by_a_ranker_that_did_not_see_what_judges():
    world = world_of(0, True)
    found = sessions(world, 60, 5)
    model = SHGAT.from_catalog(catalog(world))
    model.fit(found.traces(), epochs=1, validation="none")
    before = model.score(world.intents)
    model.learn_values(found, reward=REWARD, config=TDConfig(epochs=1))
    np.testing.assert_array_equal(model.score(world.intents), before)


def test_what_cannot_be_meant_is_said():
    world = world_of(0, True)
    model, found = SHGAT.from_catalog(catalog(world)), sessions(world, 20, 5)
    with pytest.raises(InputError, match="same gamma"):
        model.learn_values(found, config=TDConfig(gamma=0.5))
    with pytest.raises(InputError, match="at least 2 sessions"):
        model.learn_values(found.take([0]))
    with pytest.raises(InputError, match="scores of shape"):
        learn(
            found,
            model.catalog.tool_embeddings,
            lambda a, b: np.zeros((1, 1), np.float32),
            REWARD,
            TDConfig(epochs=1),
            np.random.default_rng(0),
        )
