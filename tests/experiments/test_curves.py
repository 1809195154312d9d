"""Learning curves over streams."""

import numpy as np
import pytest

from shgat.experiments.curves import METRICS, Curves, Look, Served


def look(feedbacks, **recall):
    return Look(
        feedbacks,
        {name: dict.fromkeys(METRICS, np.array([r - 0.1, r + 0.1, np.nan])) for name, r in recall.items()},
        {"at": feedbacks},
    )


def curves():
    one = [
        look(0, shgat=0.2, cosine=0.2),
        look(10, shgat=0.4, cosine=0.2, full_labels=0.5),
        look(30, shgat=0.5, cosine=0.2, full_labels=0.6),
    ]
    two = [
        look(0, shgat=0.2, cosine=0.2),
        look(10, shgat=0.4, cosine=0.2, full_labels=0.5),
        look(30, shgat=0.5, cosine=0.2, full_labels=0.8),
    ]
    served = [[Served(10, "v1", -0.02, 0.01), Served(20, "v2", -0.03, 0.03)], [Served(10, "v1", 0.0, 0.0)]]
    return Curves([one, two], served)


def test_means_leave_out_intents_that_want_nothing():
    assert curves().feedbacks == [0, 10, 30]
    assert curves().mean("shgat") == pytest.approx([0.2, 0.4, 0.5])
    assert curves().mean("full_labels", "comp@5") == pytest.approx([np.nan, 0.5, 0.7], nan_ok=True)


def test_the_share_of_the_way_is_of_the_end_or_of_the_same_intents():
    assert curves().way() == pytest.approx([0.0, 0.4, 0.6])
    assert curves().way(of_same=True) == pytest.approx([np.nan, 2 / 3, 0.6], nan_ok=True)


def test_the_area_is_that_of_trapezia():
    assert curves().area() == pytest.approx((10 * 0.3 + 20 * 0.45) / 30)
    assert Curves([[look(0, shgat=0.3)]]).area() == pytest.approx(0.3)


def test_the_worst_version_is_so_by_standard_errors():
    assert curves().worst == Served(10, "v1", -0.02, 0.01)
    assert Curves([]).worst is None


def test_json_has_no_nan():
    found = curves().to_dict()
    assert found["methods"]["full_labels"]["recall@5"] == [None, pytest.approx(0.5), pytest.approx(0.7)]
    assert found["way"]["of_same"][0] is None
    assert found["served"][0][1] == {"feedbacks": 20, "version": "v2", "gain": -0.03, "error": 0.03}
    assert found["gateway"][0] == [{"at": 0}, {"at": 10}, {"at": 30}]
