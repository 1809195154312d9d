"""The gate: values lead where foresight is paid, and not where it is not."""

import numpy as np
import pytest

from shgat.errors import InputError
from shgat.experiments.planted import Plant
from shgat.td import TDConfig
from shgat.td.gating import worth_it
from shgat.td.policy import judged
from shgat.td.trainer import fit_values


def choices(world, sessions, network):
    """(with values, by a ranker that knows what comes at once) at every step"""
    states, parts = sessions.states(world.tools), network.parts(world.tools)
    ours = judged(network, sessions, states, parts, 0.0).greedy
    step = np.arange(sessions.n_steps) - sessions.indptr[sessions.session]
    before = np.where(step > 0, np.concatenate([[0], sessions.actions[:-1]]), world.n_tools)
    return ours, world.rewards[sessions.intent, before].argmax(axis=1).astype(np.int32)


def verdict(seed, foresight, n=2000):
    world = Plant.grown(np.random.default_rng(seed), foresight=foresight)
    learned, held = (world.sessions(n, np.random.default_rng([seed, i])) for i in range(2))
    network = fit_values(learned, world.tools, TDConfig(epochs=8), np.random.default_rng(seed)).network
    ours, theirs = choices(world, held, network)
    return worth_it(network, held, world.tools, ours, theirs, np.random.default_rng(0), gamma=world.gamma)


def test_values_lead_where_foresight_is_paid():
    found = verdict(0, True)
    assert found.passed
    assert found.comparison.ours > 1.3 * found.comparison.theirs
    assert found.reason.startswith("values bring more than the ranking without them: ")


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_values_do_not_lead_where_it_is_not(seed):
    found = verdict(seed, False)
    assert not found.passed
    assert "are not shown to bring more" in found.reason


def test_too_few_sessions_say_nothing():
    world = Plant.grown(np.random.default_rng(0), foresight=True)
    sessions = world.sessions(29, np.random.default_rng(0))
    network = fit_values(sessions, world.tools, TDConfig(epochs=1), np.random.default_rng(0)).network
    ours, theirs = choices(world, sessions, network)
    rng = np.random.default_rng(0)
    found = worth_it(network, sessions, world.tools, ours, theirs, rng, gamma=0.99)
    assert (found.passed, found.comparison) == (False, None)
    assert "29 held-out sessions are too few" in found.reason
    with pytest.raises(InputError, match="choices"):
        worth_it(network, sessions, world.tools, ours[1:], theirs, rng, gamma=0.99)
