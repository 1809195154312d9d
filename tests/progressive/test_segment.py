"""Segments: what is measured while writing is what is read."""

import pytest

from shgat.errors import QuotaError
from shgat.progressive.disk import Disk
from shgat.progressive.merkle import root_of_lines
from shgat.progressive.segment import SegmentWriter, measured, read


def test_written_and_read(tmp_path):
    writer = SegmentWriter(tmp_path / "a.part", Disk(), 10**6)
    for i in range(5000):
        writer.add({"b": i, "a": "é"})
    found = writer.done()
    data = (tmp_path / "a.part").read_bytes()
    lines = data.split(b"\n")[:-1]
    assert lines[3] == '{"a":"é","b":3}'.encode()
    assert (found.n, found.bytes, found.root) == (5000, len(data), root_of_lines(lines).hex())
    assert measured(read(tmp_path / "a.part")) == found


def test_a_line_feed_that_is_missing_or_more_is_another_segment(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"{}\n{}\n")
    whole = measured(read(path))
    for data in (b"{}\n{}", b"{}\n{}\n\n", b"{}{}\n", b""):
        path.write_bytes(data)
        assert measured(read(path)) != whole


def test_no_byte_more_than_it_may_have(tmp_path):
    writer = SegmentWriter(tmp_path / "a.part", Disk(), 20)
    writer.add({"a": 1})
    with pytest.raises(QuotaError, match="more than the 20 bytes"):
        writer.add({"a": "x" * 20})
    writer.abandon()
    assert not (tmp_path / "a.part").exists()
