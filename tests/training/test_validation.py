"""What held-out traces say of a model: over the whole catalogue, part by part, and beyond noise."""

import numpy as np
import pytest

from shgat import SHGAT, Traces
from shgat.graph import Incidence
from shgat.metrics.ranking import criterion, per_query
from shgat.model.channels import Channels
from shgat.model.memory import Memory
from shgat.training import Objective
from shgat.training.validation import Held, Score, by_part, cold_share, logits, popularity, unseen_tools
from training import planted


def scored(records, of, held_out):
    """(model, held-out part, objective) of an untrained model; the rows from `held_out` on are training."""
    model, traces, rows = SHGAT.from_catalog(of), Traces.from_records(records, of), np.arange(held_out)
    channels = Channels.build(of, Memory.of(traces, np.arange(held_out, len(traces))))
    unseen = unseen_tools(traces.tools, np.arange(held_out, len(traces)), len(of.tools))
    part = traces.take(rows)
    return model, Held(part, rows, part.tools.touching(unseen), unseen, channels), Objective(of, None, model.config)


def test_an_untrained_model_validates_as_cosine():
    of, records, _ = planted.rotated(np.random.default_rng(0), rotation=np.eye(16), noise=0.8)
    model, held, objective = scored(records, of, 100)
    unknown = np.zeros(15, bool)
    z, _ = logits(objective, model.params, unknown, held.traces)
    cosine = held.traces.vectors(held.rows) @ of.tool_embeddings.T
    np.testing.assert_allclose(z, 20.0 * cosine, atol=1e-4)
    plain = np.nanmean(criterion(per_query(np.ascontiguousarray(cosine), held.traces.relevant)))
    assert held.score(objective, model.params, unknown).value >= plain - 1e-9


def test_an_unknown_capability_has_no_logit_and_moves_no_other():
    of, records, _ = planted.rotated(np.random.default_rng(0))
    model, held, objective = scored(records, of, 20)
    unknown = np.arange(15) % 4 == 0
    (tools, known), (same_tools, hidden) = (
        logits(objective, model.params, hide, held.traces) for hide in (np.zeros(15, bool), unknown)
    )
    assert (hidden[:, unknown] == np.float32(-1e30)).all()
    np.testing.assert_allclose(hidden[:, ~unknown], known[:, ~unknown], rtol=1e-5)
    np.testing.assert_allclose(same_tools, tools, rtol=1e-5)


def test_a_failed_trace_has_no_say():
    of, records, _ = planted.rotated(np.random.default_rng(0), n_traces=40)
    for record, outcome in zip(records, (1.0, 0.0, 0.4, 0.5), strict=False):
        record["outcome"] = outcome
    model, held, objective = scored(records, of, 4)
    score = held.score(objective, model.params, np.zeros(15, bool))
    assert np.isnan(score.rows).tolist() == [False, True, True, False]
    assert score.metrics["all"]["n"] == 2


def test_metrics_come_by_part_and_a_part_without_intents_is_left_out():
    metrics = {"mrr": np.array([1.0, 0.5, np.nan, 0.25]), "hit@1": np.array([1.0, 0.0, np.nan, 0.0])}
    found = by_part(metrics, np.array([False, False, True, True]))
    assert found["all"] == {"mrr": pytest.approx(1.75 / 3), "hit@1": pytest.approx(1 / 3), "n": 3}
    assert found["warm"] == {"mrr": 0.75, "hit@1": 0.5, "n": 2}
    assert found["cold"] == {"mrr": 0.25, "hit@1": 0.0, "n": 1}
    assert by_part(metrics, np.array([False, False, True, False])).keys() == {"all", "warm"}
    assert by_part({"mrr": np.full(2, np.nan)}, np.zeros(2, bool)) == {}


def test_popularity_counts_training_traces_only():
    of, records, _ = planted.rotated(np.random.default_rng(0), n_traces=60, d=8)
    traces = Traces.from_records(records, of)
    scores = popularity(traces, np.arange(40), np.arange(40, 60), 30)
    expected = np.bincount([t for i in range(40) for t in traces.tools.row(i)], minlength=30)
    assert scores.shape == (20, 30)
    np.testing.assert_array_equal(scores, np.tile(expected, (20, 1)))
    np.testing.assert_array_equal(unseen_tools(traces.tools, np.arange(40), 30), expected == 0)


def test_the_share_of_cold_intents_is_estimated_from_tools_seen_once():
    tools = Incidence.from_rows([[0], [0, 1], [2], [0], [3, 3 + 1]])
    assert cold_share(tools, 6) == 0.6
    assert cold_share(Incidence.from_rows([[0], [0]]), 6) == 0.0
    assert cold_share(Incidence.from_rows([]), 6) == 0.0


def test_worse_means_beyond_the_standard_error():
    rows = np.array([0.5, 0.6, np.nan, 0.7, 0.4])
    best = Score(rows, {}, 0.5)
    assert Score(rows - 0.1, {}, 0.5).worse_than(best)
    assert not Score(rows + 0.1, {}, 0.5).worse_than(best)
    assert not Score(rows, {}, 0.5).worse_than(best)
    assert not Score(rows + np.array([0.3, -0.31, 0, 0.3, -0.3]), {}, 0.5).worse_than(best)
    nothing = Score(np.full(3, np.nan), {}, float("nan"))
    assert not nothing.worse_than(nothing)
    assert np.isnan(nothing.value)
    assert best.value == pytest.approx(0.55)
