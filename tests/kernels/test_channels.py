"""What becomes of the channels' scores, against the twins in float64."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference import channels as twin
from reference.incidence import readonly
from shgat._kernels import channels


def single(*arrays):
    return tuple(np.array(a, np.float32) for a in arrays)


SHAPES = [(1, 1), (3, 7), (1, 83), (5, 64), (2, 20_001), (0, 4), (3, 0)]


@pytest.mark.parametrize("shape", SHAPES)
def test_log_softmax(shape):
    (z,) = single(20.0 * np.random.default_rng(0).standard_normal(shape))
    if z.size > 3:
        z[0, 1] = -1e30  # what does not count
    out = np.full(shape, np.nan, np.float32)
    channels.log_softmax(readonly(z), out)
    np.testing.assert_allclose(out, twin.log_softmax(z.astype(float)) if z.size else z, rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize(("rows", "m", "n"), [(1, 1, 1), (4, 5, 9), (1, 40, 83), (3, 300, 7000), (0, 3, 4)])
def test_route(rows, m, n):
    rng = np.random.default_rng(1)
    (z,) = single(3.0 * rng.standard_normal((rows, m)))
    if m > 2:
        z[:, 1] = -1e30
    source = np.sort(rng.integers(m, size=3 * m)).astype(np.int32)
    columns = rng.integers(n, size=3 * m).astype(np.int32)
    out, p = np.full((rows, n), np.nan, np.float32), np.empty(m, np.float32)
    channels.route(readonly(z), readonly(columns), readonly(source), -1e29, 1e-4, p, out)
    np.testing.assert_allclose(
        out, twin.route(z.astype(float), columns, source, -1e29, 1e-4, n) if rows else out, rtol=1e-5, atol=2e-6
    )


def test_a_route_without_any_known_capability_has_the_floor():
    out = np.empty((1, 3), np.float32)
    z, entries = np.full((1, 2), -1e30, np.float32), np.array([0, 1], np.int32)
    channels.route(z, entries, entries, -1e29, 1e-4, np.empty(2, np.float32), out)
    np.testing.assert_allclose(out, np.log(1e-4), rtol=1e-6)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("bends", [0, 1, 3])
def test_probability(shape, bends):
    rng = np.random.default_rng(2)
    s, start = single(-10.0 * rng.random(shape), rng.standard_normal(shape[0]))
    slopes = (0.5 + rng.random(bends + 1)).astype(np.float32)
    knots = np.sort(-8.0 * rng.random(bends)).astype(np.float32)
    out = np.full(shape, np.nan, np.float32)
    channels.probability(readonly(s), slopes, knots, start, 1e-30, 1.0 - 2.0**-24, out)
    np.testing.assert_allclose(out, twin.probability(s.astype(float), slopes, knots, start, 1e-30, 1.0 - 2.0**-24), rtol=2e-5)
    same = s.copy()
    channels.probability(same, slopes, knots, start, 1e-30, 1.0 - 2.0**-24, same)
    np.testing.assert_array_equal(same, out)


def test_probabilities_stay_between_their_bounds():
    s, out = np.array([[-1e30, -200.0, 0.0, 200.0]], np.float32), np.empty((1, 4), np.float32)
    one, none = np.ones(1, np.float32), np.zeros(0, np.float32)
    channels.probability(s, one, none, np.zeros(1, np.float32), 1e-30, 1.0 - 2.0**-24, out)
    np.testing.assert_array_equal(out, np.array([[1e-30, 1e-30, 0.5, 1.0 - 2.0**-24]], np.float32))


@pytest.mark.parametrize("shape", SHAPES)
def test_add_weighted(shape):
    rng = np.random.default_rng(3)
    s, total, factor = single(rng.standard_normal(shape), rng.standard_normal(shape), rng.random(shape[1]))
    expected = total + factor.astype(float) * s
    channels.add_weighted(readonly(factor), readonly(s), total)
    np.testing.assert_allclose(total, expected, rtol=1e-5, atol=1e-6)


@given(st.integers(0, 3), st.integers(0, 20), st.integers(1, 9), st.integers(1, 5), st.integers(0, 99))
@settings(max_examples=100)
def test_tally(rows, entries, m, n, seed):
    rng = np.random.default_rng(seed)
    alike = rng.random((rows, m)).astype(np.float32)
    trace, place = rng.integers(m, size=entries), rng.integers(n, size=entries)
    count, good = rng.random(entries), rng.random(entries)
    worked, total = np.zeros((rows, n)), np.zeros((rows, n))
    channels.tally(readonly(alike), trace, place, count, good, worked, total)
    for found, expected in zip((worked, total), twin.tally(alike.astype(float), trace, place, count, good, n), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


@given(st.integers(0, 3), st.integers(0, 6), st.integers(0, 6), st.integers(1, 4), st.integers(0, 99))
@settings(max_examples=100)
def test_mean_of_highest(rows, p, q, k, seed):
    rng = np.random.default_rng(seed)
    x, y = rng.integers(-3, 4, (rows, p)).astype(np.float32), rng.random((rows, q)).astype(np.float32)
    out = np.full(rows, np.nan, np.float32)
    if k > p + q:
        with pytest.raises(ValueError, match="shapes do not fit"):
            channels.mean_of_highest(x, y, np.empty(k, np.float32), out)
        return
    channels.mean_of_highest(readonly(x), readonly(y), np.empty(k, np.float32), out)
    np.testing.assert_allclose(out, twin.mean_of_highest(x.astype(float), y.astype(float), k), rtol=1e-5, atol=1e-6)


def test_shapes_that_do_not_fit_raise():
    z, row, wide = np.zeros((2, 3), np.float32), np.zeros(3, np.float32), np.zeros((2, 4), np.float32)
    entries = np.zeros(2, np.int32)
    for call in (
        lambda: channels.log_softmax(z, wide),
        lambda: channels.route(z, entries, entries[:1], 0.0, 1e-4, row, wide),
        lambda: channels.route(z, entries, entries, 0.0, 1e-4, row[:2], wide),
        lambda: channels.add_weighted(row, z, wide),
        lambda: channels.probability(z, row, row, np.zeros(2, np.float32), 0.0, 1.0, z),
        lambda: channels.tally(z, np.zeros(2, int), np.zeros(1, int), np.zeros(2), np.zeros(2), np.zeros((2, 3)), np.zeros((2, 3))),
        lambda: channels.mean_of_highest(z, z[:1], row, np.zeros(2, np.float32)),
    ):
        with pytest.raises(ValueError, match="shapes do not fit"):
            call()
    with pytest.raises(ValueError, match="dtype"):
        channels.log_softmax(z.astype(float), z)
