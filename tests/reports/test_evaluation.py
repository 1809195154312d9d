"""What a report of a real model holds, and that it makes a page."""

import numpy as np
import pytest

from shgat import SHGAT
from shgat.experiments.measurement import measure, measure_cosine
from shgat.experiments.pair import compare_metrics, summarize_pair
from shgat.experiments.protocols import Recipe, run_cross_validation
from shgat.reports.evaluation import build_report, build_trials_report
from shgat.reports.html import render_report


def judged(ours, theirs):
    """(summary, tests)."""
    found = summarize_pair(ours, theirs, rng=np.random.default_rng(0))
    return found, compare_metrics(ours, theirs, found["all"], rng=np.random.default_rng(0))


@pytest.fixture(scope="module")
def found(trained):
    ours, theirs = measure(trained.model, trained.test), measure_cosine(trained.catalog, trained.test)
    return ours, build_report(trained.model, trained.test, ours, theirs, *judged(ours, theirs), about={"model": "<m>"})


def test_its_figures_are_those_it_was_given(trained):
    ours, theirs = measure(trained.model, trained.test), measure_cosine(trained.catalog, trained.test)
    summary, tests = judged(ours, theirs)
    report = build_report(trained.model, trained.test, ours, theirs, summary, tests)
    for row in report["comparison"]:
        d = summary["all"].difference[row["metric"]]
        assert (row["mean_difference"], row["ci_low"], row["ci_high"]) == (d.value, d.ci_low, d.ci_high)


def test_it_makes_a_page(found):
    page = render_report(found[1])
    for heading in ("Comparison", "Metrics by K", "Calibration", "Breakdown", "Learning curve", "Worst intents", "Notes"):
        assert f"<h2>{heading}</h2>" in page
    assert "<m>" not in page


def test_groups_count_every_intent(found):
    ours, report = found
    assert sum(row["n"] for row in report["breakdowns"]["number of tools needed"]) == 100
    parts = {row["name"]: row for row in report["breakdowns"]["part of the intents"]}
    assert parts["warm, shgat"]["n"] + parts["cold, shgat"]["n"] == parts["all, shgat"]["n"] == 100
    assert parts["all, shgat"]["metrics"]["recall@5"] == pytest.approx(np.mean(ours.metrics["recall@5"]))


def test_worst_intents_are_the_worst_and_every_missed_tool_is_explained(found, trained):
    ours, report = found
    worst = report["worst_intents"]
    assert len(worst) == 8
    texts = {str(trained.test.texts[i]): ours.criterion[i] for i in range(100)}
    values = [texts[w["intent"]] for w in worst]
    assert values == sorted(values)
    assert max(values) <= np.sort(ours.criterion)[8]
    for missed in worst:
        assert missed["why_not"]
        assert set(missed["why_not"]) <= set(missed["expected"])
        assert all(text.startswith("Rank ") for text in missed["why_not"].values())


def test_calibration_is_of_probabilities(found):
    bins = found[1]["reliability"]["shgat"]
    assert 0.0 <= bins["ece"] <= 0.2
    assert len(bins["predicted"]) == len(bins["observed"]) == 10


def test_learning_curves_are_those_of_the_chosen_variant(found, trained):
    report = trained.model.report
    tried = {e["stage"].split(", fold")[0] for e in report["epochs"]} - {"all traces"}
    assert len(tried) > 1
    for series in found[1]["learning_curve"].values():
        assert len({name.split(", fold")[0] for name in series} - {"all traces"}) == 1
    assert "all traces" in found[1]["learning_curve"]["loss"]


def test_an_untrained_model_has_a_smaller_report(trained):
    model = SHGAT.from_catalog(trained.catalog)
    ours = measure(model, trained.test)
    report = build_report(model, trained.test, ours, ours, *judged(ours, ours))
    assert not {"reliability", "learning_curve"} & set(report)
    assert render_report(report)


def test_the_report_of_a_protocol_counts_each_trial_and_all_intents_together(trained):
    traces = trained.train.take(np.arange(90))
    trials = run_cross_validation(trained.catalog, traces, Recipe(options={"epochs": 1}), k=3)
    report = build_trials_report(trials, traces, *judged(*trials.pooled()), about={"seed": "0"}, worst=2)
    assert report["title"] == "cv: shgat against cosine"
    rows = report["breakdowns"]["trial"]
    assert [row["name"] for row in rows] == [f"fold {i} of 3, {who}" for i in (1, 2, 3) for who in ("shgat", "cosine")]
    succeeded = int((traces.outcome >= 0.5).sum())
    assert sum(row["n"] for row in rows[::2]) == report["headline"]["intents"] == succeeded
    pooled = sum(row["n"] * row["metrics"]["recall@5"] for row in rows[::2]) / succeeded
    assert report["headline"]["recall@5"] == pytest.approx(pooled)
    tested = {str(traces.texts[i]) for i in trials.trials[-1].split.test}
    assert {missed["intent"] for missed in report["worst_intents"]} <= tested
    refused = [t.name for t in trials.trials if not t.report.accepted]
    assert [note.split(":")[0] for note in report["notes"] if "was refused" in note] == refused
    assert sum("count in the metrics" in note for note in report["notes"]) == (succeeded < len(traces))
    assert "<h2>Breakdown</h2>" in render_report(report)
