"""The table of bars: every bar has a place, and none is made up."""

import pytest

from shgat.progressive.bars import measured, measures, repositories


def test_every_bar_has_its_place():
    assert sorted(measures(), key=lambda n: int(n[1:])) == [f"B{n}" for n in range(1, 16)]


def test_a_name_measures_that_bar_alone(three, tmp_path):
    (tmp_path / three[0].name).symlink_to(three[0])
    assert [b.name for b in measured(tmp_path, ["B13"])] == ["B13"]


def test_repositories_of_a_folder(three, tmp_path):
    for path in three:
        (tmp_path / path.name).symlink_to(path)
    (tmp_path / "none").mkdir()
    found = repositories(tmp_path, tmp_path)
    assert [p.name for p in found] == ["r1.git", "r2.git", "r3.git"]


@pytest.mark.slow
def test_generated_repositories(tmp_path):
    assert len(repositories(None, tmp_path)) == 8
