"""A ranking as pairs and as JSON values."""

import numpy as np
import orjson

from shgat import Explanation, Ranking

SCORES = np.array([1.5, 0.25], np.float32)


def test_a_ranking_is_its_pairs_best_first():
    ranking = Ranking("tools", ("b", "a"), SCORES, 7)
    assert list(ranking) == [("b", 1.5), ("a", 0.25)]
    assert len(ranking) == 2


def test_as_json_it_holds_what_is_known_and_nothing_else():
    plain = Ranking("capabilities", ("b", "a"), SCORES, 7).to_dict()
    assert plain == {
        "kind": "capabilities",
        "model_version": 7,
        "items": [{"id": "b", "score": 1.5}, {"id": "a", "score": 0.25}],
    }
    why = (
        Explanation(0.5, (0.25, 0.75), (("c", 0.125),), 0.5, {"route": -2.0}, {"route": 0.5, "bonus": 0.0}),
        Explanation(0.0, ()),
    )
    full = Ranking("tools", ("b", "a"), SCORES, 7, np.array([0.75, 0.5], np.float32), why).to_dict()
    assert [item["probability"] for item in full["items"]] == [0.75, 0.5]
    assert [item["explanation"] for item in full["items"]] == [
        {
            "cosine": 0.5,
            "head_scores": [0.25, 0.75],
            "carried_by": [{"id": "c", "weight": 0.125}],
            "reliability": 0.5,
            "channels": {"route": -2.0},
            "weights": {"route": 0.5, "bonus": 0.0},
        },
        {"cosine": 0.0, "head_scores": [], "carried_by": [], "reliability": 1.0, "channels": {}, "weights": {}},
    ]
    assert orjson.loads(orjson.dumps(full)) == full
