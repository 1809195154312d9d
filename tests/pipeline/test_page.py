"""The page of a run stands alone, escapes what it shows, and shows what each step found."""

import re

from pipeline import town
from pipeline.test_canary import SERVED, living
from shgat.pipeline.page import render, write_page
from shgat.pipeline.runs import Run, Step


def test_a_run_that_went_well(trained, clock, rng, sqlite_url, tmp_path):
    pipeline = trained(canary=SERVED, evaluation={"temporal_train": "8d"})
    with living(sqlite_url, clock, rng, town.good):
        run = pipeline.run()
    page = (pipeline.runs.place(run) / "report.html").read_text()
    assert re.findall("<h2>(.*?)</h2>", page) == ["Steps", "Data", "Training", "Protocols", "The gate", "Canary"]
    assert "<h1>Pipeline: promoted</h1>" in page
    assert "success rate" in page
    assert "<script" not in page
    assert "http" not in page.replace("http://www.w3.org", "")
    assert "wish" not in page
    write_page(tmp_path / "again.html", run)
    assert (tmp_path / "again.html").read_text() == page


def test_what_it_shows_is_escaped():
    run = Run("r", {"user": "<b>me</b>"}, 1.0, reason="<script>alert(1)</script>")
    check = {"name": "<i>", "status": "fail", "value": None, "limit": 0.5, "message": "<u>", "remedy": "<s>"}
    run.steps["validate-data"] = Step("refused", "abc", 1.0, 2.0, reason="<img>", facts={"checks": [check]})
    page = render(run)
    for text in ("<b>me", "<script", "<u>", "<s>", "<img"):
        assert text not in page
    assert "&lt;u&gt;; &lt;s&gt;" in page
    assert '<i class="worse">fail</i>' in page


def test_a_run_that_has_just_begun():
    assert "not yet" in render(Run("r", {"user": "local"}, 1.0))
