"""Prioritised replay: how often it draws whom, with what weight, and what it forgets."""

import numpy as np
import pytest

from shgat import InputError
from shgat.training import PrioritizedReplay

ERRORS = np.array([0.0, 0.02, 0.1, 0.3, 0.5, 0.9, 1.0, 0.05, 0.7])


def filled(alpha=0.6, capacity=16):
    replay = PrioritizedReplay(capacity, alpha, 0.01)
    replay.add([f"x{i}" for i in range(len(ERRORS))], ERRORS)
    return replay


@pytest.mark.parametrize("alpha", [0.0, 0.6, 1.0])
@pytest.mark.parametrize("n", [1, 7, 64])
def test_draws_are_as_frequent_as_their_priority(alpha, n):
    replay, rng = filled(alpha), np.random.default_rng(3)
    counts = sum(np.bincount(replay.sample(n, 0.4, rng)[0], minlength=len(ERRORS)) for _ in range(40_000 // n))
    p = (ERRORS + 0.01) ** alpha
    expected = counts.sum() * p / p.sum()
    chi_square = ((counts - expected) ** 2 / expected).sum()
    assert chi_square < 26.1  # 8 degrees of freedom, p = 0.001; stratified draws stay below it the more


@pytest.mark.parametrize("beta", [0.0, 0.4, 1.0])
def test_importance_weights(beta):
    replay = filled()
    slots, weights = replay.sample(64, beta, np.random.default_rng(1))
    p = (ERRORS + 0.01) ** 0.6
    expected = (len(ERRORS) * p[slots] / p.sum()) ** -beta
    np.testing.assert_allclose(weights, expected / expected.max(), rtol=1e-5)
    assert weights.max() == 1.0


def test_with_beta_1_the_weighted_draws_are_uniform():
    replay, rng, total = filled(), np.random.default_rng(2), np.zeros(len(ERRORS))
    for _ in range(300):
        slots, _ = replay.sample(64, 1.0, rng)
        p = replay.priorities
        np.add.at(total, slots, 1.0 / (p[slots] / p.sum()))
    np.testing.assert_allclose(total / total.mean(), 1.0, atol=0.2)


def test_the_oldest_makes_room():
    replay = PrioritizedReplay(3)
    replay.add(["a", "b", "c"], [0.1, 0.2, 0.3])
    replay.add(["d"], [0.4])
    assert replay.ids == ["d", "b", "c"]
    replay.add(["e", "f", "g", "h"], [0.5, 0.6, 0.7, 0.8])
    assert sorted(replay.ids) == ["f", "g", "h"]
    np.testing.assert_allclose(dict(zip(replay.ids, replay.priorities, strict=True))["h"], 0.81**0.6)
    assert len(replay) == 3
    replay.add(["a"])  # gone, so it may come back, with the highest priority there is
    assert replay.priorities.max() == pytest.approx(0.81**0.6)
    assert replay.priorities[replay.ids.index("a")] == pytest.approx(0.81**0.6)


def test_a_new_error_moves_its_slot_and_the_last_one_counts():
    replay = PrioritizedReplay(3)
    replay.add(["a", "b", "c", "d"], [0.1, 0.2, 0.3, 0.4])
    slot = replay.ids.index("c")
    replay.update(np.array([slot, slot]), [0.5, -0.9])
    found = dict(zip(replay.ids, replay.priorities, strict=True))
    np.testing.assert_allclose([found["b"], found["c"], found["d"]], (np.array([0.2, 0.9, 0.4]) + 0.01) ** 0.6)
    assert replay.tree[1] == pytest.approx(sum(found.values()))


def test_new_ids_come_first_and_known_ones_are_refused():
    replay = PrioritizedReplay(8)
    replay.add(["a"])
    assert replay.priorities.tolist() == [1.0]
    replay.update(np.array([0]), [2.0])
    replay.add(["b"])
    assert replay.priorities[0] == replay.priorities[1]
    with pytest.raises(InputError, match="'a' is in the replay"):
        replay.add(["a"])


@pytest.mark.parametrize("td", [[np.nan], [np.inf], [0.1, 0.2], "x"])
def test_errors_that_are_no_numbers(td):
    replay = PrioritizedReplay(8)
    replay.add(["a"])
    before = replay.tree.copy()
    with pytest.raises(ValueError, match=r"td|float"):
        replay.update(np.array([0]), td)
    np.testing.assert_array_equal(replay.tree, before)


def test_an_empty_replay_and_wrong_settings():
    with pytest.raises(InputError, match="empty"):
        PrioritizedReplay(8).sample(4, 0.4, np.random.default_rng(0))
    for wrong in ({"capacity": 0}, {"alpha": 1.5}, {"eps": 0.0}):
        with pytest.raises(InputError):
            PrioritizedReplay(**wrong)


@pytest.mark.slow
def test_a_full_buffer_samples_and_updates():
    replay, rng = PrioritizedReplay(100_000), np.random.default_rng(0)
    replay.add([str(i) for i in range(130_000)], rng.random(130_000))
    assert len(replay) == 100_000
    for _ in range(200):
        slots, weights = replay.sample(512, 0.6, rng)
        assert (weights > 0).all()
        replay.update(slots, rng.random(512))
    assert replay.tree[1] == pytest.approx(replay.priorities.sum())
