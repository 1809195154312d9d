"""An answer: pairs for a loop, JSON values for a wire."""

import orjson

from shgat.serving import Answer

ANSWER = Answer("d", "tools", ("a", "b"), (2.5, 0.0), "v7", "model", ("late",))


def test_it_is_pairs_best_first():
    assert list(ANSWER) == [("a", 2.5), ("b", 0.0)]
    assert len(ANSWER) == 2
    assert not list(Answer("", "tools", (), (), "catalogue", "catalogue"))


def test_it_goes_through_json():
    assert orjson.loads(orjson.dumps(ANSWER.to_dict())) == {
        "decision_id": "d",
        "kind": "tools",
        "items": [{"id": "a", "score": 2.5}, {"id": "b", "score": 0.0}],
        "model_version": "v7",
        "ranked_by": "model",
        "degraded": ["late"],
    }
