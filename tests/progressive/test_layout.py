"""The places of a workspace, with the names that people know."""

from shgat.progressive.layout import Layout


def test_names(tmp_path):
    layout = Layout(tmp_path)
    layout.make()
    made = sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*"))
    assert made == [
        ".reasoning_rl4",
        ".reasoning_rl4/archives",
        ".reasoning_rl4/diagnostics",
        ".reasoning_rl4/kernel",
        ".reasoning_rl4/kernel/units",
        ".reasoning_rl4/ledger",
        "archives",
        "archives/substrate",
        "datasets",
        "datasets/corpus",
    ]
    assert layout.segment(12).name == "seg-000012.jsonl"
    assert layout.part(3).name == "unit-000003.part"
    assert {layout.about.name, layout.lock.name, layout.manifest.name} == {"workspace.json", ".lock", "manifest.db"}
    assert Layout(tmp_path, "other").chain == tmp_path / "other/ledger/chain.log"
