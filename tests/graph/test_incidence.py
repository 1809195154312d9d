import numpy as np
from hypothesis import given
from hypothesis import strategies as st

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
