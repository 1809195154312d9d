"""How traces are held out, and what is scored on them."""

import dataclasses

import numpy as np
import pytest

from shgat import SHGAT, Traces
from shgat.training import Examples
from shgat.training.validation import Folds, Score, criterion, popularity, relevance, unseen_tools
from training import planted


def some_traces(n, n_tools=30, seed=0):
    of, records, _ = planted.rotated(np.random.default_rng(seed), n_tools=n_tools, n_traces=n, d=8)
    return Traces.from_records(records, of)


@pytest.mark.parametrize(("n", "k"), [(16, 5), (499, 5), (500, 3), (2999, 3), (3000, 1)])
def test_folds_do_not_overlap_and_hold_everything_out_once(n, k):
    traces = some_traces(n)
    folds = Folds().split(traces, 30, np.random.default_rng(0))
    assert len(folds) == k
    for training, held in folds:
        assert not np.intersect1d(training, held).size
        assert len(np.unique(training)) == len(training)
        assert len(np.unique(held)) == len(held)
        assert len(training) > n / 2
    everything = np.concatenate([held for _, held in folds])
    assert len(np.unique(everything)) == (n if k > 1 else len(everything))
    assert k > 1 or 1000 <= len(everything) <= 1100


@pytest.mark.parametrize("n", [100, 600, 4000])
def test_some_held_out_traces_need_a_tool_that_no_training_trace_has(n):
    traces = some_traces(n)
    for training, held in Folds().split(traces, 30, np.random.default_rng(1)):
        unseen = unseen_tools(traces.tools, training, 30)
        cold = [unseen[traces.tools.row(i)].any() for i in held]
        assert 1 <= unseen.sum() <= 3
        assert 0.02 <= np.mean(cold) <= 0.5
        for t in np.flatnonzero(unseen):
            assert not any(t in traces.tools.row(i) for i in training)


def test_with_time_stamps_the_latest_part_is_held_out():
    traces = some_traces(300)
    rng = np.random.default_rng(2)
    moments = rng.permutation(300).astype(float)
    timed = dataclasses.replace(traces, timestamp=moments)
    ((training, held),) = Folds(cold_share=0.0).split(timed, 30, rng)
    assert len(held) == 60
    assert moments[training].max() < moments[held].min()
    ((training, held),) = Folds().split(timed, 30, rng)
    late = held[moments[held] >= 240]
    assert len(late) == 60
    unseen = unseen_tools(timed.tools, training, 30)
    assert all(unseen[timed.tools.row(i)].any() for i in np.setdiff1d(held, late))  # earlier ones are there as cold ones only
    moments[7] = np.nan
    assert len(Folds().split(dataclasses.replace(traces, timestamp=moments), 30, rng)) == 5
    same = dataclasses.replace(traces, timestamp=np.zeros(300))
    assert len(Folds().split(same, 30, rng)) == 5


def test_the_same_generator_gives_the_same_folds():
    traces = some_traces(200)
    a, b = (Folds().split(traces, 30, np.random.default_rng(5)) for _ in range(2))
    for (t, h), (u, i) in zip(a, b, strict=True):
        np.testing.assert_array_equal(t, u)
        np.testing.assert_array_equal(h, i)


def test_a_failed_trace_has_nothing_relevant():
    of, records, _ = planted.rotated(np.random.default_rng(0), n_traces=4)
    for r, outcome in zip(records, (1.0, 0.0, 0.4, 0.5), strict=True):
        r["outcome"] = outcome
    wanted = relevance(Traces.from_records(records, of))
    assert wanted.sizes.tolist() == [1, 0, 0, 1]


def test_popularity_counts_training_traces_only():
    traces = some_traces(60)
    scores = popularity(traces, np.arange(40), np.arange(40, 60), 30)
    expected = np.bincount([t for i in range(40) for t in traces.tools.row(i)], minlength=30)
    assert scores.shape == (20, 30)
    np.testing.assert_array_equal(scores, np.tile(expected, (20, 1)))


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


def test_an_untrained_model_validates_as_cosine():
    from shgat.metrics.ranking import per_query
    from shgat.model.channels import Channels
    from shgat.traces.columns import remembered
    from shgat.training import Objective
    from shgat.training.validation import Held, logits

    of, records, _ = planted.rotated(np.random.default_rng(0), rotation=np.eye(16), noise=0.8)
    model, traces = SHGAT.from_catalog(of), Traces.from_records(records, of)
    rows = np.arange(100)
    part = traces.take(rows)
    held = Held(part, rows, np.zeros(100, bool), np.zeros(30, bool), Channels.build(of, remembered(traces, np.arange(100, 300))))
    objective, unknown = Objective(of, None, model.config), np.zeros(15, bool)
    z, _ = logits(objective, model.params, unknown, part)
    cosine = part.vectors(rows) @ of.tool_embeddings.T
    np.testing.assert_allclose(z, 20.0 * cosine, atol=1e-4)
    plain = np.nanmean(criterion(per_query(np.ascontiguousarray(cosine), relevance(part))))
    assert held.score(objective, model.params, unknown).value >= plain - 1e-9
    assert Examples.build(of, traces).capabilities.unknown(np.ones(300, bool)).sum() == 0
