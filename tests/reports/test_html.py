"""The report: complete, self-contained, well formed, and safe whatever the texts hold."""

from html.parser import HTMLParser

import pytest

from shgat.errors import InputError
from shgat.reports.html import render_report

EVIL = "<script>alert(1)</script>\"'&"


def results(text="github.create_issue"):
    curve = [(float(e), 1.0 / (e + 1)) for e in range(12)]
    return {
        "title": f"Evaluation {text}",
        "about": {"model": text, "protocol": "holdout", "seed": "0"},
        "headline": {"ndcg@5": 0.713, "comp@3": 0.52, "intents": 1877.0},
        "metrics_by_k": {
            metric: {text: {1: 0.31, 3: 0.62, 5: 0.74, 10: 0.83}, "cosine": {1: 0.12, 3: 0.22, 5: 0.27, 10: 0.37}}
            for metric in ("recall", "ndcg", "comp")
        },
        "compared": (text, "cosine"),
        "comparison": [
            {
                "metric": "ndcg@5",
                "a": 0.71,
                "b": 0.26,
                "mean_difference": 0.45,
                "ci_low": 0.42,
                "ci_high": 0.48,
                "p_value": 1e-4,
            },
            {
                "metric": "mrr",
                "a": 0.40,
                "b": 0.41,
                "mean_difference": -0.01,
                "ci_low": -0.03,
                "ci_high": 0.01,
                "p_value": 0.31,
            },
            {
                "metric": "hit@1",
                "a": 0.30,
                "b": 0.41,
                "mean_difference": -0.11,
                "ci_low": -0.15,
                "ci_high": -0.07,
                "p_value": 1e-4,
            },
        ],
        "reliability": {
            text: {"predicted": [0.1, 0.3, None, 0.9], "observed": [0.05, 0.36, None, 0.88], "ece": 0.04, "brier": 0.11}
        },
        "breakdowns": {
            "server": [
                {"name": text, "n": 120, "metrics": {"recall@5": 0.81, "comp@5": 0.66}},
                {"name": "slack", "n": 45, "metrics": {"recall@5": 0.42, "comp@5": float("nan")}},
            ],
            "difficulty": [{"name": "two tools", "n": 80, "metrics": {"recall@5": 0.7, "comp@5": 0.5}}],
        },
        "learning_curve": {"loss": {"train": curve, "validation": [(x, y + 0.1) for x, y in curve]}},
        "worst_intents": [
            {
                "intent": f"open a ticket for the failing build {text}",
                "expected": [text, "jira.create"],
                "ranked": [{"tool": "ci.rerun_build", "score": 0.91, "explanation": "names the build, cosine 0.71"}],
                "why_not": {text: "never chosen in training for an intent like this one; cosine 0.22, rank 31"},
            }
        ],
        "notes": [text],
    }


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.attributes = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in ("meta", "line", "circle", "polyline"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_every_section_is_there_and_well_formed():
    page = render_report(results())
    read = Page(page)
    assert read.open == []
    sections = ("Comparison", "Metrics by K", "Calibration", "Breakdown", "Learning curve", "Worst intents", "Notes")
    assert all(f"<h2>{heading}</h2>" in page for heading in sections)
    assert "why not" in page.lower()
    assert "prefers-color-scheme:dark" in page


def test_it_loads_nothing():
    page = render_report(results())
    read = Page(page)
    assert not {"script", "link", "img", "iframe"} & set(read.tags)
    assert not {"src", "href"} & {name for name, _ in read.attributes}
    assert "http" not in page
    assert "url(" not in page


def test_everything_is_escaped():
    page = render_report(results(EVIL))
    assert "<script" not in page
    assert Page(page).open == []
    assert "&lt;script&gt;" in page


def test_sections_without_results_are_left_out():
    page = render_report({"title": "Nothing"})
    assert "<h2>" not in page
    assert Page(page).open == []


def test_a_report_may_have_been_through_json():
    through = results()
    through["metrics_by_k"] = {"ndcg": {"model": {"10": 0.5, "5": 0.4, "1": 0.2}}}
    through["learning_curve"] = {"loss": {"train": [[0, 1.0], [1, float("nan")]]}}
    assert Page(render_report(through)).open == []


def test_an_unknown_section_is_named():
    with pytest.raises(InputError, match="'wurst_intents'"):
        render_report({"wurst_intents": []})


def test_plots_hold_whatever_the_numbers_are():
    for values in ([0.0], [3.0, 3.0], [-1e-9, 1e-9], [1e12, -1e12], [float("nan")], [float("inf"), 1.0]):
        curve = [(float(i), v) for i, v in enumerate(values)]
        page = render_report({"learning_curve": {"loss": {"train": curve}}})
        assert "nan" not in page
        assert Page(page).open == []
