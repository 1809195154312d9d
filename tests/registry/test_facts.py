"""The facts about a version are its model's, and differences are named."""

import json

from registry.conftest import model
from shgat.registry import facts_of
from shgat.registry.facts import difference


def test_an_untrained_model_has_no_figures():
    made = model(0)
    facts = facts_of(made, 12.5)
    assert facts == {
        "trained_at": 12.5, "parent": None, "config": made.config.to_dict(), "catalog": made.catalog.fingerprint, "encoder": "",
        "metrics": {},
    }  # fmt: skip


def test_a_trained_one_has_those_of_its_report(trained):
    facts = facts_of(trained.model, 12.5, parent=4)
    metrics, report = facts["metrics"], trained.report
    assert (facts["parent"], metrics["accepted"], metrics["n_traces"]) == (4, True, report.n_traces)
    assert metrics["validation"].keys() == report.validation.keys()
    assert len(metrics["comparisons"]) == len(report.comparisons)
    assert not {"epochs", "losses", "td_errors"} & metrics.keys()
    assert len(json.dumps(facts, allow_nan=False)) < 50_000


def test_differences_are_named_by_their_path():
    a = {"same": 1, "config": {"d": 8, "x": [1]}, "gone": None, "old": 1}
    b = {"same": 1, "config": {"d": 16, "x": [1, 2]}, "new": {"y": 2}}
    assert difference(a, b) == {"config.d": (8, 16), "config.x": ([1], [1, 2]), "old": (1, None), "new": (None, {"y": 2})}
    assert difference(a, a) == {}
