"""A run that ended stands among the other experiments, once."""

from shgat.pipeline.tracked import track
from shgat.tracking import open_tracker


def test_a_run_is_tracked_once_with_its_figures_and_its_page(trained, tmp_path):
    pipeline = trained(track="runs")
    run = pipeline.run()
    page = (pipeline.runs.place(run) / "report.html").read_bytes()
    track(str(tmp_path / "runs"), run, page)  # again, as after a kill
    tracker = open_tracker(tmp_path / "runs")
    (found,) = tracker.runs("pipeline")
    assert (found.status, found.tags["pipeline_run"], found.tags["ended"]) == ("completed", run.id, "promoted")
    assert found.tags["compare.status"] == "done"
    assert found.figures["compare.metrics.recall@5"] == run.facts("compare")["metrics"]["recall@5"]
    assert found.figures["validate-data.snapshot.train"] == 160.0
    assert (found.parameters["gate.least"], found.parameters["store"]) == (20, "env:TOWN_URL")
    assert tracker.artefact(found.id, "report.html") == page


def test_what_found_nothing_new_is_not_tracked(trained, make, tmp_path):
    trained(track="runs").run()
    assert make(track="runs").run().status == "unchanged"
    assert len(open_tracker(tmp_path / "runs").runs("pipeline")) == 1


def test_a_tracker_that_fails_stops_nothing(trained, tmp_path, caplog):
    (tmp_path / "runs").write_text("a file stands here")
    assert trained(track="runs").run().status == "promoted"
    assert "is not tracked" in caplog.text
