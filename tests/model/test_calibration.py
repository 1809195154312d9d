"""The rising line with bends, the fall away from the traffic, and how near an intent is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shgat import InputError
from shgat.model.calibration import CLOSEST, FALL, STRAIGHT, Calibration, fall, nearness, ramps
from shgat.model.channels import log_softmax

BENT = Calibration((0.5, 2.0, 1.0), (-4.0, -1.0), -3.0, near=0.4, spread=0.1)


def test_the_line_by_hand():
    s = np.array([[-6.0, -4.0, -2.0, -0.5]], np.float32)
    logits = np.array([-3.0 - 1.0, -3.0, -3.0 + 4.0, -3.0 + 6.0 + 0.5])
    np.testing.assert_allclose(BENT.probability(s), [1.0 / (1.0 + np.exp(-logits))], rtol=1e-5)
    np.testing.assert_allclose(STRAIGHT.probability(s), [1.0 / (1.0 + np.exp(-s[0]))], rtol=1e-5)


def test_ramps_sum_to_the_way_from_the_first_knot():
    s = np.linspace(-20.0, 0.0, 41, dtype=np.float32)[None]
    np.testing.assert_allclose(sum(ramps(s, (-7.0, -3.0, -0.5))), s + 7.0, atol=1e-6)
    np.testing.assert_array_equal(ramps(s, ())[0], s)


def test_far_from_everything_all_probabilities_fall_alike():
    s = log_softmax(np.random.default_rng(0).standard_normal((3, 9)).astype(np.float32))
    p = BENT.probability(s, np.array([0.9, 0.4, 0.2], np.float32)).astype(np.float64)
    near = BENT.probability(s).astype(np.float64)
    np.testing.assert_array_equal(p[:2], near[:2])
    np.testing.assert_allclose(np.log(p[2] / (1 - p[2])), np.log(near[2] / (1 - near[2])) - 2 * FALL, atol=1e-3)
    np.testing.assert_array_equal(
        Calibration((1.0,)).probability(s, np.full(3, -1.0, np.float32)), Calibration((1.0,)).probability(s)
    )
    np.testing.assert_allclose(fall(np.array([0.5, 0.3], np.float32), 0.4, 0.05), [0.0, 2 * FALL], rtol=1e-5)


@given(st.lists(st.floats(-50, 50, width=32), min_size=2, max_size=12), st.floats(-1, 1, width=32))
def test_the_order_within_a_row_stays(scores, near):
    z = np.array([scores], np.float32)
    p = BENT.probability(log_softmax(z), np.array([near], np.float32))[0]
    assert (np.diff(p[np.argsort(z[0], kind="stable")]) >= 0.0).all()
    assert ((p >= 0.0) & (p <= 1.0)).all()


def test_nearness_is_the_mean_of_the_three_highest():
    traces, leaders = np.array([[0.9, 0.1]], np.float32), np.array([[0.5, 0.6, -0.2]], np.float32)
    np.testing.assert_allclose(nearness(traces, leaders), [(0.9 + 0.6 + 0.5) / CLOSEST], rtol=1e-6)
    np.testing.assert_allclose(nearness(traces[:, :0], leaders[:, :2]), [0.55], rtol=1e-6)
    np.testing.assert_array_equal(nearness(traces[:, :0], leaders[:, :0]), [-1.0])


@pytest.mark.parametrize(
    "wrong",
    [{"slopes": ()}, {"slopes": (1.0, 1.0)}, {"slopes": (-1.0,)}, {"slopes": (1.0,) * 3, "knots": (-1.0, -1.0)},
     {"spread": 0.0}, {"intercept": float("nan")}, {"near": float("inf")}],
)  # fmt: skip
def test_what_is_no_calibration(wrong):
    with pytest.raises(InputError, match="calibration"):
        Calibration(**wrong)


def test_whole_numbers_are_numbers():
    shares = np.array([[-1.0, -2.0]], np.float32)
    np.testing.assert_array_equal(Calibration(intercept=0).probability(shares), Calibration(intercept=0.0).probability(shares))


def test_nearness_stays_a_cosine_where_rounding_leaves_that():
    assert nearness(np.full((1, 3), 1.0000043, np.float32), np.zeros((1, 0), np.float32)).tolist() == [1.0]
