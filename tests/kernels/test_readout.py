"""Unit rows, the scores of one intent and the look for what is too large, against the twins and NumPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from reference import readout as twin
from reference.gradients import assert_gradient
from reference.incidence import single
from shgat._kernels import readout


@pytest.mark.parametrize("shape", [(1, 1), (3, 7), (5, 64), (2, 1025), (0, 4)])
def test_normalize_rows_matches_the_twin(shape):
    rng = np.random.default_rng(0)
    x, d_out = 3.0 * rng.standard_normal(shape), rng.standard_normal(shape)
    if len(x) > 1:
        x[1] = 0.0  # a zero row stays zero, and has no gradient
    out64, norms64 = twin.normalize_rows(x)
    x32, d_out32 = single(x, d_out)
    out, norms, d_x = np.full_like(x32, np.nan), np.full(len(x), np.nan, np.float32), np.full_like(x32, np.nan)
    readout.normalize_rows(x32, out, norms)
    np.testing.assert_allclose(out, out64, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(norms, norms64, rtol=1e-4, atol=1e-11)
    readout.normalize_rows_backward(d_out32, out, norms, d_x)
    np.testing.assert_allclose(
        d_x, twin.normalize_rows_backward(d_out, out64, norms64), rtol=1e-4, atol=1e-5 / max(1.0, np.sqrt(shape[1]))
    )


def test_in_place_is_the_same():
    rng = np.random.default_rng(0)
    x, d_out = single(rng.standard_normal((4, 33)), rng.standard_normal((4, 33)))
    out, norms, d_x = np.empty_like(x), np.empty(4, np.float32), np.empty_like(x)
    readout.normalize_rows(x, out, norms)
    readout.normalize_rows_backward(d_out, out, norms, d_x)
    same, d_same = x.copy(), d_out.copy()
    readout.normalize_rows(same, same, norms)
    readout.normalize_rows_backward(d_same, same, norms, d_same)
    np.testing.assert_array_equal(same, out)
    np.testing.assert_array_equal(d_same, d_x)


def test_backward_is_the_gradient():
    rng = np.random.default_rng(1)
    x, d_out = rng.standard_normal((3, 5)), rng.standard_normal((3, 5))
    d_x = twin.normalize_rows_backward(d_out, *twin.normalize_rows(x))

    def loss():
        return (d_out * twin.normalize_rows(x)[0]).sum()

    assert_gradient(loss, x, d_x)


@pytest.mark.parametrize("unit", [True, False])
@pytest.mark.parametrize(("n", "d_out", "d"), [(1, 1, 1), (7, 5, 3), (40, 33, 64), (0, 5, 3)])
def test_score_intent_matches_the_twin(n, d_out, d, unit):
    rng = np.random.default_rng(0)
    x, w, keys = rng.standard_normal(d), rng.standard_normal((d_out, d)), rng.standard_normal((n, d_out))
    z, q = np.full(n, np.nan, np.float32), np.full(d_out, np.nan, np.float32)
    readout.score_intent(*single(x, w, keys), 1.7, unit, q, z)
    np.testing.assert_allclose(z, twin.score_intent(x, w, keys, 1.7, unit), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("unit", [True, False])
@pytest.mark.parametrize(("n", "d"), [(1, 1), (7, 3), (40, 64), (0, 3)])
def test_folded_keys_score_as_the_two_products_do_where_the_map_keeps_angles(n, d, unit):
    rng = np.random.default_rng(0)
    x, keys, w = rng.standard_normal(d), rng.standard_normal((n, d)), 1.3 * np.linalg.qr(rng.standard_normal((d, d)))[0]
    z = np.full(n, np.nan, np.float32)
    readout.score_folded(*single(x, keys @ w), 1.7, 1.3, unit, z)
    np.testing.assert_allclose(z, twin.score_intent(x, w, keys, 1.7, unit), rtol=1e-4, atol=1e-5)
    readout.score_folded(np.zeros(d, np.float32), *single(keys @ w), 1.7, 1.3, unit, z)
    np.testing.assert_array_equal(z, 0.0)


@pytest.mark.parametrize(("n", "m", "d"), [(1, 1, 1), (7, 12, 3), (40, 33, 64), (700, 600, 33), (5, 0, 3)])
def test_some_rows_score_as_they_do_among_all(n, m, d):
    rng = np.random.default_rng(0)
    q, keys, rows = rng.standard_normal(d), rng.standard_normal((n, d)), rng.integers(0, n, m).astype(np.int32)
    z = np.full(m, np.nan, np.float32)
    readout.score_rows(*single(q, keys), rows, 1.7, z)
    np.testing.assert_allclose(z, 1.7 * (keys @ q)[rows], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("row", [-1, 4])
def test_a_row_that_is_none_is_refused(row):
    keys, z = np.zeros((4, 3), np.float32), np.zeros(2, np.float32)
    with pytest.raises(ValueError, match=f"row {row} of 4"):
        readout.score_rows(keys[0], keys, np.array([0, row], np.int32), 1.0, z)
    with pytest.raises(ValueError, match="score_rows: shapes"):
        readout.score_rows(keys[0, :2], keys, np.array([0, 1], np.int32), 1.0, z)


@pytest.mark.parametrize("unit", [True, False])
def test_a_zero_intent_scores_zero(unit):
    w, keys, q, z = (
        np.ones((5, 3), np.float32),
        np.ones((4, 5), np.float32),
        np.empty(5, np.float32),
        np.empty(4, np.float32),
    )
    readout.score_intent(np.zeros(3, np.float32), w, keys, 1.0, unit, q, z)
    np.testing.assert_array_equal(z, 0.0)


@pytest.mark.parametrize("bad", [np.nan, -np.nan, np.inf, -np.inf, 1.5, -1.5, np.nextafter(np.float32(1.25), np.float32(2))])
@pytest.mark.parametrize("n", [1, 16, 67])
def test_what_is_too_large_or_not_finite_is_seen_wherever_it_stands(bad, n):
    for i in range(n):
        x = np.full(n, -1.25, np.float32)
        assert readout.all_at_most(x, 1.25)
        x[i] = bad
        assert not readout.all_at_most(x, 1.25)


LARGEST = float(np.finfo(np.float32).max)


@given(
    hnp.arrays(np.float32, st.integers(0, 70), elements=st.floats(width=32)),
    st.sampled_from([0.0, 1e-45, 1.0, 1e15, LARGEST]) | st.floats(0.0, LARGEST, width=32),
)
def test_all_at_most_is_what_numpy_says(x, limit):
    assert readout.all_at_most(x, limit) == bool((np.abs(x) <= np.float32(limit)).all())


def test_nothing_is_at_most_anything_and_no_size_at_most_a_negative_one():
    assert readout.all_at_most(np.zeros(0, np.float32), 0.0)
    assert not readout.all_at_most(np.zeros(1, np.float32), -1.0)


def test_shapes_and_dtypes_that_do_not_fit_raise():
    x, w, keys = np.zeros(3, np.float32), np.zeros((3, 3), np.float32), np.zeros((4, 3), np.float32)
    q, z = np.zeros(3, np.float32), np.zeros(4, np.float32)
    with pytest.raises(ValueError, match="score_intent: shapes"):
        readout.score_intent(x, w, keys, 1.0, True, q, z[:3])
    with pytest.raises(ValueError, match="score_folded: shapes"):
        readout.score_folded(x, keys, 1.0, 1.0, True, z[:3])
    with pytest.raises(ValueError, match="contiguous"):
        readout.score_intent(x, w, np.asfortranarray(keys), 1.0, True, q, z)
    with pytest.raises(ValueError, match="dtype"):
        readout.score_intent(x.astype(float), w, keys, 1.0, True, q, z)
    with pytest.raises(ValueError, match="contiguous"):
        readout.normalize_rows(keys[:, ::2], np.zeros((4, 2), np.float32), z)
    with pytest.raises(ValueError, match="contiguous"):
        readout.all_at_most(np.zeros(6, np.float32)[::2], 1.0)
    with pytest.raises(ValueError, match="dtype"):
        readout.all_at_most(np.zeros(6), 1.0)
