"""Pages of runs say what there is, and take no text for HTML."""

from shgat.reports.runs import comparison_page, runs_page
from shgat.tracking import FolderTracker, compare


def test_pages_of_runs_and_of_two(tmp_path):
    tracker = FolderTracker(tmp_path)
    for lr in (0.1, 0.2):
        with tracker.run("<b>x</b>", parameters={"lr": lr, "text": "<script>"}) as run:
            for step in range(4):
                run.log({"loss": lr / (step + 1)}, step)
    runs = tracker.runs()
    points = {r.id: tracker.points(r.id) for r in runs}
    page = runs_page(runs, points, "a & b")
    assert all(r.id[:8] in page for r in runs)
    assert page.count("<polyline") == 2
    assert "a &amp; b" in page
    assert "&lt;b&gt;x&lt;/b&gt;" in page
    found = compare(tracker, runs[1].id, runs[0].id)
    page = comparison_page(found, *(points[r.id] for r in (found.a, found.b)))
    assert "<b>x</b>" not in page
    assert "keeps no &#x27;per_trace.json&#x27;" in page
    assert page.count("<polyline") == 2


def test_no_run_is_a_page_too():
    assert "<title>Runs</title>" in runs_page([], {}, "nowhere")
