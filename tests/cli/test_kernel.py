"""`shgat kernel`."""

import json

import pytest

from shgat.progressive.generator import Plan, make
from workspaces import lines_of, loop_of


@pytest.fixture
def workspaces(tmp_path):
    repos = [make(tmp_path / f"{i}.git", Plan(seed=i, commits=20)).path for i in range(3)]
    roots = [loop_of(tmp_path / name).run(lines_of(*repos[a:b])).root for name, a, b in (("a", 0, 2), ("b", 1, 3), ("both", 0, 3))]
    return tmp_path, roots


def test_merged_in_any_order_and_more_than_once(ask, workspaces):
    folder, roots = workspaces
    for i, names in enumerate(("ab", "ba", "aba")):
        code, out, _ = ask("kernel", "merge", *(folder / n for n in names), "-o", folder / f"m{i}")
        assert (code, roots[2] in out) == (0, True)
        assert ask("kernel", "verify", "-w", folder / f"m{i}")[0] == 0
    code, out, _ = ask("kernel", "diff", folder / "a", folder / "both", "--json")
    assert (code, len(json.loads(out)["only_b"])) == (1, 1)
    code, out, _ = ask("kernel", "diff", folder / "m0", folder / "both")
    assert (code, "0 only in a" in out) == (0, True)


def test_shown_compacted_rebuilt_and_verified(ask, workspaces):
    folder, roots = workspaces
    code, out, _ = ask("kernel", "show", "-w", folder / "a", "--json")
    assert (code, json.loads(out)["merkleRoot"]) == (0, roots[0])
    assert roots[0] in ask("kernel", "show", "-w", folder / "a")[1]
    units = sorted((folder / "a/.reasoning_rl4/kernel/units").iterdir())
    units[0].write_bytes(b"x")
    code, out, _ = ask("kernel", "verify", "-w", folder / "a", "--json")
    assert (code, json.loads(out)["faults"][0]["where"]) == (65, units[0].name)
    assert ask("kernel", "show", "-w", folder / "a")[0] == 65
    code, out, _ = ask("kernel", "compact", "-w", folder / "a")
    assert (code, roots[0] in out) == (0, True)
    for unit in units:
        unit.unlink()
    (folder / "a/.reasoning_rl4/kernel/state.json").write_text("{}")
    code, out, _ = ask("kernel", "rebuild", "--from-archives", "-w", folder / "a")
    assert (code, roots[0] in out) == (0, True)
    assert ask("kernel", "verify", "-w", folder / "a")[0] == 0
    assert ask("kernel", "show", "-w", folder)[0] == 2
