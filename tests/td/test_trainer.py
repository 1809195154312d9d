"""Training: what it learns, what it keeps, that it is the same each time, and what it refuses."""

import numpy as np
import pytest

from shgat.errors import InputError
from shgat.experiments.planted import Plant
from shgat.td import TDConfig
from shgat.td.returns import targets
from shgat.td.trainer import fit_values, returns, value_targets, values
from td.sessions import embeddings, episodes

PLANT = Plant.grown(np.random.default_rng(0), foresight=True)
SESSIONS = PLANT.sessions(600, np.random.default_rng(1))


def fitted(config, seed=0, sessions=SESSIONS, **rest):
    return fit_values(sessions, PLANT.tools, config, np.random.default_rng(seed), **rest)


@pytest.mark.parametrize("refresh", [0, 1, 3])
def test_it_learns_more_than_the_mean(refresh):
    seen = []
    fit = fitted(TDConfig(refresh=refresh), on_epoch=seen.append)
    assert tuple(seen) == fit.epochs
    assert fit.epochs[fit.best - 1].held_out == min(e.held_out for e in fit.epochs)
    assert fit.epochs[fit.best - 1].held_out < 0.9 * fit.spread
    assert fit.epochs[-1].loss < fit.epochs[0].loss


@pytest.mark.parametrize(
    "correction", ["retrace", *(pytest.param(c, marks=pytest.mark.slow) for c in ("none", "clipped", "v-trace"))]
)
def test_every_correction_learns_to_choose(correction):
    sessions = PLANT.sessions(2000, np.random.default_rng(2))
    fit = fitted(TDConfig(rule="expected", correction=correction, epochs=8), sessions=sessions)
    assert fit.best == len(fit.epochs) == 8
    assert PLANT.value_of(PLANT.greedy(fit.network)) > 1.5 * PLANT.value_of(PLANT.short_sighted)


def test_the_same_seed_gives_the_same_bits_and_another_one_others():
    a, b, c = (fitted(TDConfig(epochs=2), seed).network.buffer for seed in (0, 0, 1))
    np.testing.assert_array_equal(a, b)
    assert (a != c).any()


def test_it_goes_on_from_a_network_and_leaves_that_as_it_was():
    first = fitted(TDConfig(epochs=3))
    kept = first.network.buffer.copy()
    second = fitted(TDConfig(epochs=1, lr=1e-6), start=first.network)
    np.testing.assert_array_equal(first.network.buffer, kept)
    np.testing.assert_allclose(second.network.buffer, kept, atol=1e-3)


def test_td_errors_are_what_targets_add():
    sessions = episodes(terminal=[True, False, True, True])
    fit = fit_values(sessions, embeddings(), TDConfig(epochs=1, held_out=0.0), np.random.default_rng(0))
    assert np.isnan(fit.spread)
    assert np.isnan(fit.epochs[0].held_out)
    q, goal = value_targets(fit.network, sessions, embeddings(), TDConfig())
    np.testing.assert_array_equal(q, values(fit.network, sessions, embeddings()))
    np.testing.assert_allclose(goal, targets(TDConfig(), sessions.rewards, q, q, q, sessions.ends))


def test_returns_are_what_came_where_it_is_known():
    found = returns(episodes((2, 2), terminal=[True, False], rewards=np.array([1.0, 2.0, 3.0, 4.0])), 0.5)
    np.testing.assert_allclose(found, [2.0, 2.0, np.nan, np.nan])


def test_what_cannot_be_learned_from_is_said():
    with pytest.raises(InputError, match="no step to learn"):
        fit_values(episodes((1, 1), terminal=[False, False]), embeddings(), TDConfig(), np.random.default_rng(0))
    with pytest.raises(InputError, match="there are 2 embeddings"):
        fit_values(episodes(), embeddings()[:2], TDConfig(), np.random.default_rng(0))
    with pytest.raises(InputError, match="propensity"):
        fit_values(
            episodes(propensity=None), embeddings(), TDConfig(rule="expected", correction="clipped"), np.random.default_rng(0)
        )
