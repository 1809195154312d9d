"""Co-occurrence: built from pairs, and following its ids among other tools."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shgat.errors import InputError
from shgat.graph import Cooccurrence

COLUMN = {"a": 0, "b": 1, "c": 2}


def edges(graph):
    rows = zip(graph.incidence.row_of_entry.tolist(), graph.incidence.indices.tolist(), strict=True)
    return dict(zip(rows, graph.weights.tolist(), strict=True))


def test_a_pair_given_twice_adds_its_weights():
    assert edges(Cooccurrence.from_pairs([("a", "b", 1), ("c", "a", 2), ("a", "b", 0.5)], COLUMN)) == {(0, 1): 1.5, (2, 0): 2.0}


def test_no_pairs_is_no_graph():
    assert Cooccurrence.from_pairs([], COLUMN) is None


def test_more_tools_change_no_edge():
    graph = Cooccurrence.from_pairs([("a", "b", 1), ("b", "c", 2), ("c", "b", 3)], COLUMN)
    assert graph.resized(5).incidence.n_rows == 5
    assert edges(graph.resized(5)) == edges(graph)


PAIRS = st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("abcdef"), st.integers(1, 9)), max_size=12)


@given(PAIRS, st.permutations("abcdefxy"), st.integers(0, 8))
def test_edges_follow_their_ids_to_other_tools(pairs, order, n):
    before, after = {t: i for i, t in enumerate("abcdef")}, {t: i for i, t in enumerate(order[:n])}
    pairs = [p for p in pairs if p[0] != p[1]]
    graph = Cooccurrence.from_pairs(pairs, before)
    if graph is None:
        return
    moved = graph.over([after.get(t, -1) for t in before], len(after))
    left = Cooccurrence.from_pairs([p for p in pairs if p[0] in after and p[1] in after], after)
    if left is None:
        assert moved is None
        return
    assert edges(moved) == edges(left)
    assert moved.incidence.fits(len(after), len(after))
    np.testing.assert_array_equal(moved.incidence.indices, left.incidence.indices)
    np.testing.assert_array_equal(moved.incidence.indptr, left.incidence.indptr)


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        (("a", "x", 1), "'x'"),
        (("a", "a", 1), "itself"),
        (("a", "b", -1), "'a', 'b'"),
        (("a", "b", math.nan), "'a', 'b'"),
        (("a", "b", None), "'a', 'b'"),
    ],
)
def test_bad_pairs_are_named(pair, message):
    with pytest.raises(InputError, match=message):
        Cooccurrence.from_pairs([pair], COLUMN)
