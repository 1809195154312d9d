"""Windows that did not drift, and kinds of drift of known size, out of the sample."""

import numpy as np
import pytest

from shgat.drift import DriftConfig
from shgat.errors import InputError
from shgat.experiments.dataset import Dataset
from shgat.experiments.drift import KINDS, Pool, powers, undrifted
from worlds import SAMPLE


@pytest.fixture(scope="module")
def dataset():
    return Dataset.load(SAMPLE)


@pytest.fixture(scope="module")
def pool(dataset):
    return Pool.of(dataset)


def test_a_split_has_each_execution_once(pool):
    then, now = pool.split(np.random.default_rng(0))
    assert len(then) + len(now) == len(pool.window)
    then, now, topic = pool.parted(np.random.default_rng(0))
    rows = np.concatenate((then.intents, now.intents, topic.intents))
    assert np.array_equal(np.sort(rows[:, 0]), np.sort(pool.window.intents[:, 0]))


@pytest.mark.parametrize("kind", KINDS)
def test_drift_of_size_zero_is_none(pool, kind):
    _, now, topic = pool.parted(np.random.default_rng(0))
    same = KINDS[kind][1](now, 0.0, topic, np.random.default_rng(1))
    assert same.intents == pytest.approx(now.intents, abs=1e-6)
    assert same.tools == now.tools
    assert np.array_equal(same.worked, now.worked)
    assert same.scores == pytest.approx(now.scores)


def test_half_of_another_topic_is_half_of_the_window(pool):
    _, now, topic = pool.parted(np.random.default_rng(0))
    mixed = KINDS["new topic, %"][1](now, 50.0, topic, np.random.default_rng(1))
    new = (mixed.intents != now.intents).any(axis=1).mean()
    assert 0.3 < new < 0.7


def test_a_rotation_keeps_lengths(pool):
    _, now, topic = pool.parted(np.random.default_rng(0))
    turned = KINDS["rotation, degrees"][1](now, 90.0, topic, np.random.default_rng(1))
    assert np.linalg.norm(turned.intents, axis=1) == pytest.approx(np.linalg.norm(now.intents, axis=1), rel=1e-3)
    assert np.abs(turned.intents - now.intents).max() > 0.01


def test_a_large_shift_is_found_and_none_is_not(pool):
    config = DriftConfig(alpha=0.05, n_resamples=199)
    found = dict(powers(pool, "shift of the mean, spreads", 2, config, np.random.default_rng(0)))
    assert found[0.5]["embedding"] == 1.0


def test_too_small_a_set_is_refused(dataset):
    with pytest.raises(InputError, match="at least 120"):
        Pool.of(Dataset(dataset.name, dataset.catalog, dataset.train.take(range(9)), dataset.test.take(range(9))))


@pytest.mark.slow
def test_alarms_without_drift_are_not_more_than_said(pool):
    """Of 300 windows at 5 % 15 are to be expected; more than 27 come once in a thousand times."""
    config = DriftConfig(alpha=0.05, n_resamples=199)
    assert sum(r.drifted for r in undrifted(pool, 300, config, np.random.default_rng(1))) <= 27
