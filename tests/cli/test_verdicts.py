"""How `shgat evaluate` shows what it found."""

from dataclasses import replace

import numpy as np
import orjson
import pytest

from shgat.cli import verdicts
from shgat.experiments.measurement import measure, measure_cosine, unseen_tools
from shgat.experiments.pair import summarize_pair
from shgat.experiments.protocols import Trial, Trials
from shgat.metrics.splits import Split


@pytest.fixture(scope="module")
def pair(trained):
    """(ours, cosine) on the test intents of the sample."""
    return measure(trained.model, trained.test), measure_cosine(trained.catalog, trained.test, unseen=unseen_tools(trained.model))


def summarized(a, b):
    return summarize_pair(a, b, rng=np.random.default_rng(0))


def test_a_difference_that_is_clear_has_a_mark(trained, pair, capsys):
    ours, cosine = pair
    for a, b, marks in ((ours, cosine, ["+"]), (cosine, ours, ["-"]), (ours, ours, [])):
        verdicts.show_pair(summarized(a, b), [], ("a", "b"), {}, None, trained.test, False)
        row = next(line for line in capsys.readouterr().out.splitlines() if "Recall@5" in line)
        assert row.split("│")[5].split()[1:] == marks, row


def test_warm_and_cold_stand_apart_only_where_there_are_both(trained, pair, capsys):
    ours, cosine = pair
    verdicts.show_pair(summarized(ours, cosine), [], ("shgat", "cosine"), {}, None, trained.test, False)
    out = capsys.readouterr().out
    assert "warm: 88 intents" in out
    assert "cold: 12 intents" in out
    everyone = replace(ours, cold=None), replace(cosine, cold=None)
    verdicts.show_pair(summarized(*everyone), [], ("shgat", "cosine"), {}, None, trained.test, False)
    out = capsys.readouterr().out
    assert "all: 100 intents" in out
    assert "warm" not in out


def test_traces_that_no_metric_counts_are_told(trained, pair, capsys):
    traces = replace(trained.test, outcome=np.where(np.arange(100) < 3, 0.0, trained.test.outcome).astype(np.float32))
    counted = int((traces.relevant.degrees > 0).sum())
    assert counted < 100
    for as_json in (False, True):
        verdicts.show_pair(summarized(*pair), [], ("shgat", "cosine"), {}, None, traces, as_json)
        told = capsys.readouterr()
        assert f"{counted} of 100 traces count in the metrics: " in (told.out if as_json else told.err)


def trial(trained, pair, name, accepted):
    report = replace(trained.report, accepted=accepted, reason="so it is")
    return Trial(name, Split(np.arange(400), np.arange(100)), trained.model, report, *pair)


def test_a_training_that_was_refused_is_marked(trained, pair, capsys):
    trials = Trials("cv", (trial(trained, pair, "fold 1 of 2", True), trial(trained, pair, "fold 2 of 2", False)))
    verdicts.show_trials(trials, summarized(*trials.pooled()), None, trained.test, False)
    rows = {line.split("│")[1].strip(): line for line in capsys.readouterr().out.splitlines() if line.count("│") > 8}
    assert "refused" not in rows["fold 1 of 2"]
    assert "refused" in rows["fold 2 of 2"]
    assert "0.000 (0.000)" in rows["standard deviation"]  # the two are alike
    verdicts.show_trials(trials, summarized(*trials.pooled()), None, trained.test, True)
    found = orjson.loads(capsys.readouterr().out)
    assert [(t["accepted"], t["n_train"], t["n_test"]) for t in found["trials"]] == [(True, 400, 100), (False, 400, 100)]
    assert [t["n_counted"] for t in found["trials"]] == [100, 100]
    assert found["pooled"]["all"]["n"] == 200


def test_one_trial_has_no_deviation(trained, pair, capsys):
    trials = Trials("holdout", (trial(trained, pair, "holdout", True),))
    verdicts.show_trials(trials, summarized(*trials.pooled()), None, trained.test, False)
    assert "standard deviation" not in capsys.readouterr().out


def test_an_experiment_that_has_just_begun_is_shown(tmp_path, capsys):
    log = tmp_path / "ab.jsonl"
    log.write_bytes(orjson.dumps({"id": "a", "treated": True, "success": 1, "error": 0, "fallback": 0, "latency": 0.01}))
    assert verdicts.show_experiment(log, True) == 0
    found = orjson.loads(capsys.readouterr().out)
    assert (found["control"], found["treated"], found["decision"]) == (0, 1, "continue")
    assert found["guardrails"][-1]["ci_high"] is None  # infinity
    assert verdicts.show_experiment(log, False) == 0
    assert "continue: not known yet" in capsys.readouterr().out


def test_guardrails_without_figures_are_named_with_the_remedy(tmp_path, capsys):
    log = tmp_path / "ab.jsonl"
    log.write_bytes(
        b"\n".join(orjson.dumps({"id": f"{i}", "treated": i % 2 == 0, "success": 1, "latency": 0.01}) for i in range(9))
    )
    assert verdicts.show_experiment(log, False) == 0
    told = capsys.readouterr()
    assert "p99 latency ratio" in told.out
    assert "not watched: error rate, fallback rate, as the log has no error or fallback; log it in every line" in told.err
    assert verdicts.show_experiment(log, True) == 0
    assert orjson.loads(capsys.readouterr().out)["unwatched"] == ["error rate", "fallback rate"]
