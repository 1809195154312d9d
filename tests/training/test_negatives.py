"""Which candidates a step sees."""

import numpy as np
import pytest

from shgat.graph import Incidence
from shgat.training.negatives import Negatives, pool

POSITIVES = Incidence.from_rows([[3], [], [0, 7, 9], [1]])


def drawn(policy, n, accuracy=0.0, excluded=None, seed=0, size=40):
    """(z, (B, n) kept negatives)"""
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((4, size)).astype(np.float32)
    out = Negatives(policy, n, accuracy).ruled_out(z, POSITIVES, rng, excluded)
    wanted = np.zeros(out.shape, bool)
    wanted[POSITIVES.row_of_entry, POSITIVES.indices] = True
    assert not out[wanted].any()  # a positive always stays
    return z, ~out & ~wanted, wanted


@pytest.mark.parametrize("n", [1, 5, 36, 37, 100])
def test_random_draws_as_many_as_asked_for_where_there_are_so_many(n):
    _, kept, wanted = drawn("random", n)
    np.testing.assert_array_equal(kept.sum(axis=1), np.minimum(n, 40 - wanted.sum(axis=1)))


def test_random_draws_every_negative_alike():
    counts = sum(drawn("random", 8, seed=s)[1][1] for s in range(2000))
    expected = 2000 * 8 / 40
    assert ((counts - expected) ** 2 / expected).sum() < 72.1  # 39 degrees of freedom, p = 0.001


@pytest.mark.parametrize(
    ("policy", "accuracy", "low", "high"),
    [("semi-hard", 0.9, 25, 75), ("curriculum", 0.1, 0, 100), ("curriculum", 0.4, 25, 75), ("curriculum", 0.8, 75, 100)],
)
def test_bands(policy, accuracy, low, high):
    z, kept, wanted = drawn(policy, 6, accuracy)
    seen = []
    for row, keep, no in zip(z, kept, wanted, strict=True):
        others = np.sort(row[~no])
        place = np.searchsorted(others, row[keep]) / (len(others) - 1) * 100
        assert keep.sum() == 6
        assert (place >= low - 2).all()
        assert (place <= high + 2).all()
        seen += place.tolist()
    assert max(seen) - min(seen) > (high - low) / 2


@pytest.mark.parametrize("policy", ["random", "semi-hard", "curriculum"])
def test_what_is_excluded_is_not_drawn_and_moves_nothing(policy):
    excluded = np.zeros((4, 40), bool)
    excluded[:, 20:30] = True
    rng = np.random.default_rng(0)
    z = rng.standard_normal((4, 40)).astype(np.float32)
    poisoned = np.where(excluded, np.float32(50.0), z)
    a, b = (Negatives(policy, 6, 0.8).ruled_out(v, POSITIVES, np.random.default_rng(1), excluded) for v in (z, poisoned))
    np.testing.assert_array_equal(a, b)
    assert a[excluded].all()


def test_a_row_with_nothing_but_positives():
    positives = Incidence.from_rows([[0, 1, 2]])
    out = Negatives("semi-hard", 4).ruled_out(np.zeros((1, 3), np.float32), positives, np.random.default_rng(0))
    assert not out.any()


def test_the_pool_holds_every_positive_and_random_others():
    columns = pool(POSITIVES, 1000, 64, np.random.default_rng(0))
    assert (np.diff(columns) > 0).all()
    assert {0, 1, 3, 7, 9} <= set(columns.tolist())
    assert 50 < len(columns) <= 64
    np.testing.assert_array_equal(pool(POSITIVES, 1000, 2, np.random.default_rng(0)), [0, 1, 3, 7, 9])
