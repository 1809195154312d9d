"""`shgat features`: built where it is due, told in tables and JSON, and checked with an exit code."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import sqlalchemy as sa

from features import planted
from shgat.store import Store

D = 16


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A store with a catalogue of 30 capabilities, not to be changed."""
    path = tmp_path_factory.mktemp("features") / "filled.db"
    rng = np.random.default_rng(0)
    with Store.open(f"sqlite:///{path}", D) as store:
        store.upsert_catalog(*planted.catalog(planted.members(40, 30, 5, rng), 40, rng, D).records())
    return path


@pytest.fixture
def url(filled, tmp_path):
    (tmp_path / "s.db").write_bytes(filled.read_bytes())
    return f"sqlite:///{tmp_path}/s.db"


@pytest.fixture
def call(ask):
    def run(*arguments, code=0):
        found, out, err = ask(*arguments)
        assert found == code, err
        return SimpleNamespace(out=out, err=err)

    return run


def test_build_status_check(url, call):
    assert json.loads(call("features", "status", "--url", url, "--json").out)["due"] == "there are none"
    assert "no held-out traces choose" in call("features", "build", "--url", url).out
    assert "Nothing is due" in call("features", "build", "--url", url).out
    built = json.loads(call("features", "build", "--url", url, "--force", "--text-weight", "0.3", "--threads", "2", "--json").out)
    assert (built["written"], built["reason"], built["report"]["ok"]) == (True, "the settings changed", True)
    state = json.loads(call("features", "status", "--url", url, "--json").out)
    assert (state["due"], state["capability_features"], state["state"]["version"], state["state"]["text_weight"]) == (
        None,
        30,
        2,
        0.3,
    )
    assert "capability_features" in call("features", "status", "--url", url).out
    checked = call("features", "check", "--url", url)
    assert "variance" in checked.out
    assert json.loads(call("features", "check", "--url", url, "--json").out)["ok"]


def test_age_is_what_is_said(url, call):
    call("features", "build", "--url", url)
    assert (
        json.loads(call("features", "status", "--url", url, "--max-age-hours", "0", "--json").out)["due"] == "they are 0 hours old"
    )
    assert "since they are 0 hours old" in call("features", "build", "--url", url, "--max-age-hours", "0").out


def test_it_stays_looks_again_and_lives_through_a_store_that_is_away(url):
    command = [sys.executable, "-m", "shgat", "features", "build", "--url", url, "--every", "0.005"]
    path = Path(url.removeprefix("sqlite:///"))
    wide = {**os.environ, "COLUMNS": "300"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=wide) as process:
        try:
            assert process.stdout.readline().startswith("Built version 1, since there are none.")
            whole = path.read_bytes()
            path.write_bytes(b"no database" * 1000)
            assert "tried again in 0.005 minutes" in process.stderr.readline()
            path.write_bytes(whole)
            with Store.open(url) as store:
                store.remove_from_catalog(["c3"])
            assert process.stdout.readline().startswith("Built version 2, since the catalogue changed.")
            assert process.poll() is None
        finally:
            process.terminate()
            process.communicate()


def test_what_fails_a_check_is_named_with_exit_code_1(url, call):
    empty = call("features", "check", "--url", url, code=1)
    assert "shgat: fault: missing of hybrid_embedding, 1 beside 0.05: c0, c1, c10, c11, c12" in empty.err
    call("features", "build", "--url", url)
    assert "age in hours" in call("features", "check", "--url", url, "--max-age-hours", "0", code=1).err
    with Store.open(url) as store, store.database.write() as connection:
        connection.execute(sa.text("UPDATE tools SET embedding = (SELECT embedding FROM tools WHERE id = 't1') WHERE id = 't2'"))
        row = store.features(["c7"])
        assert row
    with Store.open(url) as store, store.database.write() as connection:
        connection.execute(sa.text("UPDATE capability_features SET success_rate = 9e999 WHERE capability_id = 'c7'"))
    found = call("features", "check", "--url", url, code=1)
    assert "fault: not a number of figures, 1 beside 0: c7" in found.err
    assert "worth a look: near duplicates of tools, 1 beside 0.98: t1 ~ t2" in found.err


def test_what_is_not_sound_is_not_written(url, call):
    call("features", "build", "--url", url)
    with Store.open(url) as store, store.database.write() as connection:
        one = "UPDATE capabilities SET embedding = (SELECT embedding FROM capabilities WHERE id = 'c0')"
        connection.execute(sa.text(one))
    refused = call("features", "build", "--url", url, code=1)
    assert "variance of text_embedding" in refused.err
    assert "the features are not written" in refused.err
    assert json.loads(call("features", "build", "--url", url, "--json", code=1).out)["state"]["version"] == 1


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["build", "--url", "nonsense"], 2),
        (["check", "--url", "sqlite:////nowhere/at/all.db"], 2),
        (["build", "--url", "URL", "--text-weight", "2"], 2),
        (["build", "--url", "URL", "--threads", "0"], 2),
        (["build", "--url", "URL", "--every", "0"], 2),
        (["build", "--url", "URL", "--every", "1", "--force"], 2),
        (["build", "--url", "nonsense", "--every", "1"], 2),
    ],
)
def test_what_cannot_work_is_one_line(url, call, arguments, code):
    err = call("features", *[url if a == "URL" else a for a in arguments], code=code).err
    assert err.startswith("shgat: error: ")
    assert len(err.splitlines()) == 1
