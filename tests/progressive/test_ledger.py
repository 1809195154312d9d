"""The ledger: nothing is lost, nothing is there twice, and what is not what was written is named."""

import random
from datetime import UTC, datetime

import pytest

from shgat.errors import CorruptError, QuotaError
from shgat.progressive.disk import Disk
from shgat.progressive.ledger import Ledger, owner_of
from shgat.progressive.segment import read

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def everything(ledger):
    return [(entry.seq, list(part)) for entry, part in ledger.walk()]


def test_the_same_lines_before_and_after_archiving(filled, layout):
    before = everything(filled)
    assert [seq for seq, _ in before] == [1, 2, 3]
    filled.rotate(NOW)
    assert filled.raw() == []
    assert everything(filled) == before
    assert everything(Ledger(layout)) == before
    assert filled.rotate(NOW) == []
    assert Ledger(layout).verify() == []


def test_groups_are_of_a_size_and_a_large_segment_stands_alone(filled):
    sizes = [e.bytes for e in filled.chain.entries]
    assert [len(a.entries) for a in filled.rotate(NOW, group=sizes[0] + sizes[1])] == [2, 1]
    assert [len(a.entries) for a in filled.archives()] == [2, 1]


def test_a_segment_between_archives_and_links_that_start_within_one(filled, layout):
    before = everything(filled)
    copies = [layout.segment(s).read_bytes() for s in (1, 2, 3)]
    filled.rotate(NOW)
    layout.segment(1).write_bytes(copies[0])
    layout.segment(2).write_bytes(copies[1])
    assert everything(filled) == before


def test_nothing_is_taken_away_before_its_archive_was_read_back(filled, layout):
    path = layout.segment(2)
    path.write_bytes(path.read_bytes().replace(b"pkg", b"pgk", 1))
    with pytest.raises(CorruptError, match="segment 2"):
        filled.rotate(NOW)
    assert all(layout.segment(s).exists() for s in (1, 2, 3))
    assert not filled.archives()
    refused = QuotaError("full")

    def reserve(n):
        raise refused

    with pytest.raises(QuotaError):
        filled.rotate(NOW, reserve)
    assert all(layout.segment(s).exists() for s in (1, 2, 3))


def test_what_an_archive_holds_is_collected_and_only_that(filled, layout):
    copies = {s: layout.segment(s).read_bytes() for s in (1, 3)}
    (archive,) = filled.rotate(NOW)
    for s, data in copies.items():
        layout.segment(s).write_bytes(data)
    archive.meta_path.unlink()
    layout.part(9).write_bytes(b"left by a killed process")
    assert sorted(filled.gc()) == ["seg-000001.jsonl", "seg-000003.jsonl", "unit-000009.part"]
    assert filled.verify() == []
    layout.segment(1).write_bytes(copies[1])
    damaged = bytearray(archive.path.read_bytes())
    damaged[-100] ^= 1
    archive.path.write_bytes(damaged)
    with pytest.raises(CorruptError):
        filled.gc()
    assert layout.segment(1).exists()


def test_a_segment_without_a_link_is_adopted_with_the_same_link(filled, layout):
    data = layout.chain.read_bytes()
    lines = data.splitlines(keepends=True)
    layout.chain.write_bytes(lines[0] + lines[1][:50])
    torn = Ledger(layout)
    assert [f.where for f in torn.verify()] == ["chain.log", "seg-000002.jsonl", "seg-000003.jsonl"]
    assert [e.seq for e in torn.adopt()] == [2, 3]
    assert layout.chain.read_bytes() == data
    assert torn.verify() == []


def test_a_segment_that_is_not_whole_is_not_adopted(filled, layout):
    whole = layout.segment(3).read_bytes()
    layout.segment(4).write_bytes(b"".join(whole.splitlines(keepends=True)[:-1]))
    with pytest.raises(CorruptError, match=r"seg-000004.jsonl: its last record is no cycle"):
        filled.adopt()


def located(layout):
    """Where something is wrong."""
    try:
        return " ".join(f.where for f in Ledger(layout).verify())
    except CorruptError as error:
        return str(error)


@pytest.mark.parametrize("archived", [False, True])
def test_flipped_bytes_are_found_and_located(filled, layout, archived):
    if archived:
        filled.rotate(NOW)
    rng = random.Random(archived)
    files = sorted(p for folder in (layout.ledger, layout.archives) for p in folder.iterdir())
    for path in files:
        data = path.read_bytes()
        for _ in range(12):
            i = rng.randrange(len(data))
            flipped = bytearray(data)
            flipped[i] ^= 1 << rng.randrange(8)
            path.write_bytes(flipped)
            assert path.name in located(layout)
        path.write_bytes(data)
    assert Ledger(layout).verify() == []


def test_what_is_missing_or_too_much_is_named(filled, layout):
    data = layout.segment(2).read_bytes()
    layout.segment(2).unlink()
    assert [f.where for f in filled.verify()] == ["segment 2"]
    with pytest.raises(CorruptError, match="segment 2 is neither"):
        everything(filled)
    layout.segment(2).write_bytes(data)
    filled.rotate(NOW)
    layout.chain.write_bytes(b"".join(layout.chain.read_bytes().splitlines(keepends=True)[:2]))
    assert [f.what for f in Ledger(layout).verify()] == ["an archive has it and the chain does not"]


def test_the_owner_is_in_the_last_record(filled, layout):
    last = list(read(layout.segment(1)))[-1]
    assert owner_of(last, "x") == filled.chain.entries[0].owner
    for bad in (b"", b"{}", b"[]", b'{"kind":"cycle"}', b'{"kind":"event"}'):
        with pytest.raises(CorruptError, match="x: its last record is no cycle"):
            owner_of(bad, "x")


def test_a_seal_that_failed_between_its_two_steps_is_mended(filled, layout, three):
    from shgat.progressive.extraction import extract
    from shgat.progressive.history import History

    class Full(Disk):
        def append(self, path, data):
            raise OSError(28, "No space left on device", str(path))

    ledger = Ledger(layout, Full())
    found = extract(History.of(three[0]), layout.part(0), "0" * 16, "again", Disk(), 1 << 30)
    with pytest.raises(OSError, match="No space"):
        ledger.seal(layout.part(0), found.measured, found.owner)
    assert [e.owner for e in Ledger(layout).adopt()] == [found.owner]
