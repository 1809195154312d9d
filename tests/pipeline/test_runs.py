"""Runs come back as they were written, in their order, and go when there are too many."""

import os
import stat

import pytest

from shgat.errors import InputError
from shgat.pipeline.runs import Runs, Step, fingerprint


@pytest.fixture
def runs(tmp_path):
    times = iter(range(1000, 2000))
    return Runs(tmp_path / "runs", lambda: float(next(times)))


def test_a_run_comes_back(runs):
    run = runs.begin({"user": "local"})
    run.steps["train"] = Step("done", "f" * 64, 1.0, 2.0, reason="because", facts={"loss": float("nan"), "n": 5})
    runs.save(run)
    back = runs.latest()
    assert back.facts("train") == {"loss": None, "n": 5}
    assert (back.id, back.status, back.settings, back.done("train"), back.done("compare")) == (
        run.id,
        "open",
        {"user": "local"},
        True,
        False,
    )
    with pytest.raises(InputError, match="compare is not done yet: shgat pipeline compare"):
        back.facts("compare")
    assert stat.S_IMODE(os.stat(runs.place(run)).st_mode) == 0o700  # noqa: PTH116


def test_the_newest_stay_and_an_open_one(runs):
    assert runs.all() == []
    assert runs.latest() is None
    made = [runs.begin({}) for _ in range(6)]
    for run, status in zip(made, ("open", "refused", "unchanged", "promoted", "unchanged", "promoted"), strict=True):
        run.status = status
        runs.save(run)
    assert [r.id for r in runs.all()] == [r.id for r in made]
    assert runs.prune(2) == 3  # among them the first of those that found nothing new
    assert [r.status for r in runs.all()] == ["open", "unchanged", "promoted"]


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"id": "x", "steps": {"train": 5}}', b'{"steps": {}, "strange": 1}'])
def test_a_file_that_is_no_run_is_named(runs, content):
    run = runs.begin({})
    (runs.place(run) / "run.json").write_bytes(content)
    with pytest.raises(InputError, match=r"run\.json is no run"):
        runs.all()


def test_a_folder_without_a_journal_is_what_was_killed_at_its_birth(runs):
    (runs.folder / "20200101T000000-abcdef").mkdir(parents=True)
    assert runs.all() == []


def test_a_fingerprint_does_not_mind_the_order_of_keys():
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1}) != fingerprint({"a": 2, "b": 1})
