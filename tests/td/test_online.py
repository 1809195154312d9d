"""Online TD(lambda): true online is the truncated lambda-return at every step; the network learns by the same code."""

import numpy as np
import pytest

from shgat.errors import InputError
from shgat.model.value_network import ValueLayout, ValueNetwork
from shgat.td import Linear, Network, OnlineTD

RNG = np.random.default_rng(0)


def online_lambda_return(features, rewards, alpha, gamma, lam):
    """The online lambda-return algorithm as it is defined: at each step all steps so far are done again (Sutton and Barto, 2018, 12.4)."""
    n, kept = features.shape[1], [np.zeros(features.shape[1])]
    T = len(rewards)
    for h in range(1, T + 1):
        w = np.zeros(n)
        for t in range(h):
            parts = []
            for end in range(t + 1, h + 1):
                reward = sum(gamma ** (k - t) * rewards[k] for k in range(t, end))
                bootstrap = gamma ** (end - t) * (kept[end - 1] @ features[end]) if end < T else 0.0
                parts.append(reward + bootstrap)
            weights = [(1 - lam) * lam**i for i in range(len(parts) - 1)] + [lam ** (len(parts) - 1)]
            w = w + alpha * (np.dot(weights, parts) - w @ features[t]) * features[t]
        kept.append(w)
    return kept


@pytest.mark.parametrize(("gamma", "lam", "alpha"), [(1.0, 0.8, 0.3), (0.9, 0.95, 0.05), (0.99, 0.0, 0.1), (0.7, 1.0, 0.2)])
def test_true_online_is_the_online_lambda_return(gamma, lam, alpha):
    features, rewards = RNG.standard_normal((9, 4)) / 2, RNG.standard_normal(9)
    expected = online_lambda_return(features, rewards, alpha, gamma, lam)
    learner = OnlineTD(Linear(np.zeros(4)), alpha=alpha, gamma=gamma, lam=lam)
    learner.begin()
    for t in range(9):
        learner.step(features[t], rewards[t], features[t + 1] if t < 8 else None)
        np.testing.assert_allclose(learner.approximation.weights, expected[t + 1], rtol=1e-9, atol=1e-12)


def test_variants_side_by_side_are_each_alone():
    features, rewards = RNG.integers(0, 2, (7, 5)).astype(float), RNG.standard_normal(7)
    alphas, lams = np.array([[0.1], [0.4], [0.4]]), np.array([[0.5], [0.9], [0.0]])
    for kind in ("accumulating", "replacing", "dutch"):
        both = OnlineTD(Linear(np.zeros((3, 5)), binary=True), alpha=alphas, gamma=0.9, lam=lams, kind=kind)
        both.learn([(list(features), list(rewards), True)])
        for i in range(3):
            form = Linear(np.zeros(5), binary=True)
            alone = OnlineTD(form, alpha=float(alphas[i, 0]), gamma=0.9, lam=float(lams[i, 0]), kind=kind)
            alone.learn([(list(features), list(rewards), True)])
            np.testing.assert_allclose(both.approximation.weights[i], form.weights, rtol=1e-12)


@pytest.mark.parametrize("kind", ["accumulating", "dutch"])
def test_the_network_learns_by_the_same_code(kind):
    rng = np.random.default_rng(1)
    form = Network(ValueNetwork.initial(ValueLayout(4, 4, (16, 8, 8)), rng))
    eye = np.eye(4, dtype=np.float32)
    learner = OnlineTD(form, alpha=0.05, gamma=0.5, lam=0.8, kind=kind)
    # Two steps, the reward at the end is that of the first action.
    learner.learn(([(eye[0], eye[a]), (eye[1], eye[3])], [0.0, float(a)], True) for a in rng.integers(0, 2, 1500))
    assert form.value((eye[0], eye[1])) == pytest.approx(0.5, abs=0.15)
    assert form.value((eye[0], eye[0])) == pytest.approx(0.0, abs=0.15)


def test_a_truncated_end_teaches_nothing():
    form = Linear(np.zeros(2))
    OnlineTD(form, alpha=0.5, gamma=1.0, lam=0.5).learn([([np.array([1.0, 0.0])], [7.0], False)])
    assert not form.weights.any()


def test_what_does_not_go_together_is_refused():
    with pytest.raises(InputError, match="replacing traces"):
        OnlineTD(Linear(np.zeros(2)), alpha=0.1, gamma=1.0, lam=0.5, kind="replacing")
    learner = OnlineTD(Linear(np.zeros(2)), alpha=0.1, gamma=1.0, lam=0.5)
    with pytest.raises(InputError, match="dutch traces"):
        learner.step(np.ones(2), 1.0, None, ratio=2.0)
