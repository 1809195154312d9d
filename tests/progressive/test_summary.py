"""What a person reads of a run."""

import orjson

from shgat.progressive.layout import Layout
from shgat.progressive.summary import markdown, status, summary, write
from workspaces import lines_of, loop_of


def test_what_came_of_a_run(three, tmp_path, work):
    lines = lines_of(*three, work, "file:///nowhere/a")
    report = loop_of(tmp_path / "ws", tries=1).run(lines)
    layout = Layout(tmp_path / "ws")
    seen = status(layout)
    assert seen["states"] == {"done": 3, "failed": 1, "skipped": 1}
    assert sum(seen["failures"].values()) == 1
    assert seen["run"]["status"] == "done"
    found = summary(layout, report.root, report.chain, report.peak)
    assert [r["state"] for r in found["repositories"]] == ["done", "done", "done", "skipped", "failed"]
    name = write(layout, found, 10**6)
    assert orjson.loads((layout.diagnostics / name).with_suffix(".json").read_bytes()) == found
    page = (layout.diagnostics / name).read_text()
    assert "# Run 1: done" in page
    assert report.root in page
    assert write(layout, found, 10) == ""


def test_names_stay_in_their_cells():
    row = {
        "name": "a|b<script>`\n",
        "state": "failed",
        "reason": "x" * 900,
        "commits": 1,
        "bytes": 1,
        "seconds": 1.0,
        "attempts": 1,
    }
    found = {
        "run": None,
        "states": {},
        "commits": 0,
        "bytes": 0,
        "merkleRoot": "r",
        "chain": "c",
        "quota_peak": 1,
        "failures": {"a|b": 1},
    }
    page = markdown(found | {"repositories": [row] * 300})
    assert "a\\|b&lt;script>'?" in page
    assert "100 more" in page
    assert max(map(len, page.splitlines())) < 400
