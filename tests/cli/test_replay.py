"""`shgat replay`."""

import json

from shgat.progressive.generator import Plan, make


def test_events_to_a_file_and_to_stdout(ask, tmp_path):
    planted = make(tmp_path / "r.git", Plan(commits=30))
    code, out, said = ask("replay", planted.path)
    lines = [json.loads(line) for line in out.splitlines()]
    assert (code, len(lines)) == (0, planted.commits)
    assert f"{planted.commits} commits" in said
    code, nothing, _ = ask("replay", planted.path, "--out", tmp_path / "events.jsonl")
    assert (code, nothing, (tmp_path / "events.jsonl").read_text()) == (0, "", out)
    code, out, _ = ask("replay", planted.path, "--since", lines[-3]["sha"])
    assert code == 0
    assert 0 < len(out.splitlines()) < planted.commits


def test_mistakes(ask, tmp_path):
    assert ask("replay", tmp_path)[0] == 1
    assert ask("replay", tmp_path / "none")[0] == 2
    planted = make(tmp_path / "r.git", Plan(commits=3))
    code, _, said = ask("replay", planted.path, "--since", "--all")
    assert code == 2
    assert "--since" in said
    assert ask("replay", planted.path, "--out", tmp_path / "no" / "x")[0] == 2
    assert ask("replay", planted.path, "--since", "0" * 40, "--out", tmp_path / "x")[0] == 1
    assert not (tmp_path / "x").exists()
