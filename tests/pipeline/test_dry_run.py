"""A dry run says what would be, and writes nothing."""

import hashlib
from pathlib import Path

import pytest

from shgat.errors import StoreError
from shgat.pipeline import STEPS, plan
from shgat.store import Store
from shgat.store.migration import downgrade


def planned(pipeline, **options):
    return plan(pipeline.settings, pipeline.runs, STEPS, pipeline.clock, **options)


def content(folder: Path) -> dict[str, str]:
    """What files there are, but for what SQLite needs while a file is open."""
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in folder.rglob("*") if p.is_file() and not p.name.endswith(("-wal", "-shm"))
    }  # fmt: skip


def test_it_touches_nothing(make, lived, tmp_path):
    before = content(tmp_path)
    found = planned(make(canary={"percent": 5.0, "duration": "2h"}))
    assert [p.step for p in found] == list(STEPS)
    assert {p.does for p in found} == {"would run"}
    said = {p.step: p.what for p in found}
    assert said["validate-data"].startswith("200 traces of the last 30d")
    assert said["compare"] == "beside cosine; nothing is in production"
    assert said["canary"] == "5 % of the sessions for 2h"
    assert content(tmp_path) == before


def test_what_is_done_would_not_be_done_again(trained):
    pipeline = trained()
    assert [p.does for p in planned(pipeline)] == ["done"] * 2 + ["would run"] * 5
    assert {p.does for p in planned(pipeline, again=True)} == {"would run"}


def test_an_older_store_is_left_as_it_is(make, lived, sqlite_url, tmp_path):
    with Store.open(sqlite_url) as store:
        downgrade(store.database, "v10_principals")
    before = content(tmp_path)
    with pytest.raises(StoreError, match="shgat db upgrade"):
        planned(make())
    assert content(tmp_path) == before


def test_a_store_that_is_not_there_is_not_made(make, tmp_path):
    with pytest.raises(StoreError, match="there is no such store"):
        planned(make())
    assert content(tmp_path) == {}


def test_a_canary_that_stands_is_named(trained, make, up_to, sqlite_url):
    up_to(trained(), "register")
    with Store.open(sqlite_url) as store:
        store.move_model_alias("canary", 1)
    said = {p.step: p.what for p in planned(make(canary={"percent": 5.0}), again=True)}
    assert said["canary"].endswith("refused while v1 is one")
