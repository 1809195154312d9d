"""Cells: the nearest rows are found in the nearest groups."""

import numpy as np
import pytest

from shgat.model import cells
from shgat.model.cells import Cells

RNG = np.random.default_rng(0)
TOPICS = RNG.standard_normal((200, 24))
ROWS = (TOPICS[RNG.integers(0, 200, 5000)] + 0.5 * RNG.standard_normal((5000, 24))).astype(np.float32)
ROWS /= np.linalg.norm(ROWS, axis=1, keepdims=True)
ELSEWHERE = np.float32(-2.0)


def test_every_row_is_in_one_cell():
    found = Cells.of(ROWS)
    assert sorted(found.order.tolist()) == list(range(5000))
    assert found.start[0] == 0
    assert found.start[-1] == 5000
    assert len(found.centres) == 141


def test_the_nearest_are_those_of_all_rows():
    found, shared = Cells.of(ROWS), 0
    for x in ROWS[:100]:
        near, exact = found.cosines(x, ELSEWHERE), ROWS @ x
        looked = near > -2.0
        assert cells.LOOKED_AT <= looked.sum() < 2500
        np.testing.assert_allclose(near[looked], exact[looked], atol=1e-5)
        shared += len(set(np.argsort(-near)[:20].tolist()) & set(np.argsort(-exact)[:20].tolist()))
    assert shared >= 0.98 * 2000


def test_the_same_rows_give_the_same_cells():
    one, two = Cells.of(ROWS), Cells.of(ROWS.copy())
    np.testing.assert_array_equal(one.centres, two.centres)
    np.testing.assert_array_equal(one.order, two.order)


@pytest.mark.parametrize("n", [1, 2, 30])
def test_of_few_rows_all_are_looked_at(n):
    rows = ROWS[:n].copy()
    rows[0] = 0.0  # of an intent that has only a text
    np.testing.assert_allclose(Cells.of(rows).cosines(ROWS[5], ELSEWHERE), rows @ ROWS[5], atol=1e-5)
