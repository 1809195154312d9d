import math

import pytest

from shgat.progressive.figures import Tally, breaches
from shgat.progressive.forecasts import Book

from .test_recommendations import history


@pytest.fixture(scope="module")
def figures(tmp_path_factory):
    tally = Tally(Book(tmp_path_factory.mktemp("figures") / "f.jsonl"))
    tally.add(history(150), "l", latest=False)
    assert tally.repositories == 0
    tally.add(history(400), "l")
    return tally.figures()


def test_only_the_latest_history_of_a_lineage_counts_and_it_resolves_what_the_earlier_one_forecast(figures):
    assert figures["repositories"] == 1
    assert figures["commits"] == 400
    assert figures["book"].get("hit", 0) + figures["book"].get("miss", 0) > 5
    assert figures["book"]["open"] > 0


def test_shares_are_of_what_they_say(figures):
    labels = figures["labels"]
    assert figures["pattern_density"] == pytest.approx(1 - labels["other"] / 400)
    assert figures["entropy"] == pytest.approx(-sum(n / 400 * math.log2(n / 400) for n in labels.values()))
    assert 0.0 < figures["correlation_rate"] <= 1.0
    assert figures["claims"]["upheld"] + figures["claims"]["refuted"] > 0
    assert figures["resolved"] == 1.0


def test_a_breach_is_as_bad_as_it_is_far():
    fine = {"pattern_density": 0.5, "correlation_rate": 0.9, "forecast_accuracy": 0.5, "adr_usefulness": 0.5, "entropy": 2.0}
    fine |= {"resolved": 1.0, "brier": 0.9, "ece": 0.01}
    assert breaches(fine) == []
    for value, severity in ((0.14, "critical"), (0.17, "high"), (0.2, "medium"), (0.29, "low")):
        assert [(b["metric"], b["severity"]) for b in breaches(fine | {"pattern_density": value})] == [
            ("pattern_density", severity)
        ]
    assert [b["severity"] for b in breaches(fine | {"ece": 0.2, "brier": 1.05})] == ["critical", "low"]
    assert breaches(fine | {"ece": None, "brier": math.nan}) == []
