"""The doubly robust estimate over sessions, on a world whose value is known, and beside that of single decisions."""

from dataclasses import replace

import numpy as np
import pytest

from shgat.errors import InputError
from shgat.metrics.off_policy import LoggedDecisions, doubly_robust
from shgat.metrics.off_policy_sessions import LoggedSessions, sequential_doubly_robust

GAMMA = 0.9


class Chain:
    """Two states, two actions, sessions of three steps that begin in state 0. Rewards and moves depend on both; every number is drawn."""

    def __init__(self, seed=0, steps=3):
        rng = np.random.default_rng(seed)
        self.steps = steps
        self.reward, self.to_one = rng.uniform(0, 1, (2, 2)), rng.uniform(0.1, 0.9, (2, 2))
        self.logging, self.target = (rng.dirichlet((3.0, 3.0), 2) for _ in range(2))
        value = np.zeros(2)
        self.q = []
        for _ in range(steps):  # the last step first
            q = self.reward + GAMMA * ((1 - self.to_one) * value[0] + self.to_one * value[1])
            value = (self.target * q).sum(axis=1)
            self.q.insert(0, q)
        self.value = float(value[0])

    def log(self, rng, n, wrong=0.0, propensity=1.0):
        """wrong : noise of the predictions; propensity : what the logged ones are multiplied by"""
        state, rows = np.zeros(n, int), []
        for t in range(self.steps):
            action = (rng.random(n) < self.logging[state, 1]).astype(int)
            reward = (rng.random(n) < self.reward[state, action]).astype(float)
            q = self.q[t] + wrong * np.array([[1.0, -1.0], [-1.0, 1.0]])
            chance = np.clip(self.logging[state, action] * propensity, 1e-6, 1.0)
            rows.append((chance, reward, self.target[state, action], q[state, action], (self.target * q).sum(axis=1)[state]))
            state = (rng.random(n) < self.to_one[state, action]).astype(int)
        columns = [np.stack(column, axis=1).ravel() for column in zip(*rows, strict=True)]
        return LoggedSessions([f"s{i}" for i in range(n)], np.arange(n + 1) * self.steps, *columns, np.zeros(n))


@pytest.mark.parametrize(("wrong", "propensity"), [(0.0, 1.0), (0.5, 1.0), (0.0, 0.6)])
def test_it_is_right_where_propensities_or_predictions_are_and_its_interval_covers(wrong, propensity):
    chain, rng = Chain(), np.random.default_rng(1)
    found = [sequential_doubly_robust(chain.log(rng, 150, wrong, propensity), gamma=GAMMA) for _ in range(300)]
    values = np.array([f.value for f in found])
    assert abs(values.mean() - chain.value) < 3.5 * values.std(ddof=1) / len(values) ** 0.5
    covered = np.mean([f.ci_low <= chain.value <= f.ci_high for f in found])
    assert 0.91 <= covered <= 0.985


def test_it_is_wrong_where_both_are():
    chain = Chain()
    found = sequential_doubly_robust(chain.log(np.random.default_rng(1), 4000, 0.5, 0.6), gamma=GAMMA)
    assert not found.ci_low <= chain.value <= found.ci_high


def test_of_one_step_a_session_it_is_the_estimate_of_decisions():
    log = Chain(steps=1).log(np.random.default_rng(0), 80, wrong=0.3)
    ours = sequential_doubly_robust(log, gamma=GAMMA)
    theirs = doubly_robust(
        LoggedDecisions(log.names, log.propensity, log.reward, log.target_probability, log.predicted_logged, log.predicted_target)
    )
    for name in ("value", "standard_error", "ci_low", "ci_high", "effective_sample_size", "mean_weight", "n"):
        assert getattr(ours, name) == pytest.approx(getattr(theirs, name)), name


def test_what_would_have_followed_counts_and_a_clip_leans_to_the_predictions():
    log = Chain().log(np.random.default_rng(0), 50)
    same = replace(log, target_probability=log.propensity)
    more = replace(same, beyond=np.ones(50))
    grown = sequential_doubly_robust(more, gamma=GAMMA).value - sequential_doubly_robust(same, gamma=GAMMA).value
    assert grown == pytest.approx(GAMMA**3)
    clipped = sequential_doubly_robust(log, gamma=GAMMA, clip=1e-12)
    assert clipped.value == pytest.approx(float(log.predicted_target[::3].mean()))
    assert (
        sequential_doubly_robust(replace(log, names=["one"], indptr=np.array([0, 150]), beyond=np.zeros(1)), gamma=1.0).ci_high
        == np.inf
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"propensity": 0.0}, r"session 's1', step 1: propensity lies in \(0, 1\], not 0.0"),
        ({"target_probability": 1.5}, "session 's1', step 1: target_probability lies in"),
        ({"reward": np.nan}, "session 's1', step 1: reward is a finite number"),
        ({"predicted_logged": np.inf}, "session 's1', step 1: predicted_logged is finite"),
    ],
)
def test_a_bad_step_is_named(change, said):
    log = Chain().log(np.random.default_rng(0), 3)
    ((name, value),) = change.items()
    values = getattr(log, name).copy()
    values[4] = value
    with pytest.raises(InputError, match=said):
        replace(log, **{name: values})


def test_columns_that_do_not_fit_are_refused():
    log = Chain().log(np.random.default_rng(0), 3)
    with pytest.raises(InputError, match=r"beyond has shape \(3,\), not \(2,\)"):
        replace(log, beyond=np.zeros(2))
    with pytest.raises(InputError, match="session 's2': beyond is finite"):
        replace(log, beyond=np.array([0, 0, np.nan]))
    with pytest.raises(InputError, match="rises from 0"):
        replace(log, indptr=np.array([0, 3, 3, 9]))
    with pytest.raises(InputError, match="at least one session"):
        replace(log, names=[])
    for options in ({"gamma": 2}, {"gamma": 1, "confidence": 1}, {"gamma": 1, "clip": 0}):
        with pytest.raises(InputError):
            sequential_doubly_robust(log, **options)
