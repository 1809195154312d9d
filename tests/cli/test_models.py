"""`shgat models`: versions go in, through the gate, back and out again; every verb as JSON too."""

import json

import pytest

from shgat import SHGAT
from shgat.registry import StoreRegistry
from shgat.store import Store
from worlds import SAMPLE


@pytest.fixture
def url(trained, sqlite_url):
    """A store with the sample's catalogue and two versions: 1 untrained and in production, 2 trained."""
    with Store.open(sqlite_url, trained.catalog.dimension) as store:
        store.keep_catalog(trained.catalog)
    return sqlite_url


@pytest.fixture
def tell(ask, url):
    """Runs a verb: what it says as JSON."""

    def call(*words, code=0):
        found, out, err = ask("models", *words, "--url", url, "--json")
        assert found == code, err
        return json.loads(out) if code == 0 else err

    return call


@pytest.fixture
def imported(tell, untrained, trained):
    assert tell("import", untrained)["version"] == 1
    assert tell("import", trained.path, "--parent", 1)["parent"] == 1
    return tell


def test_a_file_becomes_a_version_and_a_version_a_file(imported, tmp_path, trained):
    file = tmp_path / "out.safetensors"
    said = imported("export", "v2", file)
    assert said == {"version": 2, "file": str(file), "bytes": file.stat().st_size}
    assert SHGAT.load(file).to_bytes() == SHGAT.load(trained.path).to_bytes()
    listed = imported("list")
    assert [(v["version"], v["aliases"], v["parent"]) for v in listed["versions"]] == [(1, [], None), (2, [], 1)]
    assert listed["versions"][1]["traces"] == trained.report.n_traces
    assert (listed["aliases"], listed["moves"]) == ({}, [])


def test_a_version_is_promoted_past_the_gate_and_goes_back(imported, trained, url):
    test = ("--traces", SAMPLE / "test.jsonl")
    first = imported("promote", 1, *test, "--who", "ann", "--why", "the first")
    assert (first["before"], first["after"], first["who"], first["why"], first["figures"]["passed"]) == (
        None,
        1,
        "ann",
        "the first",
        True,
    )
    assert imported("promote", 2, *test, "--catalog", SAMPLE)["after"] == 2
    with Store.open(url) as store:
        assert StoreRegistry(store).aliases() == {"production": 2}
    back = imported("rollback", "--why", "a drill")
    assert (back["before"], back["after"], back["action"], back["why"]) == (2, 1, "rollback", "a drill")
    assert "there is no earlier version that production could go back to" in imported("rollback", code=1)
    shown = imported("show", "production")
    assert (shown["version"], shown["aliases"], [m["action"] for m in shown["moves"]]) == (
        1,
        ["production"],
        ["rollback", "promote", "promote"],
    )
    assert shown["facts"]["catalog"] == trained.catalog.fingerprint


def test_what_the_gate_refuses_is_an_error_with_the_figures(imported):
    test = ("--traces", SAMPLE / "test.jsonl")
    imported("promote", 2, *test)
    assert "v1 is not promoted: worse than production on all: 0." in imported("promote", 1, *test, code=1)
    assert "0 held-out intents, at least 20 are needed" in imported("promote", 1, code=1)  # the store has no traces
    assert "--force needs --why" in imported("promote", 1, *test, "--force", code=2)
    forced = imported("promote", 1, *test, "--force", "--why", "a drill")
    assert (forced["forced"], forced["figures"]["passed"]) == (True, False)


def test_other_aliases_have_no_gate(imported):
    assert imported("promote", 2, "--alias", "staging")["after"] == 2
    assert imported("list")["aliases"] == {"staging": 2}
    assert imported("rollback", "--alias", "staging")["after"] is None
    assert "--force goes with --alias production" in imported("promote", 2, "--alias", "staging", "--force", "--why", "x", code=2)
    assert "alias is one of" in imported("promote", 2, "--alias", "best", code=1)


def test_a_canary_has_terms(imported, url):
    assert imported("promote", 2, "--alias", "canary", "--percent", 10, "--hours", 2)["after"] == 2
    with Store.open(url) as store:
        number, terms = store.alias_terms("canary")
        assert (number, terms["percent"]) == (2, 10.0)
        assert terms["until"] == pytest.approx(store.clock() + 7200.0, abs=300.0)
    assert "--percent goes with --alias canary" in imported("promote", 2, "--alias", "shadow", "--percent", 10, code=2)
    assert "canary: percent lies in [0.1, 50]" in imported("promote", 2, "--alias", "canary", "--percent", 90, code=1)


def test_what_differs_is_named(imported):
    found = imported("diff", 1, "v2")
    assert found["versions"] == [1, 2]
    assert found["facts"]["parent"] == {"v1": None, "v2": 1}
    assert "metrics.accepted" in found["facts"]
    assert found["tools"] == {"added": [], "removed": []}
    assert any(distance for distance in found["parameters"].values())
    same = imported("diff", 2, 2)
    assert (same["facts"], set(same["parameters"].values())) == ({}, {0.0})


def test_people_see_tables(ask, imported, url, tmp_path):
    imported("promote", 2, "--alias", "canary")
    for words, shown in (
        (("list",), ("versions", "canary", "moves, the latest first")),
        (("show", "canary"), ("facts.catalog", "assign")),
        (("diff", 1, 2), ("metrics.accepted", "moved")),
        (("diff", 1, 1), ("The facts are the same.",)),
        (("export", 1, tmp_path / "x.safetensors"), ("v1 -> ",)),
        (("promote", 1, "--alias", "canary"), ("canary: v2 -> v1",)),
        (("rollback", "--alias", "canary"), ("canary: v1 -> v2",)),
    ):
        code, out, err = ask("models", *words, "--url", url)
        assert code == 0, err
        assert all(text in out for text in shown), out


def test_what_makes_no_sense_is_refused(ask, imported, url, tmp_path):
    for words, text, code in (
        (("show", 7), "there is no such version", 1),
        (("show", "production"), "there is no version 'production'", 1),
        (("list", "--name", "x"), "--name goes with --mlflow URI", 2),
        (("export", 1, tmp_path / "no" / "x"), "there is no folder", 2),
    ):
        found, _, err = ask("models", *words, "--url", url)
        assert found == code
        assert text in err


def test_an_empty_store_has_no_versions(ask, sqlite_url):
    Store.open(sqlite_url, 8).close()
    code, out, _ = ask("models", "list", "--url", sqlite_url)
    assert (code, out.strip()) == (0, "There is no version.")
    code, _, err = ask("models", "promote", 1, "--url", sqlite_url)
    assert (code, "holds no catalogue yet: give --catalog DIR" in err) == (2, True)
