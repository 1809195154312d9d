"""Values beside what followed, and the return of acting on them, in a world whose values are known."""

import numpy as np
import pytest

from shgat import InputError, Trace
from shgat.experiments.next_tool import ByValues
from shgat.experiments.session_values import ToolReturns, policy_return, value_calibration
from shgat.traces import Reward, Sessions
from traces.examples import CATALOG, D

N, STEPS, OFFERED = 5, 3, (0, 1, 2)
REWARD = Reward(step=0.0, gamma=0.9)
CHANCE = np.array([0.5, 0.3, 0.2])  # of each offered tool in the log
WORKS = np.array([[0.9, 0.2, 0.6], [0.3, 0.7, 0.5], [0.1, 0.4, 0.8]])  # by step and tool


def log(rng, n, end="terminal", offered=OFFERED, propensity=True):
    traces = []
    for s in range(n):
        for i in range(STEPS):
            tool = int(rng.choice(3, p=CHANCE))
            traces.append(Trace(
                id=f"{s}.{i}", session=f"s{s}", step=i, tools=[f"t{tool}"], embedding=[1.0] * D, offered=[f"t{t}" for t in offered],
                propensity=CHANCE[tool] if propensity else None, outcome=float(rng.random() < WORKS[i, tool]),
                end=end if i == STEPS - 1 else "",
            ))  # fmt: skip
    return Sessions.of(traces, CATALOG)


def of_policy(policy):
    """(steps + 1,) value of a policy (steps, 3) at each step; moves do not depend on what is chosen."""
    value = np.zeros(STEPS + 1)
    for i in range(STEPS - 1, -1, -1):
        value[i] = policy[i] @ WORKS[i] + REWARD.gamma * value[i + 1]
    return value


class Known:
    """The return of each tool, with what the log does afterwards; wrong : added to all of them; beyond : after the last step."""

    def __init__(self, wrong=0.0, beyond=0.0):
        self.after, self.wrong, self.beyond = of_policy(np.tile(CHANCE, (STEPS, 1))), wrong, beyond

    def values(self, step):
        i = len(step.context)
        if i == STEPS:
            return np.full(N, self.beyond)
        found = np.zeros(N)
        found[:3] = WORKS[i] + REWARD.gamma * self.after[i + 1]
        return found + self.wrong


def test_values_that_are_right_are_calibrated():
    test = log(np.random.default_rng(0), 800)
    found = value_calibration(Known(), test, REWARD, np.random.default_rng(1))
    assert found.steps == test.n_steps == sum(each.steps for each in found.bins)
    assert abs(found.bias) < 0.03
    assert found.slope == pytest.approx(1.0, abs=0.1)
    assert found.rmse < found.spread
    covered = [each.returned.ci_low - 0.01 <= each.predicted <= each.returned.ci_high + 0.01 for each in found.bins]
    assert np.mean(covered) >= 0.8
    assert [each.predicted for each in found.bins] == sorted(each.predicted for each in found.bins)
    wrong = value_calibration(Known(0.3), test, REWARD, np.random.default_rng(1))
    assert wrong.bias == pytest.approx(found.bias + 0.3)


def test_values_that_say_the_same_everywhere_are_one_bin():
    test = log(np.random.default_rng(0), 50)
    found = value_calibration(ToolReturns(np.full(N, 0.5)), test, REWARD, np.random.default_rng(1))
    assert (len(found.bins), found.bins[0].steps, np.isnan(found.slope)) == (1, 150, True)


def test_the_return_of_a_policy_is_that_of_the_world():
    test = log(np.random.default_rng(3), 2500)
    logged = of_policy(np.tile(CHANCE, (STEPS, 1)))[0]
    best = of_policy(np.eye(3)[WORKS.argmax(axis=1)])[0]
    for values in (Known(), Known(0.3), ToolReturns.fit(test, REWARD, N)):
        found = policy_return(ByValues(Known()), values, test, REWARD)
        assert found.logged.ci_low <= logged <= found.logged.ci_high
        assert found.logged.value == pytest.approx(REWARD.returns(test)[test.indptr[:-1]].mean())
        assert found.estimate.ci_low <= best <= found.estimate.ci_high
        assert found.estimate.ci_low > found.logged.ci_high  # it is better, and the log can tell
    exact = policy_return(ByValues(Known()), Known(), test, REWARD).estimate
    assert exact.standard_error < policy_return(ByValues(Known()), Known(3.0), test, REWARD).estimate.standard_error
    assert policy_return(ByValues(Known()), Known(), test, REWARD, clip=0.5).estimate.value < best


def test_mean_returns_of_tools_are_drawn_to_the_mean_of_all():
    train = log(np.random.default_rng(0), 400)
    returns = REWARD.returns(train)
    found = ToolReturns.fit(train, REWARD, N)
    mine = returns[train.chosen == 1]
    assert found.mean[1] == pytest.approx((mine.sum() + 5 * returns.mean()) / (len(mine) + 5))
    assert found.mean[4] == pytest.approx(returns.mean())
    assert found.values(train.steps[0]) is found.mean
    assert ToolReturns.fit(log(np.random.default_rng(0), 5, end="truncated"), REWARD, N).mean.tolist() == [0.0] * N


def renamed(trace):
    values = {name: getattr(trace, name) for name in ("step", "tools", "embedding", "offered", "outcome", "end")}
    return Trace(id=f"bare {trace.id}", session=f"bare {trace.session}", **values)


def test_sessions_without_propensities_or_whose_tool_was_not_offered_are_left_out_and_said():
    rng = np.random.default_rng(0)
    good, bare = log(rng, 4), log(rng, 3, propensity=False)
    both = Sessions.of([*(s.trace for s in good.steps), *(renamed(s.trace) for s in bare.steps)], CATALOG)
    assert policy_return(ByValues(Known()), Known(), both, REWARD).left_out == 3
    for nothing in (bare, log(rng, 3, offered=(3, 4)), log(rng, 3, offered=())):
        with pytest.raises(InputError, match="no session of 3 has `offered` and `propensity` at every step"):
            policy_return(ByValues(Known()), Known(), nothing, REWARD)


def test_what_follows_a_session_that_was_broken_off_is_what_values_say():
    test, ended = (log(np.random.default_rng(0), 30, end=end) for end in ("truncated", "terminal"))
    with pytest.raises(InputError, match="none of the 30 sessions came to its end"):
        value_calibration(Known(), test, REWARD, np.random.default_rng(0))
    expected = policy_return(ByValues(Known()), Known(beyond=1.0), ended, REWARD).logged.value
    for beyond in (0.0, 1.0):
        found = policy_return(ByValues(Known()), Known(beyond=beyond), test, REWARD).logged.value
        assert found == pytest.approx(expected + beyond * REWARD.gamma**STEPS)
