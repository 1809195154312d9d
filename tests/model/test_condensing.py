"""What a memory keeps: everything where there is room, and of each kind its latest where there is not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shgat.graph import Incidence
from shgat.model.condensing import BUDGET, capacity, condensed

RNG = np.random.default_rng(0)


@given(st.lists(st.lists(st.integers(0, 4), max_size=3, unique=True), max_size=30), st.integers(1, 40))
def test_as_many_stay_as_there_is_room_for_and_in_their_order(rows, room):
    kept = condensed(Incidence.from_rows(rows), room)
    assert len(kept) == min(room, len(rows))
    assert (np.diff(kept) > 0).all()


def test_all_stay_where_there_is_room():
    assert condensed(Incidence.from_rows([[1]] * 9), 9).tolist() == list(range(9))


def test_of_one_kind_the_latest_stay():
    assert condensed(Incidence.from_rows([[2, 1], [1, 2]] * 6), 5).tolist() == [7, 8, 9, 10, 11]


def test_kinds_keep_the_square_root_of_their_numbers():
    kinds = RNG.permutation(np.repeat([0, 1, 2], [10_000, 2500, 100]))
    kept = kinds[condensed(Incidence.from_rows(kinds[:, None].tolist()), 800)]
    assert np.bincount(kept).tolist() == [500, 250, 50]


def test_what_was_run_once_is_not_crowded_out():
    rows = [[0]] * 1000 + [[i] for i in range(1, 50)] + [[0]] * 1000
    kept = condensed(Incidence.from_rows(rows), 100)
    assert set(range(1000, 1049)) <= set(kept.tolist())


def test_a_million_traces_fit_the_budget():
    n = 1_000_000
    tools = Incidence(np.arange(n + 1, dtype=np.int32), (RNG.pareto(1.0, n) * 10).astype(np.int32) % 3000)
    room = capacity(384, 40 * n, n)
    assert len(condensed(tools, room)) == room
    assert room * (4 * 384 + 40) < BUDGET
    assert room > 30_000


@pytest.mark.parametrize("held", ["rare", "frequent"])
def test_held_out_intents_are_answered_as_by_all_traces(held):
    """By votes of the nearest; the latest traces alone lose what is rare."""
    rng = np.random.default_rng(1)
    popular = 1.0 / np.arange(1, 301)
    tool = rng.choice(300, 30_000, p=popular / popular.sum())
    ways = rng.standard_normal((300, 3, 16))

    def asked(tools):
        return ways[tools, rng.integers(0, 3, len(tools))] + 0.6 * rng.standard_normal((len(tools), 16))

    x = asked(tool)
    new = rng.integers(100, 300, 300) if held == "rare" else rng.integers(0, 20, 300)
    queries = asked(new)

    def right(rows):
        distance = (x[rows] ** 2).sum(axis=1) - 2.0 * queries @ x[rows].T
        near = np.argpartition(distance, 20, axis=1)[:, :20]
        votes = np.stack([np.bincount(tool[rows][row], np.exp(-d[row]), 300) for row, d in zip(near, distance, strict=True)])
        return float((np.argsort(-votes, axis=1)[:, :5] == new[:, None]).any(axis=1).mean())

    everything = right(np.arange(30_000))
    kept = right(condensed(Incidence.from_rows(tool[:, None].tolist()), 6000))
    noise = 2.0 * np.sqrt(everything * (1.0 - everything) / 300)
    assert kept >= everything - noise - 0.01
    if held == "rare":
        assert kept > right(np.arange(24_000, 30_000))
