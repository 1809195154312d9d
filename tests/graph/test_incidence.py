"""Incidence against dense matrices."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shgat import InputError
from shgat.graph import Incidence

ROWS = st.lists(st.lists(st.integers(0, 6), max_size=8), max_size=6)


def dense(incidence, n_columns=7):
    out = np.zeros((incidence.n_rows, n_columns), bool)
    out[incidence.row_of_entry, incidence.indices] = True
    return out


@given(ROWS)
def test_rows_are_sorted_and_unique(rows):
    incidence = Incidence.from_rows(rows)
    assert [incidence.row(i).tolist() for i in range(len(rows))] == [sorted(set(r)) for r in rows]
    assert incidence.indptr.dtype == incidence.indices.dtype == np.int32


@given(ROWS)
def test_transpose(rows):
    incidence = Incidence.from_rows(rows)
    turned = incidence.transpose(7)
    np.testing.assert_array_equal(dense(turned, len(rows)), dense(incidence).T)
    assert all(turned.row(i).tolist() == sorted(turned.row(i).tolist()) for i in range(7))
    np.testing.assert_array_equal(dense(turned.transpose(len(rows))), dense(incidence))


@given(ROWS, st.data())
def test_take_and_keeping(rows, data):
    incidence = Incidence.from_rows(rows)
    keep = np.array(data.draw(st.lists(st.booleans(), min_size=incidence.nnz, max_size=incidence.nnz)), bool)
    kept = incidence.keeping(keep)
    assert kept.n_rows == incidence.n_rows
    np.testing.assert_array_equal(kept.indices, incidence.indices[keep])
    np.testing.assert_array_equal(kept.row_of_entry, incidence.row_of_entry[keep])
    if rows:
        chosen = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=9))
        taken = incidence.take(chosen)
        assert [taken.row(i).tolist() for i in range(len(chosen))] == [incidence.row(c).tolist() for c in chosen]


@given(ROWS, ROWS, st.lists(st.booleans(), min_size=7, max_size=7))
def test_stacked_and_touching(above, below, marked):
    parts = [Incidence.from_rows(rows) for rows in (above, below)]
    both, marked = Incidence.stacked(parts), np.array(marked)
    np.testing.assert_array_equal(dense(both), np.concatenate([dense(p) for p in parts]))
    np.testing.assert_array_equal(both.degrees, dense(both).sum(axis=1))
    np.testing.assert_array_equal(both.touching(marked), (dense(both) & marked).any(axis=1))


@given(ROWS)
def test_what_comes_from_rows_passes_every_check(rows):
    incidence = Incidence.from_rows(rows)
    incidence.check("rows")
    assert incidence.fits(len(rows), 7)


@pytest.mark.parametrize(
    ("indptr", "indices", "message"),
    [
        ([], [], "indptr rises from 0"),
        ([1, 2], [0, 1], "indptr rises from 0"),
        ([0, 2, 1, 3], [0, 1, 2], "indptr rises from 0 to the number of indices, 3"),
        ([0, 2], [0, 1, 2], "indptr rises from 0 to the number of indices, 3"),
        ([0, 1, 3], [5, 2, 2], "the columns of row 1 are not ascending"),
        ([0, 1, 3], [5, 3, 2], "the columns of row 1 are not ascending"),
        ([0, 2], [-1, 2], "the columns of row 0 are not ascending, unique and at least 0"),
    ],
)
def test_arrays_that_are_no_rows_are_named(indptr, indices, message):
    with pytest.raises(InputError, match=f"these: {message}"):
        Incidence(np.array(indptr, np.int32), np.array(indices, np.int32)).check("these")


@pytest.mark.parametrize("name", ["indptr", "indices"])
@pytest.mark.parametrize("spoil", [list, lambda a: a.astype(np.int64), lambda a: a[None]], ids=["a list", "int64", "a matrix"])
def test_arrays_of_the_wrong_kind_are_named(name, spoil):
    arrays = {"indptr": np.array([0, 1], np.int32), "indices": np.array([3], np.int32)}
    arrays[name] = spoil(arrays[name])
    with pytest.raises(InputError, match=f"{name} is a one-dimensional array of int32"):
        Incidence(**arrays).check("these")


@pytest.mark.parametrize(
    ("indptr", "indices"),
    [
        ([0, 2, 3], [0, 6, 7]),
        ([0, 2, 3], [0, -1, 2]),
        ([0, 2, 4], [0, 1, 2]),
        ([0, 2, 3], [0, 1, 2, 3]),
        ([0, 4, 3], [0, 1, 2]),
        ([1, 2, 3], [0, 1, 2]),
        ([0, 3], [0, 1, 2]),
    ],
)
def test_what_the_kernels_could_not_take_does_not_fit(indptr, indices):
    assert Incidence(np.array([0, 2, 3], np.int32), np.array([0, 6, 2], np.int32)).fits(2, 7)
    assert not Incidence(np.array(indptr, np.int32), np.array(indices, np.int32)).fits(2, 7)


def test_wide_integers_do_not_fit():
    starts, entries = np.array([0, 1], np.int32), np.array([3], np.int32)
    assert Incidence(starts, entries).fits(1, 7)
    assert not Incidence(starts.astype(np.int64), entries).fits(1, 7)
    assert not Incidence(starts, entries.astype(np.int64)).fits(1, 7)


def test_equal_rows_are_of_one_kind():
    assert Incidence.from_rows([[3], [1, 2], [3], [], [2, 1], []]).kinds.tolist() == [0, 1, 0, 2, 1, 2]
    assert Incidence.from_rows([]).kinds.tolist() == []
