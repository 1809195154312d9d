"""The textbook's figures: shape and minima on the random walk, beside the algorithm as it is defined; and Baird's counterexample."""

from itertools import pairwise

import numpy as np
import pytest

from shgat.errors import InputError
from shgat.experiments.textbook import (
    ALPHAS,
    BAIRD_METHODS,
    LAMBDAS,
    METHODS,
    N_STATES,
    TRUE_VALUES,
    baird,
    baird_features,
    walk,
    walk_errors,
)

OFF_LINE, ONLINE = METHODS


def defined_off_line(lam, alpha, runs, rng):
    """(runs,) errors of the off-line lambda-return, written as a mixture of n-step returns; its own walks."""
    found = []
    for _ in range(runs):
        v, total = np.zeros(N_STATES + 2), 0.0
        for _ in range(10):
            states = [10]
            while 0 < states[-1] < N_STATES + 1:
                states.append(states[-1] + int(rng.choice((-1, 1))))
            reward = -1.0 if states[-1] == 0 else 1.0
            steps = len(states) - 1
            # the n-step return is the value n steps on, and the reward where the walk has ended by then
            ahead = np.append(v[states[1:-1]], reward)
            targets = [(1 - lam) * np.dot(lam ** np.arange(steps - t - 1), ahead[t:-1]) + lam ** (steps - t - 1) * reward
                       for t in range(steps)]  # fmt: skip
            for state, target in zip(states, targets, strict=False):
                v[state] += alpha * (target - v[state])
            total += np.sqrt(np.mean((v[1:-1] - TRUE_VALUES) ** 2)) / 10
        found.append(total)
    return np.array(found)


def defined_online(lam, alpha, runs, rng):
    """(runs,) errors of true online TD(lambda) as its box says (Sutton and Barto, 2018, 12.5), on a table."""
    found = []
    for _ in range(runs):
        v, total = np.zeros(N_STATES + 2), 0.0
        for _ in range(10):
            state, old, z = 10, 0.0, np.zeros(N_STATES + 2)
            while 0 < state < N_STATES + 1:
                after = state + int(rng.choice((-1, 1)))
                reward = {0: -1.0, N_STATES + 1: 1.0}.get(after, 0.0)
                now, then = v[state], v[after]
                delta = reward + then - now
                kept = lam * z[state]
                z *= lam
                z[state] += 1.0 - alpha * kept
                v += alpha * (delta + now - old) * z
                v[state] -= alpha * (now - old)
                v[[0, -1]] = 0.0
                old, state = then, after
            total += np.sqrt(np.mean((v[1:-1] - TRUE_VALUES) ** 2)) / 10
        found.append(total)
    return np.array(found)


@pytest.fixture(scope="module")
def errors():
    """100 runs of both methods."""
    return {method: walk_errors(method, 100, np.random.default_rng(0)) for method in METHODS}


def test_a_walk_ends_beyond_an_end():
    rng = np.random.default_rng(0)
    for _ in range(20):
        states, rewards = walk(rng)
        assert states[0] == 9
        assert (np.abs(np.diff(states)) == 1).all()
        assert (states[-1], rewards[-1]) in ((0, -1.0), (N_STATES - 1, 1.0))
        assert not rewards[:-1].any()


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("lam", [0.0, 0.4, 0.8, 0.95, 1.0])
def test_minima_are_those_of_the_definition(errors, method, lam):
    row = LAMBDAS.index(lam)
    alpha, mean, error = errors[method].best(row)
    defined = (defined_off_line if method == OFF_LINE else defined_online)(lam, alpha, 100, np.random.default_rng(row + 1))
    both = np.hypot(error, defined.std(ddof=1) / 10)
    assert abs(mean - defined.mean()) < 2 * both


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_the_errors_have_the_published_shape(errors, method):
    """Figures 12.3 and 12.8 of Sutton and Barto (2018)."""
    found = errors[method]
    best = np.array([found.best(i)[1] for i in range(len(LAMBDAS))])
    steps = [found.best(i)[0] for i in range(len(LAMBDAS))]
    assert LAMBDAS[int(best.argmin())] == 0.8
    assert 0.24 < best.min() < 0.28
    assert (np.diff(best[:3]) < 0).all()
    assert (np.diff(best[2:]) > 0).all()
    assert best[-1] > 0.45
    assert all(later <= earlier for earlier, later in pairwise(steps))
    untrained = np.sqrt((TRUE_VALUES**2).mean())
    np.testing.assert_allclose(found.mean[:, ALPHAS.index(0.0)], untrained)
    for row in found.mean:  # down to the minimum, then up
        low = int(row.argmin())
        assert (np.diff(row[: low + 1]) < 0).all()
        assert (np.diff(row[low:]) > -0.02).all()


@pytest.mark.slow
def test_online_is_a_little_better_than_off_line(errors):
    gain = errors[OFF_LINE].errors.mean(axis=0).min() - errors[ONLINE].errors.mean(axis=0).min()
    assert 0.0 < gain < 0.03


def test_two_runs_are_as_many_as_a_standard_error_needs():
    found = walk_errors(ONLINE, 2, np.random.default_rng(0), lambdas=(0.5,), alphas=(0.0, 0.2))
    assert found.errors.shape == (2, 1, 2)
    assert found.standard_error.shape == (1, 2)
    with pytest.raises(InputError, match="at least 2 runs"):
        walk_errors(ONLINE, 1, np.random.default_rng(0))
    with pytest.raises(InputError, match="method is one of"):
        walk_errors("guessing", 2, np.random.default_rng(0))
    with pytest.raises(InputError, match="method is one of"):
        baird("guessing", 2, np.random.default_rng(0), alpha=0.1)


def test_bairds_features_can_say_that_all_is_worth_nothing():
    features = baird_features()
    assert features.shape == (7, 8)
    assert np.linalg.matrix_rank(features) == 7


def test_bairds_counterexample_diverges_without_correction():
    weights, errors = baird(BAIRD_METHODS[0], 4000, np.random.default_rng(0), alpha=0.01)
    assert np.abs(weights[-1]).max() > 1e5
    assert errors[-1] > 1e4 * errors[0]


def test_bairds_counterexample_does_not_with_it():
    weights, errors = baird(BAIRD_METHODS[1], 10_000, np.random.default_rng(0), alpha=0.005)
    assert np.abs(weights).max() < 20.0
    assert errors[-1000:].max() < 0.05 < errors[0]
