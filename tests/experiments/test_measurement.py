"""Measuring a model: the ranks are those that `rank` gives, and blocks change nothing."""

from dataclasses import replace

import numpy as np
import pytest

from shgat import SHGAT
from shgat.errors import InputError
from shgat.experiments.measurement import Measurement, measure, measure_cosine
from shgat.experiments.pair import compare, gate, summarize_pair
from shgat.graph import Incidence


def test_ranks_are_those_of_rank(trained):
    found = measure(trained.model, trained.test)
    n = len(trained.catalog.tools)
    for row in (0, 17, 63, 99):
        x, text = trained.test.vectors(np.array([row]))[0], trained.test.texts[row]
        context = [trained.catalog.tools[t].id for t in trained.test.context.row(row)]
        order = trained.model.rank(x, n, text=text, context_tools=context).ids
        expected = [1 + order.index(trained.catalog.tools[t].id) for t in trained.test.tools.row(row)]
        assert found.ranks[found.relevance.indptr[row] : found.relevance.indptr[row + 1]].tolist() == expected


def test_blocks_change_nothing(trained):
    whole, blocked = (measure(trained.model, trained.test, block=block) for block in (512, 7))
    assert np.array_equal(whole.ranks, blocked.ranks)


def test_context_is_that_of_each_intent(trained):
    """With a trained context map, the intent's own context tools count and nobody else's."""
    model = SHGAT.load(trained.path)
    d = model.dimension
    model.params["w_context"][:] = np.eye(d, dtype=np.float32)
    model.invalidate()
    with_context = trained.test.context.degrees > 0
    assert with_context.any()
    assert not with_context.all()
    context = Incidence.from_rows([] for _ in range(len(trained.test)))
    mixed, bare = (measure(model, t) for t in (trained.test, replace(trained.test, context=context)))
    changed = mixed.metrics["mrr"] != bare.metrics["mrr"]
    assert changed.any()
    assert not changed[~with_context].any()


def test_failed_traces_need_nothing(trained):
    found = measure(trained.model, trained.train)
    failed = trained.train.outcome < 0.5
    assert failed.any()
    assert np.isnan(found.metrics["mrr"][failed]).all()
    assert int(found.parts["all"].sum()) == int((~failed).sum())
    with pytest.raises(InputError, match="none of the 38 traces succeeded"):
        measure(trained.model, trained.train.take(np.flatnonzero(failed)))


def test_cold_intents_need_a_tool_without_traces(trained):
    found = measure(trained.model, trained.test)
    assert {part: int(rows.sum()) for part, rows in found.parts.items()} == {"all": 100, "warm": 88, "cold": 12}
    assert set(measure(SHGAT.from_catalog(trained.catalog), trained.test).parts) == {"all"}


def test_an_untrained_model_ranks_as_cosine_does(trained):
    untrained = measure(SHGAT.from_catalog(trained.catalog), trained.test)
    assert np.array_equal(untrained.ranks, measure_cosine(trained.catalog, trained.test).ranks)


def test_pooled_is_the_same_as_at_once(trained):
    parts = [measure(trained.model, trained.test.take(rows)) for rows in np.array_split(np.arange(100), 3)]
    pooled, whole = Measurement.pooled(parts), measure(trained.model, trained.test)
    assert np.array_equal(pooled.ranks, whole.ranks)
    assert np.array_equal(pooled.cold, whole.cold)
    assert np.array_equal(pooled.metrics["ndcg@5"], whole.metrics["ndcg@5"])


def test_the_summary_holds_means_intervals_and_differences(trained):
    ours, theirs = measure(trained.model, trained.test), measure_cosine(trained.catalog, trained.test)
    found = summarize_pair(ours, theirs, rng=np.random.default_rng(0))
    assert found == summarize_pair(ours, theirs, rng=np.random.default_rng(0))
    for summary in found.values():
        for metric, d in summary.difference.items():
            assert d.value == pytest.approx(summary.a[metric].value - summary.b[metric].value)
            assert d.ci_low <= d.value <= d.ci_high
    assert found["all"].a["recall@5"].value == pytest.approx(np.mean(ours.metrics["recall@5"]))
    tests = compare(ours, theirs, rng=np.random.default_rng(0), metrics=("hit@1", "criterion"))
    assert [t.metric for t in tests] == ["hit@1", "criterion"]
    assert all(t.p_bootstrap < 0.01 and t.p_permutation < 0.01 for t in tests)
    with pytest.raises(InputError, match="no metric 'hit@2'"):
        compare(ours, theirs, rng=np.random.default_rng(0), metrics=("hit@2",))


def test_the_gate_opens_for_what_is_better_alone(trained):
    ours, theirs = measure(trained.model, trained.test), measure_cosine(trained.catalog, trained.test)
    assert gate(ours, theirs, rng=np.random.default_rng(0)).passed
    assert gate(theirs, ours, rng=np.random.default_rng(0)).reason.startswith("not better than the baseline")
    same = gate(ours, ours, rng=np.random.default_rng(0), name_b="itself")
    assert not same.passed
    assert "not better than itself" in same.reason


def test_the_gate_stays_shut_where_a_part_got_worse(trained):
    theirs = measure_cosine(trained.catalog, trained.test, unseen=np.zeros(83, bool))
    cold = np.arange(100) >= 80
    worse = {name: np.where(cold, 0.0, 1.0) for name in theirs.metrics}
    ours, theirs = (
        replace(theirs, metrics=worse, cold=cold),
        replace(theirs, cold=cold, metrics={n: np.full(100, 0.5) for n in worse}),
    )
    assert gate(ours, theirs, rng=np.random.default_rng(0)).reason.startswith("worse than the baseline")


def test_other_traces_cannot_be_compared(trained):
    ours, theirs = measure(trained.model, trained.test), measure(trained.model, trained.test.take(np.arange(50)))
    with pytest.raises(InputError, match="the same traces"):
        summarize_pair(ours, theirs, rng=np.random.default_rng(0))
