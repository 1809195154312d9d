"""Candidates: columns of ids, and items that cannot be told apart."""

import itertools
from itertools import chain

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shgat import SHGAT, Catalog, InputError
from shgat.model.candidates import Candidates
from worlds import catalog, unit


def candidates(x):
    ids = [f"t{i}" for i in range(len(x))]
    return Candidates.of(ids, {t: i for i, t in enumerate(ids)}, x, x, None)


FIVE = candidates(np.eye(5, 8, dtype=np.float32))


@pytest.mark.parametrize("kind", [list, tuple, iter, dict.fromkeys, np.array])
def test_columns_are_sorted_and_unique(kind):
    columns = FIVE.columns(kind(["t3", "t0", "t3", "t1"]), "candidates")
    assert columns.tolist() == [0, 1, 3]
    assert columns.dtype == np.int32


def test_no_ids_are_no_columns():
    columns = FIVE.columns([], "candidates")
    assert (columns.shape, columns.dtype) == ((0,), np.int32)


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (["t1", "gone"], "those: unknown id 'gone'"),
        (["t1", ["t2"]], r"those: unknown id \['t2'\]"),
        ([0], "those: unknown id 0"),
        ([None], "those: unknown id None"),
        ("t1", "those is a list of ids, not 't1'"),
        (None, "those is a list of ids, not None"),
        (3, "those is a list of ids, not 3"),
    ],
)
def test_what_is_no_id_is_named(ids, message):
    with pytest.raises(InputError, match=message):
        FIVE.columns(ids, "those")


ROWS = st.lists(st.sampled_from([0, 1, 2, 3]), max_size=10)


def rows_of(kinds):
    """Four different rows; those of kind 3 are those of kind 2 but for the sign of their zeros and one entry in the last place."""
    base = np.random.default_rng(0).standard_normal((4, 9)).astype(np.float32)
    base[:, 4] = 0.0
    base[3] = base[2]
    base[3, 8] = np.nextafter(base[2, 8], np.float32(9))
    rows = base[kinds].reshape(len(kinds), 9)
    rows[::2, 4] = -0.0
    return rows


@given(ROWS)
def test_twins_are_the_items_with_the_same_embedding(kinds):
    found = candidates(rows_of(kinds))
    first = [kinds.index(k) for k in kinds]
    assert sorted(map(tuple, found.twins.tolist())) == [(i, f) for i, f in enumerate(first) if i != f]
    z = found.tie(np.arange(2.0 * len(kinds)).astype(np.float32).reshape(2, -1))
    np.testing.assert_array_equal(z, np.array([first, first]) + np.array([[0], [len(kinds)]]))


@given(ROWS, st.lists(st.lists(st.sampled_from([0, 1, 2, 3]), min_size=1, max_size=3), min_size=1, max_size=4))
def test_more_are_as_if_they_had_been_there(kinds, batches):
    rows = rows_of([*kinds, *chain(*batches)])
    whole = candidates(rows)
    grown, n = candidates(rows[: len(kinds)]), len(kinds)
    for batch in batches:
        m = n + len(batch)
        grown, n = grown.with_more(whole.ids[n:m], whole.column, rows[n:m], rows[n:m]), m
    assert grown.ids == whole.ids
    np.testing.assert_array_equal(grown.x, whole.x)
    np.testing.assert_array_equal(grown.keys, whole.keys)
    assert sorted(grown.twins.tolist()) == sorted(whole.twins.tolist())


def test_folded_keys_grow_with_the_others():
    w = np.linalg.qr(np.random.default_rng(0).standard_normal((9, 9)))[0].astype(np.float32)
    rows = rows_of(list(range(4)) * 3)
    grown = Candidates.of([str(i) for i in range(5)], {}, rows[:5], rows[:5], None, w)
    for first, last in ((5, 6), (6, 11), (11, 12)):
        grown = grown.with_more([str(i) for i in range(first, last)], {}, rows[first:last], rows[first:last], w)
    np.testing.assert_allclose(grown.folded, rows @ w, rtol=1e-5, atol=1e-6)
    assert Candidates.of(["a"] * 37, {}, np.ones((37, 9), np.float32), np.ones((37, 9), np.float32), None, w).folded is None


def test_reliability_is_added_as_its_logarithm():
    trust = np.array([0.5, 1.0, 1.2], np.float32)
    x = np.eye(3, 8, dtype=np.float32)
    np.testing.assert_allclose(Candidates.of(["a", "b", "c"], {}, x, x, trust).log_reliability, np.log(trust))
    assert FIVE.log_reliability is None


@pytest.mark.parametrize("opened", [False, True])
@given(st.permutations(range(9)), st.integers(0, 99))
def test_equal_embeddings_tie_in_catalogue_order(opened, places, seed):
    """Nine tools with three different embeddings, wherever they stand."""
    rng = np.random.default_rng(seed)
    embeddings = [unit(rng, 24) for _ in range(3)]
    rows = [{"id": f"t{i}", "embedding": embeddings[p % 3]} for i, p in enumerate(places)]
    model = SHGAT.from_catalog(Catalog.from_records(rows, []))
    if opened:
        model.params["w_k"][:] += 0.1 * rng.standard_normal(model.params["w_k"].shape).astype(np.float32)
        model.invalidate()
    x = unit(rng, 24)
    for ranking in (model.rank(x, 9), model.rank(x, 9, context_tools=["t0"])):
        groups = [places[int(i[1:])] % 3 for i in ranking.ids]
        assert sum(a != b for a, b in itertools.pairwise(groups)) == 2
        for g in range(3):
            same = [int(i[1:]) for i in ranking.ids if places[int(i[1:])] % 3 == g]
            assert same == sorted(same)
            assert len({s for i, s in ranking if places[int(i[1:])] % 3 == g}) == 1
    scores = model.score(np.stack([x, -x]))
    assert all(len(np.unique(row)) == 3 for row in scores)


def test_a_twin_that_is_added_ties_too():
    model = SHGAT.from_catalog(catalog())
    model.add_tool({"id": "again", "embedding": model.catalog.tool_embeddings[4]})
    model.add_tool({"id": "thrice", "embedding": model.catalog.tool_embeddings[4]})
    ranking = model.rank(model.catalog.tool_embeddings[4], 3)
    assert ranking.ids == ("t4", "again", "thrice")
    assert len(set(ranking.scores.tolist())) == 1


def test_columns_stay_as_they_are():
    columns = np.array([1, 3], np.int32)
    assert FIVE.columns(columns, "candidates") is columns
