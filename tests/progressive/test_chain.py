"""The chain: each link holds all before it."""

import hashlib

import pytest

from shgat.errors import CorruptError
from shgat.progressive.chain import GENESIS, Chain, Entry, Owner, leaves
from shgat.progressive.disk import Disk
from shgat.progressive.events import canonical
from shgat.progressive.segment import Measured

OWNER = Owner("u" * 16, "l" * 32, "s" * 16)


def filled(path, n=3):
    chain = Chain(path, Disk())
    for i in range(n):
        chain.append(Measured(i + 1, 10 * i, f"{i:064x}"), OWNER)
    return chain


def test_the_formula(tmp_path):
    entry = filled(tmp_path / "chain.log", 1).entries[0]
    whose = hashlib.sha256(canonical({"unit": OWNER.unit, "lineage": OWNER.lineage, "source": OWNER.source})).digest()
    data = bytes(32) + bytes.fromhex(entry.root) + (1).to_bytes(8, "big") + (0).to_bytes(8, "big") + whose
    assert (entry.prev, entry.chain) == (GENESIS, hashlib.sha256(data).hexdigest())


def test_written_and_read(tmp_path):
    chain = filled(tmp_path / "chain.log")
    again = Chain(tmp_path / "chain.log", Disk())
    assert again.entries == chain.entries
    assert again.tip == chain.entries[-1].chain
    assert Chain(tmp_path / "none", Disk()).tip == GENESIS
    assert leaves(again.entries)[0] + b"\n" == (tmp_path / "chain.log").read_bytes().splitlines(keepends=True)[0]


def test_every_byte_that_is_flipped_is_found_and_its_line_named(tmp_path):
    path = tmp_path / "chain.log"
    filled(path)
    data = path.read_bytes()
    for i in range(len(data)):
        for bit in (1, 32) if i % 3 else (2, 64):
            flipped = bytearray(data)
            flipped[i] ^= bit
            path.write_bytes(flipped)
            line = data[:i].count(b"\n") + 1
            if i == len(data) - 1:
                assert Chain(path, Disk()).torn
                continue
            with pytest.raises(CorruptError, match=rf"chain.log, line ({line}|{line + 1}):"):
                Chain(path, Disk())


def test_a_line_that_is_missing_or_moved_is_found(tmp_path):
    path = tmp_path / "chain.log"
    filled(path)
    lines = path.read_bytes().splitlines(keepends=True)
    for order in ([0, 2], [1, 2], [1, 0, 2], [0, 0, 1, 2]):
        path.write_bytes(b"".join(lines[i] for i in order))
        with pytest.raises(CorruptError, match="does not follow"):
            Chain(path, Disk())


def test_a_torn_end_is_cut_off(tmp_path):
    path = tmp_path / "chain.log"
    chain = filled(path)
    data = path.read_bytes()
    path.write_bytes(data + data[:40])
    torn = Chain(path, Disk())
    assert (torn.entries, torn.torn) == (chain.entries, 40)
    torn.cut()
    assert path.read_bytes() == data
    assert torn.append(Measured(1, 1, "0" * 64), OWNER).seq == 4
    assert len(Chain(path, Disk()).entries) == 4


def test_another_version_is_said(tmp_path):
    path = tmp_path / "chain.log"
    filled(path)
    path.write_bytes(path.read_bytes().replace(b'"v":1', b'"v":2'))
    with pytest.raises(CorruptError, match="expected version 1"):
        Chain(path, Disk())
    with pytest.raises(CorruptError, match="x: it is no link"):
        Entry.of(b"[]", "x")
