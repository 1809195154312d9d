"""Two rankers on the same intents: the figures, and the gate between them."""

from dataclasses import replace

import numpy as np
import pytest

from shgat.errors import InputError
from shgat.experiments.measurement import measure, measure_cosine
from shgat.experiments.pair import compare_metrics, gate, summarize_pair


def test_the_summary_holds_means_intervals_and_differences(trained):
    ours, theirs = measure(trained.model, trained.test), measure_cosine(trained.catalog, trained.test)
    found = summarize_pair(ours, theirs, rng=np.random.default_rng(0))
    assert found == summarize_pair(ours, theirs, rng=np.random.default_rng(0))
    for summary in found.values():
        for metric, d in summary.difference.items():
            assert d.value == pytest.approx(summary.a[metric].value - summary.b[metric].value)
            assert d.ci_low <= d.value <= d.ci_high
    assert found["all"].a["recall@5"].value == pytest.approx(np.mean(ours.metrics["recall@5"]))


def test_the_tests_repeat_the_figures_of_the_summary(trained):
    ours, theirs = measure(trained.model, trained.test), measure_cosine(trained.catalog, trained.test)
    summary = summarize_pair(ours, theirs, rng=np.random.default_rng(0))["all"]
    tests = compare_metrics(ours, theirs, summary, rng=np.random.default_rng(7))
    assert [t.metric for t in tests] == list(summary.difference)
    for t in tests:
        d = summary.difference[t.metric]
        assert (t.a, t.b) == (summary.a[t.metric].value, summary.b[t.metric].value)
        assert (t.mean_difference, t.ci_low, t.ci_high) == (d.value, d.ci_low, d.ci_high)
    assert all(t.p_bootstrap < 0.01 and t.p_permutation < 0.01 for t in tests if t.metric in ("hit@1", "criterion"))


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


def test_the_gate_asks_for_more_than_the_intervals_of_the_table(trained):
    theirs = measure_cosine(trained.catalog, trained.test)
    even = np.where(np.arange(100) % 2 == 0, 1.0, -1.0)
    ours = dict.fromkeys(theirs.metrics, 0.5 + 0.1 * even + 0.0215)  # the mean lies 2.15 standard errors above
    ours, theirs = replace(theirs, metrics=ours), replace(theirs, metrics={name: np.full(100, 0.5) for name in ours})
    assert summarize_pair(ours, theirs, rng=np.random.default_rng(0))["all"].difference["criterion"].ci_low > 0.0
    assert not gate(ours, theirs, rng=np.random.default_rng(0)).passed
    surer = replace(ours, metrics={name: values + 0.01 for name, values in ours.metrics.items()})
    assert gate(surer, theirs, rng=np.random.default_rng(0)).passed


def test_other_traces_cannot_be_compared(trained):
    ours, theirs = measure(trained.model, trained.test), measure(trained.model, trained.test.take(np.arange(50)))
    summary = summarize_pair(ours, ours, rng=np.random.default_rng(0))["all"]
    with pytest.raises(InputError, match="the same traces"):
        compare_metrics(ours, theirs, summary, rng=np.random.default_rng(0))
    for figures in (summarize_pair, gate):
        with pytest.raises(InputError, match="the same traces"):
            figures(ours, theirs, rng=np.random.default_rng(0))
