"""An archive counts when it was read back, and its size is known before a byte is written."""

from datetime import UTC, datetime

import pytest

from shgat.errors import CorruptError
from shgat.progressive.children import Children
from shgat.progressive.disk import Disk
from shgat.progressive.packing import Packed, publish
from shgat.progressive.segment import read

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def segments(ledger):
    return [(e, ledger.layout.segment(e.seq)) for e in ledger.chain.entries]


def test_lines_that_are_not_those_of_the_links_are_not_published(filled, layout):
    lines = [list(read(path)) for _, path in segments(filled)]
    lines[1][3] = lines[1][3].replace(b"pkg", b"pgk")
    packed = Packed.of(zip(filled.chain.entries, lines, strict=True))
    with pytest.raises(CorruptError, match="segment 2 is not what was sealed"):
        packed.store(layout.archives, "s", Disk())
    assert not list(layout.archives.glob("*.zst"))


def test_how_much_it_needs_is_said_before_it_is_written(filled, layout):
    asked = []
    (found,) = filled.rotate(NOW, lambda n: asked.append((n, list(layout.archives.iterdir()))))
    assert asked == [(found.size + 512 * 3, [])]
    assert found.meta_path.stat().st_size < 512 * 3


def test_another_process_packs_the_same_bytes(filled, layout):
    part = Packed.of((e, read(path)) for e, path in segments(filled)).store(layout.archives, "20260102T000000Z", Disk())
    here = part.read_bytes()
    workers = Children(1)
    try:
        there = workers.pack(segments(filled), layout.archives, "20260102T000000Z", 10**6)()
        assert there == part
        assert there.read_bytes() == here
        assert workers.pack(segments(filled), layout.archives, "s", 100)() is None
        layout.segment(2).write_bytes(b"x")
        assert workers.pack(segments(filled), layout.archives, "s", 10**6)() is None
    finally:
        workers.close()
    assert publish(part, Disk()).entries == tuple(filled.chain.entries)


def test_helpers_pack_groups_at_the_same_time(filled, layout, monkeypatch):
    from shgat.progressive import ledger as module

    class Two:
        n = 2
        asked = 0

        def pack(self, found, stamp):
            self.asked += 1
            if self.asked == 2:
                return lambda: None  # this one has to be made here
            part = Packed.of((e, read(path)) for e, path in found).store(layout.archives, stamp, Disk())
            return lambda: part

    monkeypatch.setattr(module, "_LEAST_GROUP", 1)
    before = [(e.seq, list(part)) for e, part in filled.walk()]
    helpers = Two()
    done = filled.rotate(NOW, helpers=helpers)
    assert helpers.asked == len(done) == 2
    assert [(e.seq, list(part)) for e, part in filled.walk()] == before
    assert filled.verify() == []
