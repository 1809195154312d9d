"""`shgat metrics` and `shgat feedback`."""

import json

import pytest

from shgat.progressive.generator import Plan, make
from workspaces import lines_of, loop_of


@pytest.fixture
def workspace(tmp_path):
    repos = [make(tmp_path / f"{i}.git", Plan(seed=i, commits=120)).path for i in range(2)]
    loop_of(tmp_path / "ws").run(lines_of(*repos))
    return tmp_path / "ws"


def test_figures_of_a_workspace_and_what_to_do_about_them(ask, workspace):
    code, _, err = ask("feedback", "-w", workspace)
    assert code == 2
    assert "shgat metrics" in err
    code, out, _ = ask("metrics", "-w", workspace, "--json")
    found = json.loads(out)
    assert found["repositories"] == 2
    assert found["book"]["open"] == found["book"]["made"] > 0
    assert code == bool(found["breaches"])
    again = json.loads(ask("metrics", "-w", workspace, "--json", "--quiet")[1])
    assert again == found
    page = ask("metrics", "-w", workspace, "--quiet")[1]
    assert "2 repositories" in page
    assert "forecast_accuracy" in page
    code, out, _ = ask("feedback", "-w", workspace, "--json")
    records = json.loads(out)["feedback"]
    assert code == 0
    assert {r["severity"] for r in records} == {b["severity"] for b in found["breaches"]}
    written = sorted((workspace / ".reasoning_rl4/feedback/meta_adrs").iterdir())
    assert [json.loads(p.read_bytes())["id"] for p in written] == sorted(r["id"] for r in records)
    assert len(json.loads(ask("feedback", "-w", workspace, "--min-severity", "critical", "--json")[1])["feedback"]) <= len(records)
    assert "bounds" in ask("feedback", "-w", workspace)[1] or not records


def test_what_is_no_workspace_or_was_altered(ask, workspace, tmp_path):
    assert ask("metrics", "-w", tmp_path)[0] == 2
    ask("metrics", "-w", workspace, "--quiet")
    (workspace / ".reasoning_rl4/metrics/stats.json").write_text("{")
    assert ask("feedback", "-w", workspace)[0] == 65
    (workspace / ".reasoning_rl4/metrics/forecasts.jsonl").write_text("{}\n")
    assert ask("metrics", "-w", workspace)[0] == 65
