"""An answer: pairs for a loop, JSON values for a wire."""

import orjson

from shgat import Explanation
from shgat.serving import Answer

ANSWER = Answer("d", "tools", ("a", "b"), (0.5, 0.0), "v7", "model", ("late",))


def test_it_is_pairs_best_first():
    assert list(ANSWER) == [("a", 0.5), ("b", 0.0)]
    assert len(ANSWER) == 2
    assert not list(Answer("", "tools", (), (), "catalogue", "catalogue"))


def test_scores_are_probabilities_where_they_are_calibrated():
    assert ANSWER.probabilities is None
    assert Answer("d", "tools", ("a",), (0.5,), "v7", "model", calibrated=True).probabilities == (0.5,)


def test_it_goes_through_json():
    plain = {
        "decision_id": "d",
        "kind": "tools",
        "items": [{"id": "a", "score": 0.5}, {"id": "b", "score": 0.0}],
        "model_version": "v7",
        "ranked_by": "model",
        "encoder": "",
        "calibrated": False,
        "degraded": ["late"],
        "fallback": False,
        "rules": [],
        "latency_ms": 0.0,
    }
    assert orjson.loads(orjson.dumps(ANSWER.to_dict())) == plain
    why = Explanation(0.5, (0.25,), (("c", 0.125),), 1.0, {"cosine": 10.0}, {"cosine": 0.5, "bonus": 0.0})
    full = Answer("d", "tools", ("a", "b"), (0.5, 0.0), "v7", "model", (), True, (why, None), (("x", "y"), ()))
    items = orjson.loads(orjson.dumps(full.to_dict()))["items"]
    assert [item["tools"] for item in items] == [["x", "y"], []]
    explored = Answer("d", "tools", ("a",), (0.5,), "v7", "cosine", propensities=(0.95,), rules=(("a", "pinned"),)).to_dict()
    assert (explored["items"][0]["propensity"], explored["fallback"], explored["rules"]) == (
        0.95,
        True,
        [{"id": "a", "rule": "pinned"}],
    )
    assert [item["explanation"] for item in items] == [why.to_dict() | {"head_scores": [0.25]}, None]
