"""`shgat loop`."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from shgat.progressive.generator import Plan, make
from shgat.progressive.lock import locked
from workspaces import sound


@pytest.fixture
def listed(tmp_path):
    path = tmp_path / "list.txt"
    repos = [make(tmp_path / f"{i}.git", Plan(seed=i, commits=20)).path for i in range(3)]
    path.write_text("".join(f"{r}\n" for r in repos))
    return path


def test_run_status_and_again(ask, listed, tmp_path):
    ws = tmp_path / "ws"
    code, out, said = ask("loop", "run", "-w", ws, "--repos", listed, "--batch-size", 2, "--quota", "50MB", "--json")
    found = json.loads(out)
    assert (code, found["states"], found["batches"]) == (0, {"done": 3}, 2)
    assert (found["merkleRoot"], found["chain"]) == sound(ws)
    events = [json.loads(line) for line in said.splitlines()]
    assert [e["event"] for e in events] == ["begun", "sealed", "sealed", "archived", "begun", "sealed", "archived", "ended"]
    code, out, _ = ask("loop", "status", "-w", ws, "--json")
    assert (code, json.loads(out)["quota"]["corpus"]["cap"]) == (0, 25_000_000)
    assert "3 repositories" in ask("loop", "status", "-w", ws, "--watch")[1]
    with listed.open("a") as file:
        file.write("https://user:pw@host/x\n")
    code, out, _ = ask("loop", "run", "-w", ws, "--repos", listed, "--again", "--quiet")
    assert (code, "a user or a password" in out) == (1, True)
    assert (ws / ".reasoning_rl4/diagnostics/summary-000002.md").exists()
    assert sound(ws) == (found["merkleRoot"], found["chain"])


def test_it_trains_after_each_batch_where_it_is_told_to(ask, tmp_path):
    ws, listed = tmp_path / "ws", tmp_path / "list.txt"
    listed.write_text(f"{make(tmp_path / 'long.git', Plan(seed=1, commits=80, adversarial=False)).path}\n")
    code, _, said = ask("loop", "run", "-w", ws, "--repos", listed, "--train", "--json")
    events = [json.loads(line) for line in said.splitlines()]
    assert code == 0
    assert [e["event"] for e in events] == ["begun", "sealed", "learned", "trained", "archived", "ended"]
    assert json.loads((ws / ".reasoning_rl4/kernel/models/register.json").read_bytes())["trained"] == 1
    assert ask("kernel", "verify", "-w", ws)[0] == 0
    next((ws / ".reasoning_rl4/kernel/models").glob("*.safetensors")).write_bytes(b"x")
    code, out, _ = ask("kernel", "verify", "-w", ws)
    assert (code, "not what was written" in out) == (65, True)


def test_mistakes(ask, listed, tmp_path):
    assert ask("loop", "run", "-w", tmp_path / "ws", "--repos", tmp_path / "none")[0] == 2
    assert ask("loop", "run", "-w", tmp_path / "ws", "--repos", listed, "--quota", "10 GiB")[0] == 2
    assert ask("loop", "run", "-w", tmp_path / "ws", "--repos", listed, "--quota", "1MB")[0] == 2
    assert ask("loop", "resume", "-w", tmp_path / "ws")[0] == 2
    assert ask("loop", "status", "-w", tmp_path / "ws")[0] == 2
    assert ask("loop", "run", "-w", tmp_path / "ws", "--repos", listed, "--quiet")[0] == 0
    with locked(tmp_path / "ws/.lock"):
        assert ask("loop", "resume", "-w", tmp_path / "ws")[0] == 73
        assert ask("loop", "status", "-w", tmp_path / "ws")[0] == 0
    (tmp_path / "ws/workspace.json").write_text("{")
    assert ask("loop", "resume", "-w", tmp_path / "ws")[0] == 65
    (tmp_path / "file").write_text("")
    assert ask("loop", "run", "-w", tmp_path / "file", "--repos", listed)[0] == 74


def test_told_to_end_it_ends_and_goes_on(listed, tmp_path, ask):
    ws = tmp_path / "ws"
    with listed.open("a") as file:
        file.write(f"{make(tmp_path / 'long.git', Plan(commits=6000)).path}\n")
    command = [sys.executable, "-m", "shgat", "loop", "run", "-w", ws, "--repos", listed, "--batch-size", "1"]
    process = subprocess.Popen([os.fspath(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for line in process.stderr:
        if '"sealed"' in line:
            process.send_signal(signal.SIGTERM)
            break
    time.sleep(0)
    _, said = process.communicate(timeout=120)
    assert (process.returncode, "goes on" in said) == (143, True)
    code, out, _ = ask("loop", "resume", "-w", ws, "--quiet", "--json")
    assert (code, json.loads(out)["states"]) == (0, {"done": 4})
    sound(ws)
