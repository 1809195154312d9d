"""Bars of reading say what they measured."""

import pytest

from shgat.progressive import replay_bars
from shgat.progressive.bar import Bench


@pytest.fixture
def bench(three, tmp_path):
    return Bench(three, tmp_path)


def test_memory(bench):
    found = replay_bars.memory(bench)
    assert found.found.startswith(("r1.git", "r2.git", "r3.git"))
    assert " MB; " in found.found


def test_four_that_are_not_there_and_four_that_are(bench, three, planted, tmp_path):
    assert replay_bars.four(bench).reached is None
    (tmp_path / "named").mkdir()
    for name, path in zip(("asv", "httpx", "lightfm", "nanoGPT"), (*three, planted.path), strict=True):
        (tmp_path / "named" / name).symlink_to(path)
    found = replay_bars.four(Bench(sorted((tmp_path / "named").iterdir()), tmp_path))
    assert " 0 failing, " in found.found


def test_jobs_end_the_same(bench):
    assert "the same root and chain" in replay_bars.jobs(bench).found


@pytest.mark.slow
def test_speed(bench):
    assert "commits" in replay_bars.speed(bench).found
