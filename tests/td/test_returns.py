"""Lambda-returns beside their definitions, and the forward view beside the backward one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shgat.td import TDConfig
from shgat.td.returns import Ends, errors, targets
from shgat.td.traces import backward_view

LENGTHS = st.lists(st.integers(0, 6), min_size=1, max_size=4)
RULES = [
    TDConfig(),
    TDConfig(lam=0.0),
    TDConfig(lam=1.0, gamma=1.0),
    TDConfig(rule="expected"),
    TDConfig(rule="expected", correction="clipped", ratio_clip=2.0),
    TDConfig(rule="expected", correction="retrace", lam=0.7),
    TDConfig(rule="expected", correction="v-trace", lam=0.7, ratio_clip=1.5),
]


def steps(lengths, seed):
    """rewards, q, expected, rho, indptr, terminal"""
    rng = np.random.default_rng(seed)
    indptr = np.cumsum([0, *lengths])
    n = int(indptr[-1])
    return *rng.standard_normal((3, n)), rng.uniform(0.0, 3.0, n), indptr, rng.random(len(lengths)) < 0.5


def by_definition(config, rewards, q, expected, rho, terminal):
    """G_t of one session: the mixture of n-step returns for SARSA, the sums as they stand in the papers for the rest."""
    n, gamma, lam = len(q), config.gamma, config.lam
    found = np.array(q)
    horizon = n if terminal else n - 1  # steps whose outcome is known
    for t in range(horizon):
        if config.rule == "sarsa":
            parts = []
            for end in range(t + 1, horizon + 1):
                reward = sum(gamma ** (k - t) * rewards[k] for k in range(t, end))
                parts.append(reward + (gamma ** (end - t) * q[end] if end < n else 0.0))
            weights = [(1 - lam) * lam**i for i in range(len(parts) - 1)] + [lam ** (len(parts) - 1)]
            found[t] = np.dot(weights, parts)
            continue
        after = np.append(expected[1:], 0.0)
        if config.correction == "v-trace":
            v = np.append(expected, 0.0)
            corrected, product = v[t + 1], 1.0
            for k in range(t + 1, horizon):
                delta = rewards[k] + gamma * v[k + 1] - v[k]
                corrected += product * min(rho[k], config.ratio_clip) * delta
                product *= gamma * lam * min(1.0, rho[k])
            found[t] = rewards[t] + gamma * corrected
            continue
        bound = {"none": None, "clipped": config.ratio_clip, "retrace": 1.0}[config.correction]
        product = 1.0
        for k in range(t, horizon):
            if k > t:
                product *= gamma * lam * (1.0 if bound is None else min(rho[k], bound))
            found[t] += product * (rewards[k] + gamma * after[k] - q[k])
    return found


@pytest.mark.parametrize("config", RULES, ids=lambda c: f"{c.rule} {c.correction} {c.lam}")
@given(lengths=LENGTHS, seed=st.integers(0, 1000))
def test_targets_are_their_definition(config, lengths, seed):
    *columns, indptr, terminal = steps(lengths, seed)
    found = targets(config, *columns, Ends.of(indptr, terminal))
    for i in range(len(lengths)):
        part = slice(indptr[i], indptr[i + 1])
        expected = by_definition(config, *(c[part] for c in columns), terminal[i])
        np.testing.assert_allclose(found[part], expected, rtol=1e-10, atol=1e-10)


def test_lambda_1_is_what_came_of_it_and_lambda_0_one_step():
    rewards, q, expected, rho, *_ = steps([4], 0)
    ends = Ends.of(np.array([0, 4]), np.array([True]))
    whole = targets(TDConfig(lam=1.0, gamma=0.5), rewards, q, expected, rho, ends)
    assert whole[0] == pytest.approx(rewards @ 0.5 ** np.arange(4))
    one = targets(TDConfig(lam=0.0, gamma=0.5), rewards, q, expected, rho, ends)
    np.testing.assert_allclose(one, rewards + 0.5 * np.append(q[1:], 0.0))


def test_a_session_cut_off_teaches_nothing_of_its_last_step():
    rewards, q, expected, rho, *_ = steps([3], 1)
    for config in RULES:
        cut = targets(config, rewards, q, expected, rho, Ends.of(np.array([0, 3]), np.array([False])))
        ended = targets(config, rewards, q, expected, rho, Ends.of(np.array([0, 3]), np.array([True])))
        assert cut[2] == q[2]
        assert ended[2] == pytest.approx(rewards[2])
        other = rewards + np.array([0.0, 0.0, 5.0])  # what happened in it is not used
        np.testing.assert_array_equal(targets(config, other, q, expected, rho, Ends.of(np.array([0, 3]), np.array([False]))), cut)


@pytest.mark.parametrize(
    "config", [c for c in RULES if c.correction != "v-trace"], ids=lambda c: f"{c.rule} {c.correction} {c.lam}"
)
def test_the_backward_view_adds_up_to_the_forward_view(config):
    rewards, q, expected, rho, indptr, terminal = steps([5, 1, 40, 7], 2)
    ends, gradients = Ends.of(indptr, terminal), np.random.default_rng(3).standard_normal((53, 11))
    forward = gradients.T @ (targets(config, rewards, q, expected, rho, ends) - q)
    after = ends.following(q if config.rule == "sarsa" else expected)
    gamma = np.full(53, config.gamma)
    bound = {"none": 1.0, "clipped": np.minimum(rho, config.ratio_clip), "retrace": np.minimum(rho, 1.0)}[config.correction]
    coefficient = config.lam * np.ones(53) * (1.0 if config.rule == "sarsa" else bound)
    carry = np.where(ends.last, 0.0, gamma * np.append(coefficient[1:], 0.0))
    backward = backward_view(gradients, errors(rewards, q, after, gamma, ends), carry)
    np.testing.assert_allclose(backward, forward, rtol=1e-10, atol=1e-10)
