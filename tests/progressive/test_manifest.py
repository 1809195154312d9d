"""The manifest: an index that others read while it is written, and that can be lost."""

import sqlite3

import pytest

from shgat.errors import CorruptError, QuotaError, WorkspaceError
from shgat.progressive.chain import Entry, Owner
from shgat.progressive.corpus import Line, Source
from shgat.progressive.manifest import Manifest, opened
from shgat.progressive.segment import Measured

LINES = [
    Line(1, Source("https://h/a", "a")),
    Line(2, None, "bad"),
    Line(3, Source("https://h/b", "b")),
    Line(4, Source("https://h/a", "a"), same=1),
]


@pytest.fixture
def manifest(tmp_path):
    found = Manifest(tmp_path / "manifest.db")
    yield found
    found.close()


def test_rows_go_from_state_to_state(manifest):
    assert manifest.register(LINES) == 3
    assert manifest.register(LINES) == 0
    assert [(r.position, r.name, r.state) for r in manifest.repos()] == [
        (0, "a", "queued"),
        (1, "line 2", "failed"),
        (2, "b", "queued"),
    ]
    entry = Entry.after(None, Measured(5, 100, "0" * 64), Owner("u", "l", LINES[0].source.key))
    manifest.sealed(entry, 4, 1.5, 2)
    row = manifest.repos()[0]
    assert (row.state, row.seq, row.unit, row.lineage) == ("sealed", 1, "u", "l")
    assert (row.commits, row.bytes, row.seconds, row.attempts) == (4, 100, 1.5, 2)
    assert manifest.units() == {1}
    manifest.ended(2, "failed", "why", 3, 0.5)
    manifest.move([0], "done")
    manifest.requeue("failed")
    assert [r.state for r in manifest.repos()] == ["done", "failed", "queued"]
    manifest.batch(1, "r", 1)
    assert manifest.batches() == 1


def test_others_read_while_it_is_written(manifest, tmp_path):
    run = manifest.begin(1.0, 7, 3)
    manifest.progress(run, 2, [("ledger", 1, 2, 3)])
    other = Manifest(tmp_path / "manifest.db", read_only=True)
    assert (other.last_run()["status"], other.last_run()["batch"]) == ("running", 2)
    assert other.gauges() == {"ledger": {"used": 1, "reserved": 2, "cap": 3}}
    with pytest.raises(OSError, match="readonly"):
        other.register(LINES)
    other.close()
    assert manifest.begin(2.0, 8, 3) == run + 1
    manifest.end(run + 1, 3.0, "done")
    assert manifest.last_run()["status"] == "done"


def test_it_does_not_outgrow_what_it_has(tmp_path):
    manifest = Manifest(tmp_path / "manifest.db", most=64 * 4096)
    with pytest.raises(QuotaError, match="full"):
        manifest.register([Line(i, Source(f"https://h/{'x' * 500}{i}", "n")) for i in range(2000)])
    assert manifest.repos() == []
    manifest.close()
    assert (tmp_path / "manifest.db").stat().st_size <= 64 * 4096


def test_a_damaged_one_makes_room_and_one_of_a_later_version_does_not(tmp_path):
    path = tmp_path / "manifest.db"
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(CorruptError):
        Manifest(path)
    found = opened(path, 1 << 30, lambda _: None)
    assert found.repos() == []
    found.close()
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version=9")
    db.close()
    with pytest.raises(WorkspaceError, match="format 9"):
        opened(path, 1 << 30, lambda _: None)
    with pytest.raises(CorruptError):
        Manifest(tmp_path / "none.db", read_only=True)
