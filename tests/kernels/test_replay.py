"""The sum tree: sums stay exact, and slots are found as often as their priority says."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference import replay as twin
from shgat._kernels import replay


def tree_of(priorities, leaves):
    tree = np.zeros(2 * leaves)
    replay.update(tree, np.arange(len(priorities), dtype=np.int64), np.asarray(priorities, dtype=float))
    return tree


def find(tree, mass):
    slots = np.full(len(mass), -1, np.int64)
    replay.find(tree, np.asarray(mass, dtype=float), slots)
    return slots


@pytest.mark.parametrize("leaves", [1, 2, 8, 1024])
def test_every_node_is_the_sum_of_its_children(leaves):
    rng = np.random.default_rng(0)
    tree = tree_of(rng.random(leaves), leaves)
    for _ in range(20):
        slots = rng.integers(leaves, size=5)
        replay.update(tree, slots, rng.random(5))
    for node in range(1, leaves):
        assert tree[node] == tree[2 * node] + tree[2 * node + 1]
    assert tree[1] == pytest.approx(tree[leaves:].sum())


def test_the_last_of_several_updates_of_a_slot_holds():
    tree = tree_of([1.0, 1.0], 2)
    replay.update(tree, np.array([0, 0], np.int64), np.array([5.0, 3.0]))
    np.testing.assert_array_equal(tree, [0.0, 4.0, 3.0, 1.0])


@given(
    st.lists(st.sampled_from([0.0, 0.25, 1.0, 3.0, 1024.0]), min_size=1, max_size=40),
    st.floats(0.0, 1.0, exclude_max=True),
)
@settings(max_examples=100, deadline=None)
def test_find_matches_the_twin(priorities, share):
    if sum(priorities) == 0.0:
        priorities[0] = 1.0
    tree = tree_of(priorities, 64)
    mass = [share * tree[1]]
    assert find(tree, mass) == twin.find(np.array(priorities), mass)  # these priorities add up exactly


@given(st.lists(st.floats(0.0, 1e6), min_size=1, max_size=40), st.floats(0.0, 1.0))
@settings(max_examples=100, deadline=None)
def test_an_empty_leaf_is_never_found(priorities, share):
    if sum(priorities) == 0.0:
        priorities[0] = 1.0
    tree = tree_of(priorities, 64)
    (slot,) = find(tree, [share * tree[1]])  # share 1 is the total itself, which rounding may give
    assert priorities[slot] > 0.0


def test_slots_are_drawn_as_often_as_their_priority_says():
    rng = np.random.default_rng(0)
    priorities = np.array([0.0, 1.0, 2.0, 3.0, 0.0, 10.0, 0.5])
    tree = tree_of(priorities, 8)
    n = 200_000
    counts = np.bincount(find(tree, rng.random(n) * tree[1]), minlength=7)
    expected = n * priorities / priorities.sum()
    np.testing.assert_array_less(np.abs(counts - expected), 5.0 * np.sqrt(expected) + 1e-9 + (expected == 0))


def test_slots_outside_and_lengths_that_do_not_fit_raise():
    tree = np.zeros(8)
    for slot in (-1, 4):
        with pytest.raises(IndexError, match="outside"):
            replay.update(tree, np.array([slot], np.int64), np.ones(1))
    with pytest.raises(ValueError, match="one length"):
        replay.update(tree, np.zeros(2, np.int64), np.ones(1))
    with pytest.raises(ValueError, match="one length"):
        replay.find(tree, np.zeros(2), np.zeros(1, np.int64))
    with pytest.raises(ValueError, match="dtype"):
        replay.update(tree.astype(np.float32), np.zeros(1, np.int64), np.ones(1))
    assert not tree.any()


def test_read_only_trees_can_be_searched():
    tree = tree_of([1.0, 2.0], 2)
    tree.flags.writeable = False
    np.testing.assert_array_equal(find(tree, [0.5, 1.0, 2.9]), [0, 1, 1])
