"""Off-policy estimators on simulated logs whose true value is known in closed form."""

import numpy as np
import pytest

from shgat.errors import InputError
from shgat.metrics.off_policy import (
    LoggedDecisions,
    clipped_ips,
    direct_method,
    doubly_robust,
    effective_sample_size,
    ips,
    snips,
    switch_dr,
)

CLIP = 1.5  # some weights of the world below exceed it


class World:
    """Contexts x, actions a, rewards Bernoulli(q[x, a]), a logging and a target policy, all drawn from the seed."""

    def __init__(self, seed=0, n_contexts=6, n_actions=4, sharpness=1.0):
        rng = np.random.default_rng(seed)
        self.share = rng.dirichlet(np.full(n_contexts, 5.0))
        self.q = rng.uniform(0.1, 0.9, (n_contexts, n_actions))
        self.logging, self.target = (self.softmax(sharpness * rng.standard_normal(self.q.shape)) for _ in range(2))
        self.wrong = np.clip(self.q + rng.uniform(-0.3, 0.3, self.q.shape), 0.0, 1.0)
        self.value = self.expect(self.target * self.q)

    @staticmethod
    def softmax(z):
        return np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)

    def expect(self, per_action):
        return float(self.share @ per_action.sum(axis=1))

    def log(self, rng, m=600, model=None):
        x = rng.choice(self.share.size, m, p=self.share)
        u = rng.random((m, 1))
        a = np.minimum((self.logging[x].cumsum(axis=1) < u).sum(axis=1), self.q.shape[1] - 1)
        reward = (rng.random(m) < self.q[x, a]).astype(float)
        model = self.q if model is None else model
        q_target = (self.target * model).sum(axis=1)[x]
        return LoggedDecisions(range(m), self.logging[x, a], reward, self.target[x, a], model[x, a], q_target)


WORLD = World()


def clipped_value():
    weights = np.minimum(WORLD.target / WORLD.logging, CLIP)
    return WORLD.expect(WORLD.logging * weights * WORLD.q)


def switch_value():
    kept = WORLD.target / WORLD.logging <= CLIP
    return WORLD.expect(WORLD.target * np.where(kept, WORLD.q, WORLD.wrong))


# name: estimator, predictions (None: the true ones), the value that it estimates
CASES = {
    "ips": (ips, None, WORLD.value),
    "clipped_ips far": (lambda log: clipped_ips(log, clip=1e6), None, WORLD.value),
    "clipped_ips near": (lambda log: clipped_ips(log, clip=CLIP), None, clipped_value()),
    "snips": (snips, None, WORLD.value),
    "direct_method": (direct_method, None, WORLD.value),
    "doubly_robust": (doubly_robust, None, WORLD.value),
    "doubly_robust, wrong model": (doubly_robust, WORLD.wrong, WORLD.value),
    "switch_dr": (lambda log: switch_dr(log, threshold=CLIP), None, WORLD.value),
    "switch_dr far, wrong model": (lambda log: switch_dr(log, threshold=1e6), WORLD.wrong, WORLD.value),
    "switch_dr near, wrong model": (lambda log: switch_dr(log, threshold=CLIP), WORLD.wrong, switch_value()),
}


def simulate(name, runs, m):
    estimator, model, truth = CASES[name]
    rng = np.random.default_rng(20)
    found = [estimator(WORLD.log(rng, m, model)) for _ in range(runs)]
    values = np.array([e.value for e in found])
    covered = np.mean([e.ci_low <= truth <= e.ci_high for e in found])
    return values, covered, np.mean([e.standard_error for e in found]), truth


@pytest.mark.parametrize("name", CASES)
def test_bias_and_coverage(name):
    values, covered, error, truth = simulate(name, runs=1000, m=600)
    assert abs(values.mean() - truth) <= 2.0 * values.std() / len(values) ** 0.5
    assert 0.93 <= covered <= 0.97
    assert error == pytest.approx(values.std(), rel=0.08)


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_bias_and_coverage_over_many_runs(name):
    values, covered, _, truth = simulate(name, runs=4000, m=1500)
    assert abs(values.mean() - truth) <= 2.5 * values.std() / len(values) ** 0.5
    assert 0.935 <= covered <= 0.965


