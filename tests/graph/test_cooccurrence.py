import math

import pytest

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


def test_resized_and_without():
    graph = Cooccurrence.from_pairs([("a", "b", 1), ("b", "c", 2), ("c", "b", 3)], COLUMN)
    assert graph.resized(5).incidence.n_rows == 5
    assert edges(graph.resized(5)) == edges(graph)
    assert edges(graph.without(0)) == {(0, 1): 2.0, (1, 0): 3.0}
    assert graph.without(0).incidence.n_rows == 2
    assert graph.without(1) is None


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
