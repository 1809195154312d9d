"""How `shgat evaluate` shows what it found."""

from dataclasses import replace

import numpy as np
import orjson
import pytest

from shgat.cli import verdicts
from shgat.experiments.measurement import measure, measure_cosine, unseen_tools
from shgat.experiments.protocols import Trial, Trials
from shgat.metrics.splits import Split


@pytest.fixture(scope="module")
def pair(trained):
    """(ours, cosine) on the test intents of the sample."""
    return measure(trained.model, trained.test), measure_cosine(trained.catalog, trained.test, unseen=unseen_tools(trained.model))


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_a_difference_that_is_clear_has_a_mark(pair, rng, capsys):
    ours, cosine = pair
    for a, b, marks in ((ours, cosine, ["+"]), (cosine, ours, ["-"]), (ours, ours, [])):
        verdicts.show_pair(a, b, ("a", "b"), {}, None, rng, False, tested=False)
        row = next(line for line in capsys.readouterr().out.splitlines() if "Recall@5" in line)
        assert row.split("│")[5].split()[1:] == marks, row


def test_warm_and_cold_stand_apart_only_where_there_are_both(trained, pair, rng, capsys):
    ours, cosine = pair
    verdicts.show_pair(ours, cosine, ("shgat", "cosine"), {}, None, rng, False, tested=False)
    out = capsys.readouterr().out
    assert "warm (88): shgat" in out
    assert "cold (12): shgat" in out
    everyone = replace(ours, cold=None), replace(cosine, cold=None)
    verdicts.show_pair(*everyone, ("shgat", "cosine"), {}, None, rng, False, tested=False)
    out = capsys.readouterr().out
    assert "all: 100 intents" in out
    assert "warm" not in out


def trial(trained, pair, name, accepted):
    report = replace(trained.report, accepted=accepted, reason="so it is")
    return Trial(name, Split(np.arange(400), np.arange(100)), trained.model, report, *pair)


def test_a_training_that_was_refused_is_marked(trained, pair, rng, capsys):
    trials = Trials("cv", (trial(trained, pair, "fold 1 of 2", True), trial(trained, pair, "fold 2 of 2", False)))
    verdicts.show_trials(trials, *trials.pooled(), None, rng, False)
    rows = {line.split("│")[1].strip(): line for line in capsys.readouterr().out.splitlines() if line.count("│") > 8}
    assert "refused" not in rows["fold 1 of 2"]
    assert "refused" in rows["fold 2 of 2"]
    assert "0.000 (0.000)" in rows["standard deviation"]  # the two are alike
    verdicts.show_trials(trials, *trials.pooled(), None, rng, True)
    found = orjson.loads(capsys.readouterr().out)
    assert [(t["accepted"], t["n_train"], t["n_test"]) for t in found["trials"]] == [(True, 400, 100), (False, 400, 100)]
    assert found["pooled"]["all"]["n"] == 200


def test_one_trial_has_no_deviation(trained, pair, rng, capsys):
    trials = Trials("holdout", (trial(trained, pair, "holdout", True),))
    verdicts.show_trials(trials, *trials.pooled(), None, rng, False)
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
