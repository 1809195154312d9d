"""An archive gives every bit back, and every byte of it that is not what was written is found."""

import random
from datetime import UTC, datetime

import orjson
import pytest

from shgat.errors import CorruptError
from shgat.progressive import archive as module
from shgat.progressive.segment import read

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def lines(filled):
    return [list(read(filled.layout.segment(e.seq))) for e in filled.chain.entries]


@pytest.fixture
def archive(filled, lines):
    (found,) = filled.rotate(NOW)
    return found


def test_lines_come_back_and_names_say_what_is_inside(filled, lines, archive):
    assert [list(part) for _, part in archive.segments()] == lines
    assert archive.entries == tuple(filled.chain.entries)
    assert archive.path.name == f"ledger-dump-20260102T030405Z-000001-{module.root8(archive.entries)}.shcol.zst"
    assert archive.raw_bytes == sum(e.bytes for e in filled.chain.entries)
    assert archive.size == archive.path.stat().st_size < archive.raw_bytes / 4
    meta = orjson.loads(archive.meta_path.read_bytes())
    assert (meta["first_id"], meta["last_id"], meta["archived_bytes"]) == (1, 3, archive.size)
    archive.verify()


def test_parts_of_segments_that_nobody_reads_are_passed_over(archive, lines):
    assert [next(part) for _, part in archive.segments()] == [part[0] for part in lines]


def test_every_byte_that_is_flipped_is_found(archive):
    data = archive.path.read_bytes()
    rng = random.Random(0)
    for i in [*range(40), *range(len(data) - 40, len(data)), *(rng.randrange(len(data)) for _ in range(150))]:
        flipped = bytearray(data)
        flipped[i] ^= 1 << rng.randrange(8)
        archive.path.write_bytes(flipped)
        with pytest.raises(CorruptError, match=archive.path.name[:30]):
            module.opened(archive.path).verify()


def test_a_cut_or_foreign_file_is_found(archive):
    data = archive.path.read_bytes()
    for other in (b"", data[:5], data[:100], data[:-1], data + b"x", b"x" * 1000):
        archive.path.write_bytes(other)
        with pytest.raises(CorruptError):
            module.opened(archive.path).verify()


def test_one_frame():
    data = b"abc" * 1000
    frame = module.compressed(data)
    assert module.decompressed(frame, 3000) == data
    with pytest.raises(CorruptError, match="more than 2999"):
        module.decompressed(frame, 2999)
    with pytest.raises(CorruptError):
        module.decompressed(b"x" + frame, 3000)
