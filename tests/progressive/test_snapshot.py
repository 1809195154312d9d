import numpy as np

from shgat.progressive.changeset import Changes
from shgat.progressive.cochange import closed_sets
from shgat.progressive.events import events
from shgat.progressive.history import History
from shgat.progressive.snapshot import DIMENSION, Snapshot, intent, vectors

from .histories import event


def test_files_are_tools_folders_and_sets_are_capabilities_commits_are_traces():
    week = 7 * 86_400
    rows = [
        event(i, ["src/a.py", "src/b.py", "doc/c.md"][: 2 + i % 2], f"change number {i}", time=1_500_000_000 + i * week)
        for i in range(10)
    ]
    changes = Changes.of([*rows, event(10, ["src/deep/d.py"], "later", time=1_500_000_000 + 11 * week)])
    snapshot = Snapshot.at(changes, 10, closed_sets(changes.rows[:10]))
    assert snapshot.ids == ["0 src/a.py", "1 src/b.py", "2 doc/c.md"]
    ids = [c.id for c in snapshot.catalog.capabilities]
    assert "folder src" in ids
    assert "set 0 1" in ids
    assert "folder " in ids
    of = {c.id: c for c in snapshot.catalog.capabilities}
    assert of["folder src"].tools == ("0 src/a.py", "1 src/b.py")
    assert "folder src" in of["folder "].capabilities
    messages = [t for t in snapshot.records if not t.id.endswith(" file")]
    assert len(messages) == 9  # of the last one nothing is known yet
    assert messages[1].tools == ("0 src/a.py", "1 src/b.py", "2 doc/c.md")
    of_files = [t for t in snapshot.records if t.id.endswith(" file")]
    assert len(of_files) == 9
    assert all(len(t.tools) in (1, 2) for t in of_files)


def test_nothing_later_than_a_snapshot_is_in_it(planted):
    recorded = list(events(History.of(planted.path)))
    half = len(recorded) // 2
    first, whole = Changes.of(recorded[:half]), Changes.of(recorded)
    row = len(first.rows)
    alone, among = Snapshot.at(first, row, closed_sets(first.rows)), Snapshot.at(whole, row, closed_sets(whole.rows[:row]))
    assert alone.ids == among.ids
    assert alone.paths == among.paths
    assert alone.catalog.checksum == among.catalog.checksum
    assert alone.traces.fingerprint == among.traces.fingerprint


def test_a_moved_file_keeps_its_id_and_speaks_by_its_new_path():
    moved = [{"p": "old.py", "s": "D", "mode": "1"}, {"p": "lib/new.py", "s": "A", "mode": "1", "of": "old.py"}]
    changes = Changes.of([event(0, ["old.py", "x"]), event(1, moved), event(2, ["x"])])
    snapshot = Snapshot.at(changes, 3)
    assert snapshot.ids[0] == "0 old.py"
    assert snapshot.paths[0] == "lib/new.py"


def test_masked_messages_do_not_name_their_files():
    change = Changes.of([event(0, ["src/parser.py", "docs/guide.md"], "Make Parser and guide faster")]).rows[0]
    assert intent(change, masked=True).split() == ["make", "and", "faster"]
    assert intent(change) == "Make Parser and guide faster"


def test_vectors_are_of_length_one_whatever_the_text():
    x = vectors(["", "...", "parser", "音"])
    assert x.shape == (4, DIMENSION)
    assert np.linalg.norm(x, axis=1).round(5).tolist() == [1.0] * 4
