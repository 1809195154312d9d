"""The table of bars: every bar has a place, and none is made up."""

import pytest

from shgat.progressive.bars import NOT_BUILT, measured, measures, repositories


def test_every_bar_has_its_place():
    assert sorted({*measures(), *NOT_BUILT}, key=lambda n: int(n[1:])) == [f"B{n}" for n in range(1, 16)]
    assert not set(measures()) & set(NOT_BUILT)


def test_what_is_not_built_is_named_and_not_measured():
    found = list(measured(None, ["B10", "B14"]))
    assert [(b.name, b.found, b.reached) for b in found] == [("B10", "not built yet", None), ("B14", "not built yet", None)]


def test_repositories_of_a_folder(three, tmp_path):
    for path in three:
        (tmp_path / path.name).symlink_to(path)
    (tmp_path / "none").mkdir()
    found = repositories(tmp_path, tmp_path)
    assert [p.name for p in found] == ["r1.git", "r2.git", "r3.git"]


@pytest.mark.slow
def test_generated_repositories(tmp_path):
    assert len(repositories(None, tmp_path)) == 8
