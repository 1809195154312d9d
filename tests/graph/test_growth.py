"""Rows grow at their end, and whoever holds a matrix keeps it as it was."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shgat.graph.growth import Growth


def rows(n, start=0):
    return (start + np.arange(3 * n, dtype=np.float32)).reshape(n, 3)


@given(st.integers(0, 5), st.lists(st.tuples(st.integers(0, 30), st.integers(0, 7)), max_size=12))
def test_every_matrix_that_was_handed_out_stays_as_it_was(n, steps):
    """Also where several grow out of the same one."""
    first = rows(n)
    versions = [(Growth(first), first, first.copy())]
    for number, (which, k) in enumerate(steps, 1):
        growth, matrix, expected = versions[which % len(versions)]
        more = rows(k, 1000 * number)
        grown, whole = growth.extended(matrix, more)
        assert whole.flags.c_contiguous
        versions.append((grown, whole, np.concatenate([expected, more])))
        for _, now, then in versions:
            np.testing.assert_array_equal(now, then)


def test_rows_are_copied_as_often_as_a_list_copies_its_items():
    growth, matrix, buffers = Growth(rows(0)), rows(0), set()
    for i in range(1000):
        growth, matrix = growth.extended(matrix, rows(1, i))
        buffers.add(id(growth))
    assert len(buffers) < 12
