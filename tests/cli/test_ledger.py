"""`shgat ledger`."""

import json

import pytest

from shgat.progressive import merkle
from shgat.progressive.disk import Disk
from shgat.progressive.extraction import extract
from shgat.progressive.generator import Plan, make
from shgat.progressive.history import History
from shgat.progressive.layout import Layout
from shgat.progressive.ledger import Ledger
from shgat.progressive.lock import locked


@pytest.fixture
def workspace(tmp_path):
    layout = Layout(tmp_path / "ws")
    layout.make()
    ledger = Ledger(layout)
    for i in range(3):
        repo = make(tmp_path / f"{i}.git", Plan(seed=i, commits=20)).path
        found = extract(History.of(repo), layout.part(i), f"{i:016d}", "n", Disk(), 1 << 30)
        ledger.seal(layout.part(i), found.measured, found.owner)
    return layout.root


def test_verify_rotate_and_gc(ask, workspace):
    code, out, _ = ask("ledger", "verify", "-w", workspace)
    assert code == 0
    assert "3 segments" in out
    code, out, _ = ask("ledger", "rotate", "-w", workspace, "--json")
    (row,) = json.loads(out)["archives"]
    assert (code, row["segments"]) == (0, 3)
    assert ask("ledger", "gc", "-w", workspace)[0] == 0
    assert "nothing to archive" in ask("ledger", "rotate", "-w", workspace)[1]
    path = next((workspace / ".reasoning_rl4/archives").glob("*.zst"))
    data = bytearray(path.read_bytes())
    data[-50] ^= 1
    path.write_bytes(data)
    code, out, _ = ask("ledger", "verify", "-w", workspace, "--json")
    assert (code, json.loads(out)["sound"]) == (65, False)
    assert json.loads(out)["faults"][0]["where"] == path.name
    chain = workspace / ".reasoning_rl4/ledger/chain.log"
    chain.write_bytes(chain.read_bytes().replace(b"1", b"2", 1))
    code, out, _ = ask("ledger", "verify", "-w", workspace)
    assert (code, "chain.log, line 1" in out) == (65, True)
    assert ask("ledger", "rotate", "-w", workspace)[0] == 65


def test_a_proof_proves(ask, workspace):
    code, out, _ = ask("ledger", "prove", 2, "--record", 5, "--since", 1, "-w", workspace)
    found = json.loads(out)
    assert code == 0
    record, segment, root = found["record"], found["segment"], bytes.fromhex(found["ledger"]["root"])
    link = json.loads(segment["link"])
    hashes = [[bytes.fromhex(h) for h in part["proof"]] for part in (record, segment, found["since"])]
    assert merkle.included(record["line"].encode(), 5, record["n"], hashes[0], bytes.fromhex(link["root"]))
    assert merkle.included(segment["link"].encode(), 1, 3, hashes[1], root)
    assert merkle.consistent(1, 3, bytes.fromhex(found["since"]["root"]), root, hashes[2])
    assert ask("ledger", "prove", 9, "-w", workspace)[0] == 2
    assert ask("ledger", "prove", 1, "--record", 10**6, "-w", workspace)[0] == 2


@pytest.mark.parametrize("name", ["all.jsonl", "all.jsonl.gz"])
def test_out_and_in_again(ask, workspace, tmp_path, name):
    assert ask("ledger", "export", "--out", tmp_path / name, "-w", workspace)[0] == 0
    other = Layout(tmp_path / "other")
    other.make()
    code, _, said = ask("ledger", "import", tmp_path / name, "-w", other.root)
    assert (code, "3 units taken in" in said) == (0, True)
    assert Ledger(other).chain.tip == Ledger(Layout(workspace)).chain.tip
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:-20])
    assert ask("ledger", "import", tmp_path / name, "-w", other.root)[0] == 1


def test_no_workspace_and_a_busy_one(ask, workspace, tmp_path):
    code, _, said = ask("ledger", "verify", "-w", tmp_path / "none")
    assert (code, "shgat loop run" in said) == (2, True)
    with locked(workspace / ".lock"):
        assert ask("ledger", "rotate", "-w", workspace)[0] == 73
        assert ask("ledger", "verify", "-w", workspace)[0] == 0
