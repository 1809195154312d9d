"""The target policy beside the same, a step at a time."""

import dataclasses

import numpy as np
import pytest

from shgat.errors import InputError
from shgat.graph import Incidence
from shgat.model.value_network import ValueLayout, ValueNetwork
from shgat.td.policy import judged, ratios
from td.sessions import N_TOOLS, D, embeddings, episodes

NETWORK = ValueNetwork.initial(ValueLayout(3 * D + 5, D, (8, 6, 4)), np.random.default_rng(0))


@pytest.mark.parametrize("offered", [True, False])
def test_the_best_of_what_is_offered_and_sometimes_any(offered):
    sessions, epsilon = episodes(offer=offered), 0.2
    states = sessions.states(embeddings())
    found = judged(NETWORK, sessions, states, NETWORK.parts(embeddings()), epsilon)
    for i in range(sessions.n_steps):
        tools = sessions.offered.take([i]).indices if offered else np.arange(N_TOOLS)
        q = NETWORK.forward(np.repeat(states[i : i + 1], len(tools), axis=0), embeddings()[tools]).q
        chance = np.full(len(tools), epsilon / len(tools))
        chance[q.argmax()] += 1 - epsilon
        assert found.done[i] == pytest.approx(q[tools == sessions.actions[i]][0], abs=1e-5)
        assert found.expected[i] == pytest.approx(chance @ q, abs=1e-5)
        assert found.greedy[i] == tools[q.argmax()]
        assert found.probability[i] == pytest.approx(chance[tools == sessions.actions[i]][0])
    np.testing.assert_allclose(ratios(sessions, found.probability), found.probability / sessions.propensity)


def test_another_rankers_choice_is_judged_too():
    sessions = episodes(offer=True)
    states, parts = sessions.states(embeddings()), NETWORK.parts(embeddings())
    found = judged(NETWORK, sessions, states, parts, 0.0, sessions.actions)
    np.testing.assert_array_equal(found.expected, found.done)
    np.testing.assert_array_equal(found.probability, 1.0)
    other = np.where(np.arange(8) == 2, np.setdiff1d(np.arange(N_TOOLS), sessions.offered.take([2]).indices)[0], sessions.actions)
    with pytest.raises(InputError, match="step 2 of the sessions was not offered"):
        judged(NETWORK, sessions, states, parts, 0.0, other.astype(np.int32))


def test_ties_are_one_choice():
    still, sessions = ValueNetwork(NETWORK.layout), episodes(offer=True)
    found = judged(still, sessions, sessions.states(embeddings()), still.parts(embeddings()), 0.0)
    np.testing.assert_array_equal(found.greedy, sessions.offered.indices[sessions.offered.indptr[:-1]])


def test_without_propensities_or_offers_it_is_said():
    sessions = episodes(propensity=None)
    with pytest.raises(InputError, match="logged propensity"):
        ratios(sessions, np.ones(8))
    nothing = dataclasses.replace(episodes((1,)), actions=np.zeros(1, np.int32), offered=None)
    object.__setattr__(nothing, "offered", Incidence.from_rows([[]]))
    with pytest.raises(InputError, match="offered nothing"):
        judged(NETWORK, nothing, nothing.states(embeddings()), NETWORK.parts(embeddings()), 0.0)
