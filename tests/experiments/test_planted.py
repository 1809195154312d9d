"""The planted world itself, and what is learned in it: errors fall with sessions, and foresight is found where it is paid."""

import numpy as np
import pytest

from shgat.experiments.planted import SIZES, Plant, learning_curve
from shgat.td import TDConfig
from shgat.td.trainer import fit_values, returns


def plant(seed, foresight):
    return Plant.grown(np.random.default_rng(seed), foresight=foresight)


def learned(world, n, seed, config=None):
    sessions = world.sessions(n, np.random.default_rng([seed, n]))
    return fit_values(sessions, world.tools, config or TDConfig(), np.random.default_rng(seed)).network


def test_true_values_are_the_mean_of_what_came():
    world = plant(0, True)
    sessions = world.sessions(100_000, np.random.default_rng(0), truncated=0.0)
    truth, came = world.true_values(sessions), returns(sessions, world.gamma)
    for rows in (sessions.actions == 0, sessions.intent == 1, np.arange(sessions.n_steps) % 3 == 0):
        error = came[rows] - truth[rows]
        assert abs(error.mean()) < 4 * error.std() / rows.sum() ** 0.5
    first = came[::3]
    behaving = world.value_of(lambda k, used: world.behaviour[k, used[-1] if used else world.n_tools])
    assert abs(first.mean() - behaving) < 4 * first.std() / len(first) ** 0.5


@pytest.mark.parametrize("seed", [0, 1])
def test_foresight_is_worth_something_only_where_it_is_planted(seed):
    with_it, without = plant(seed, True), plant(seed, False)
    assert with_it.best() > 1.3 * with_it.value_of(with_it.short_sighted)
    assert without.best() == pytest.approx(without.value_of(without.short_sighted))


def test_sessions_are_cut_off_as_often_as_asked():
    sessions = plant(0, True).sessions(2000, np.random.default_rng(0), truncated=0.25)
    assert 0.2 < 1 - sessions.terminal.mean() < 0.3
    np.testing.assert_array_equal(np.diff(sessions.indptr), np.where(sessions.terminal, 3, 2))


@pytest.mark.slow
def test_errors_fall_with_sessions():
    """Root mean square error against the known values over four sizes: a line in logarithms."""
    found = [[row.error for row in learning_curve(plant(seed, True), SIZES, seed)] for seed in (0, 1)]
    errors = np.mean(found, axis=0)
    assert (np.diff(errors) < 0).all()
    slope = np.polyfit(np.log(SIZES), np.log(errors), 1)[0]
    assert -0.7 < slope < -0.3


@pytest.mark.slow
def test_values_beat_the_best_ranker_without_them_where_foresight_is_paid():
    """4000 sessions, against a ranker that knows what every tool brings at once."""
    for seed in range(4):
        world = plant(seed, True)
        assert world.value_of(world.greedy(learned(world, 4000, seed))) > 1.4 * world.value_of(world.short_sighted)


@pytest.mark.slow
def test_values_are_no_worse_where_it_is_not():
    """Against a network that learned only what comes at once (gamma 0) from the same sessions: 2 % is what the longer sums' noise may cost
    before the gate, which lets values lead only where they bring more."""
    differences = []
    for seed in range(8):
        world = plant(seed, False)
        far, near = (world.value_of(world.greedy(learned(world, 4000, seed, TDConfig(gamma=g)))) for g in (0.99, 0.0))
        differences.append((far - near) / world.best())
    assert np.mean(differences) > -0.02
