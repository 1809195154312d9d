"""Bars of what happens to a run from outside."""

import pytest

from shgat.progressive import crash_bars
from shgat.progressive.bar import Bench


@pytest.mark.slow
def test_the_quota(three, tmp_path):
    found = crash_bars.quota(Bench(three, tmp_path))
    assert found.reached
    assert found.found.count("3 read, 0 too large") == 2


@pytest.mark.slow
def test_kills(tmp_path):
    assert crash_bars.kills(Bench([], tmp_path)).reached
