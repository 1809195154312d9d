import numpy as np
import pytest

from shgat.errors import InputError
from shgat.progressive.blend import Blend, Case

NAMES = ("good", "noise", "wrong")


def cases(n, seed=0):
    """`good` says which column is right, `wrong` the opposite."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(n):
        x = rng.normal(size=12)
        right = rng.choice(12, p=np.exp(2 * x) / np.exp(2 * x).sum())
        found.append(Case(np.stack([x, rng.normal(size=12), -x]).astype(np.float32), np.array([right])))
    return found


def test_weights_are_those_that_the_answers_were_drawn_with():
    blend = Blend.fitted(NAMES, cases(500))
    assert blend.weights["good"] == pytest.approx(2.0, abs=0.4)
    assert blend.weights["noise"] == pytest.approx(0.0, abs=0.2)
    assert blend.weights["wrong"] == 0.0


def test_few_cases_stay_near_where_they_begin():
    start = Blend({"good": 0.5, "noise": 0.5})
    few, many = (Blend.fitted(NAMES, cases(n, 1), ("good", "noise"), start) for n in (3, 200))
    assert abs(few.weights["good"] - 0.5) < abs(many.weights["good"] - 0.5)
    assert set(few.weights) == {"good", "noise"}
    assert Blend.fitted(NAMES, [], NAMES, start).weights == {"good": 0.5, "noise": 0.5, "wrong": 0.0}


def test_logits_are_weighted_and_unknown_rankings_have_no_weight():
    features = np.arange(6, dtype=np.float32).reshape(3, 2)
    assert Blend({"good": 2.0}).logits(NAMES, features).tolist() == [0.0, 2.0]


def test_a_case_of_other_features_is_refused():
    with pytest.raises(InputError, match="3 that are named"):
        Blend.fitted(NAMES, [Case(np.zeros((2, 4), np.float32), np.array([0]))])
