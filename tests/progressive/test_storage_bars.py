"""Bars of storage say what they measured."""

import pytest

from shgat.progressive import storage_bars
from shgat.progressive.bar import Bench


def test_compression(three, tmp_path):
    found = storage_bars.compression(Bench(three, tmp_path))
    assert found.found.startswith("0 of 3 alone")
    assert found.reached is False
    assert "r1.git " in found.found


@pytest.mark.slow
def test_every_flip_is_found(three, tmp_path):
    found = storage_bars.verification(Bench(three, tmp_path))
    assert "500 of 500 flips found" in found.found
