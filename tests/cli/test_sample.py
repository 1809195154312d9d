"""`shgat sample`: where the sample is, and a copy that is a catalogue."""

from pathlib import Path

from shgat import Catalog
from shgat.cli.sample import SAMPLE, files


def test_its_path_alone_can_be_used_in_a_command(ask):
    code, out, err = ask("sample", "--path")
    assert (code, err) == (0, "")
    folder = Path(out.removesuffix("\n"))
    assert "\n" not in str(folder)
    assert ask("catalog", "check", folder)[0] == 0


def test_what_it_consists_of(ask):
    out = ask("sample")[1]
    assert out.splitlines()[0] == str(SAMPLE)
    assert [line.strip() for line in out.splitlines()[1:]] == [f.name for f in files()]
    assert {"tools.jsonl", "tools.npy", "capabilities.jsonl", "train.jsonl", "test.npy"} <= {f.name for f in files()}


def test_a_copy_can_be_changed_and_is_not_written_over(ask, tmp_path):
    code, out, _ = ask("sample", "--copy", tmp_path / "mine")
    assert (code, out) == (0, f"{tmp_path / 'mine'}\n")
    assert Catalog.load(tmp_path / "mine").fingerprint == Catalog.load(SAMPLE).fingerprint
    (tmp_path / "mine" / "tools.jsonl").write_bytes(b"")
    assert ask("sample", "--copy", tmp_path / "mine")[0] == 2
    assert (tmp_path / "mine" / "tools.jsonl").read_bytes() == b""
