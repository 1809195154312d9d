"""Propensities are exact: simulated draws fall as they say."""

import numpy as np
import pytest

from shgat.errors import InputError
from shgat.serving.exploration import WAYS, Exploration, Explorer, plackett_luce, thompson

SCORES = (0.9, 0.8, 0.75, 0.5, 0.45, 0.3)


@pytest.mark.parametrize("by", WAYS)
@pytest.mark.parametrize("places", [1, 3])
def test_draws_fall_as_their_propensities_say(by, places):
    explorer = Explorer(Exploration(share=0.5, places=places, by=by, pool=6, loss=1.0, seed=1))
    draws = [explorer.draw(SCORES, places) for _ in range(600 if by == "thompson" else 4000)]
    chances, counts = draws[0].chances, np.zeros((6, places))
    for draw in draws:
        assert len(set(draw.order)) == places
        counts[list(draw.order), range(places)] += 1
    np.testing.assert_allclose(chances.sum(axis=0), 1.0, atol=1e-9)
    z = (counts / len(draws) - chances) / np.sqrt(chances * (1.0 - chances) / len(draws))
    assert abs(z).max() < 4.5


def test_plackett_luce_is_the_product_of_its_steps():
    w = np.array([4.0, 2.0, 1.0])
    q = plackett_luce(w, 3)
    np.testing.assert_allclose(q[:, 0], w / 7.0)
    assert q[2, 1] == pytest.approx(4 / 7 * 1 / 3 + 2 / 7 * 1 / 5)
    np.testing.assert_allclose(q.sum(axis=1), 1.0)


def test_thompson_of_equal_items_is_even_and_of_certain_ones_is_sure():
    flat = np.full((4, 64), 1 / 64)
    np.testing.assert_allclose(thompson(flat, 4), 0.25, atol=1e-12)
    sure = np.zeros((3, 64))
    sure[[0, 1, 2], [60, 30, 5]] = 1.0
    np.testing.assert_allclose(thompson(sure, 3), np.eye(3), atol=1e-12)


def test_the_expected_loss_is_bounded():
    scores = (0.9, 0.88, 0.1, 0.05)
    wide, narrow = (Explorer(Exploration(share=1.0, by="epsilon", pool=4, loss=loss)) for loss in (1.0, 0.05))
    assert len(wide.draw(scores, 1).chances) == 4
    draw = narrow.draw(scores, 1)
    assert len(draw.chances) == 2
    assert 0.9 - np.array(scores[:2]) @ draw.chances[:, 0] <= 0.05
    assert Explorer(Exploration(loss=0.0)).draw((0.9, 0.5, 0.4), 1) is None


def test_nothing_is_explored_where_nothing_else_is_left():
    assert Explorer(Exploration()).draw((0.9,), 1) is None


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (True, "explore is a share of decisions"),
        ("much", "explore is a share of decisions"),
        (1.5, r"explore: share lies in"),
        ({"by": "luck"}, "explore: by is one of"),
        ({"places": 5}, r"explore: places lies in \[1, 4\], not 5"),
        ({"pool": 1}, r"explore: pool lies in \(1, 10\], not 1"),
    ],
)
def test_what_cannot_be_meant_is_refused(given, message):
    with pytest.raises(InputError, match=message):
        Exploration(**given) if isinstance(given, dict) else Exploration.of(given)


def test_none_and_zero_explore_nothing():
    assert Exploration.of(None) is Exploration.of(0) is Exploration.of(0.0) is None
    assert Exploration.of(0.05) == Exploration()