def test_variances_and_biases_lie_as_theory_has_it():
    spread = {name: simulate(name, 200, 600)[0].std() for name in CASES}
    assert spread["clipped_ips near"] < spread["ips"]
    assert spread["snips"] < spread["ips"]
    assert spread["doubly_robust"] < spread["ips"]
    assert spread["direct_method"] < spread["doubly_robust"]
    assert clipped_value() < WORLD.value
    wrong = World.expect(WORLD, WORLD.target * WORLD.wrong)
    log = WORLD.log(np.random.default_rng(0), 20_000, WORLD.wrong)
    assert direct_method(log).value == pytest.approx(wrong, abs=0.01)  # as good as its predictions
    assert doubly_robust(log).value == pytest.approx(WORLD.value, abs=0.02)


def test_a_deterministic_target_is_its_matches():
    log = LoggedDecisions("abcd", [0.5, 0.5, 0.25, 0.25], [1, 0, 1, 1], [True, True, True, False])
    assert ips(log).value == pytest.approx((2 + 0 + 4 + 0) / 4)
    assert snips(log).value == pytest.approx((2 + 4) / (2 + 2 + 4))
    assert clipped_ips(log, clip=3).value == pytest.approx((2 + 3) / 4)
    assert ips(log).mean_weight == 2.0
    assert ips(log).effective_sample_size == pytest.approx(64 / 24)


def test_the_logging_policy_itself_earns_the_mean_reward():
    p, r = [0.2, 0.7, 0.4], [1.0, 0.0, 0.5]
    log = LoggedDecisions([1, 2, 3], p, r, p)
    assert ips(log).value == pytest.approx(0.5)
    assert snips(log).value == pytest.approx(0.5)
    assert ips(log).effective_sample_size == pytest.approx(3.0)


def test_effective_sample_size():
    assert effective_sample_size([0.0, 0.0]) == 0.0
    assert effective_sample_size([5.0, 0.0]) == 1.0
    assert effective_sample_size([1e200, 1e200]) == pytest.approx(2.0)


GOOD = {"decision_ids": ["a", "b"], "propensity": [0.5, 0.5], "reward": [1.0, 0.0], "target_probability": [1.0, 0.0]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"propensity": [0.5, 0.0]}, "decision 'b': propensity lies in"),
        ({"propensity": [1.5, 0.5]}, "decision 'a': propensity lies in"),
        ({"propensity": [float("nan"), 0.5]}, "decision 'a': propensity lies in"),
        ({"reward": [1.0, None]}, "decision 'b': reward .* without an outcome"),
        ({"reward": [float("inf"), 1.0]}, "decision 'a': reward"),
        ({"reward": [1.0, "good"]}, "reward holds numbers"),
        ({"target_probability": [0.5, -0.1]}, "decision 'b': target_probability"),
        ({"decision_ids": ["a", "a"]}, "decision 'a' is logged more than once"),
        ({"reward": [1.0]}, r"reward has shape \(2,\)"),
        ({"predicted_logged": [1.0, 1.0]}, "come together"),
        ({"predicted_logged": [1.0, 1.0], "predicted_target": [1.0, None]}, "decision 'b': predicted_target"),
        ({k: [] for k in GOOD}, "at least one decision"),
    ],
)
def test_a_bad_log_is_refused_by_name(change, message):
    with pytest.raises(InputError, match=message):
        LoggedDecisions(**GOOD | change)


def test_what_cannot_be_estimated_is_refused():
    log = LoggedDecisions(**GOOD | {"target_probability": [0.0, 0.0]})
    for estimator in (ips, snips):
        with pytest.raises(InputError, match="none of the 2 logged actions"):
            estimator(log)
    with pytest.raises(InputError, match="predicted_logged"):
        doubly_robust(log)
    with pytest.raises(InputError, match="clip"):
        clipped_ips(LoggedDecisions(**GOOD), clip=0.0)
    with pytest.raises(InputError, match="confidence"):
        ips(LoggedDecisions(**GOOD), confidence=95)
