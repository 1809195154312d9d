"""Traces of one set of tools that are a great part of all: left out where the others pay for them, and only there."""

import numpy as np
import pytest

from shgat import Traces, TrainingConfig
from shgat.training.dominance import alike, dominated, without
from training import planted

QUICK = TrainingConfig(epochs=10, batch_size=64, lr=1.5e-2)


def flood(records, n):
    """Others' intents again, all of which name t0."""
    return [{**records[i % len(records)], "id": f"flood{i}", "tools": ["t0"]} for i in range(n)]


def habit(of, rotation, n):
    """Intents of their own, which t0 is right for."""
    rng = np.random.default_rng(7)
    x = planted.unit(of.tool_embeddings[0] @ rotation.T + 0.03 * rng.standard_normal((n, len(rotation))))
    return [{**planted.record(i, row, [0]), "id": f"habit{i}"} for i, row in enumerate(x)]


def test_a_set_of_tools_dominates_with_more_than_a_quarter():
    of, _, _ = planted.rotated(np.random.default_rng(0), n_traces=1)
    rows = [[0, 1]] * 5 + [[1, 0]] + [[0]] * 5 + [[i] for i in range(2, 13)]
    traces = Traces.from_records([planted.record(i, np.ones(16), row) for i, row in enumerate(rows)], of)
    assert alike(traces).tolist() == [6] * 6 + [5] * 5 + [1] * 11
    assert np.flatnonzero(dominated(traces)).tolist() == list(range(6))


def test_folds_without_some_traces_keep_the_order_of_the_others():
    folds = [(np.array([4, 0, 2]), np.array([3, 1])), (np.array([1, 3]), np.array([2, 0, 4]))]
    left = without(folds, np.array([False, True, False, False, True]))
    assert [(training.tolist(), held.tolist()) for training, held in left] == [([0, 2], [3]), ([3], [2, 0])]


@pytest.mark.parametrize("what", ["flood", "habit"])
def test_what_dominates_is_left_out_where_the_others_pay_for_it(what):
    of, records, rotation = planted.rotated(np.random.default_rng(0))
    _, fresh, _ = planted.rotated(np.random.default_rng(9), n_traces=90, of=of, rotation=rotation)
    more = flood(records, 200) if what == "flood" else habit(of, rotation, 200)
    model, _, _ = planted.planted_model()
    report = model.fit(Traces.from_records(records + more, of), config=QUICK)
    assert report.accepted, report.reason
    assert planted.hit_at_1(model, Traces.from_records(fresh, of)) >= 0.95
    kept = {key for key in model.learned.memory.ids if key.startswith(what)}
    own = {r["id"] for r in records if r["tools"] == ["t0"]}
    if what == "flood":
        assert "210 traces of one set of tools are left out" in report.reason
        assert not kept
        assert not own & set(model.learned.memory.ids)
    else:
        assert "left out" not in report.reason
        assert len(kept) == 200


def test_where_hardly_anything_else_is_left_nothing_is_left_out():
    of, records, rotation = planted.rotated(np.random.default_rng(0))
    others = [r for r in records if r["tools"] != ["t0"]][:15]
    model, _, _ = planted.planted_model()
    report = model.fit(Traces.from_records(others + habit(of, rotation, 60), of), config=QUICK, force=True)
    assert "left out" not in report.reason
    assert len(model.learned.memory.ids) == 75
