"""The doubly robust estimate: its recursion, that it is unbiased with wrong values, and that its intervals cover."""

import numpy as np
import pytest

from shgat.errors import InputError
from shgat.experiments.planted import Plant
from shgat.metrics.off_policy_sessions import LoggedSessions, sequential_doubly_robust
from shgat.td import TDConfig
from shgat.td.policy_value import policy_value, seen_by
from shgat.td.trainer import fit_values
from td.sessions import embeddings, episodes

PLANT = Plant.grown(np.random.default_rng(3), foresight=True, n_intents=4, n_tools=6)
GAMMA, EPSILON = PLANT.gamma, 0.3


def doubly_robust(sessions, v, q, rho):
    """Of sessions that all came to their end."""
    names = [str(i) for i in range(len(sessions))]
    log = LoggedSessions(
        names,
        sessions.indptr,
        sessions.propensity,
        sessions.rewards,
        np.minimum(rho * sessions.propensity, 1.0),
        q,
        v,
        0.0 * sessions.terminal,
    )
    return sequential_doubly_robust(log, gamma=GAMMA)


def lookups(network, policy):
    """Of sessions of the plant: (v, q, rho) from a table of all values."""
    table = PLANT.table(network)

    def looked_up(sessions):
        v, q, rho = np.empty((3, sessions.n_steps))
        starts = sessions.indptr[sessions.session]
        for i, (k, action) in enumerate(zip(sessions.intent.tolist(), sessions.actions.tolist(), strict=True)):
            used = tuple(sessions.actions[starts[i] : i].tolist())
            chance = policy(k, used)
            v[i], q[i] = chance @ table[k, used], table[k, used][action]
            rho[i] = chance[action] / sessions.propensity[i]
        return v, q, rho

    return looked_up


@pytest.fixture(scope="module")
def network():
    config = TDConfig(epochs=10)
    return fit_values(PLANT.sessions(2000, np.random.default_rng(4)), PLANT.tools, config, np.random.default_rng(0)).network


def test_it_is_what_the_tables_say(network):
    sessions = PLANT.sessions(200, np.random.default_rng(5), truncated=0.0)
    found = policy_value(network, sessions, PLANT.tools, gamma=GAMMA, epsilon=EPSILON)
    v, q, rho = lookups(network, PLANT.greedy(network, EPSILON))(sessions)
    expected = doubly_robust(sessions, v, q, rho)
    assert found.value == pytest.approx(expected.value, rel=1e-4)
    assert found.standard_error == pytest.approx(expected.standard_error, rel=1e-3)


def test_wrong_values_only_widen_it(network):
    sessions = PLANT.sessions(20_000, np.random.default_rng(6), truncated=0.0)
    policy = PLANT.greedy(network, EPSILON)
    v, q, rho = lookups(network, policy)(sessions)
    good, bad = doubly_robust(sessions, v, q, rho), doubly_robust(sessions, 0 * v, 0 * q, rho)
    truth = PLANT.value_of(policy)
    assert abs(good.value - truth) < 3 * good.standard_error
    assert abs(bad.value - truth) < 3 * bad.standard_error
    assert good.standard_error < bad.standard_error


@pytest.mark.slow
def test_intervals_cover_as_they_say(network):
    """Of 1000 logs, 93 to 97 % of the 95 % intervals hold the true value."""
    policy, covered, rng = PLANT.greedy(network, EPSILON), 0, np.random.default_rng(7)
    truth, of = PLANT.value_of(policy), lookups(network, policy)
    for _ in range(1000):
        sessions = PLANT.sessions(500, rng, truncated=0.0)
        found = doubly_robust(sessions, *of(sessions))
        covered += found.ci_low <= truth <= found.ci_high
    assert 930 <= covered <= 970


def test_where_a_session_was_cut_off_the_network_stands(network):
    """One session of one step, of which nobody knows what it led to: the value of the policy there, whatever the step brought."""
    sessions = episodes((1,), terminal=[False])
    fit = fit_values(episodes(), embeddings(), TDConfig(epochs=1), np.random.default_rng(0))
    found = policy_value(fit.network, sessions, embeddings(), gamma=0.9, epsilon=0.2)
    said = seen_by(fit.network, sessions, embeddings(), 0.2)
    assert found.value == pytest.approx(said.expected[0])


def test_without_a_step_or_propensities_nothing_is_known():
    fit = fit_values(episodes(), embeddings(), TDConfig(epochs=1), np.random.default_rng(0))
    with pytest.raises(InputError, match="at least one session"):
        policy_value(fit.network, episodes((0, 0)), embeddings(), gamma=0.9)
    with pytest.raises(InputError, match="confidence"):
        policy_value(fit.network, episodes((1,)), embeddings(), gamma=0.9, confidence=1.0)
    with pytest.raises(InputError, match="propensity"):
        policy_value(fit.network, episodes(propensity=None), embeddings(), gamma=0.9)
