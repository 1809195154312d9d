"""The record of a commit: the same bytes everywhere, and nothing lost without a word."""

import base64

import orjson
import pytest

from shgat.progressive.events import CONFIG, canonical, digest, event, events, is_text, lineage_of, text, unit_of
from shgat.progressive.history import LONGEST, MOST_FILES, Change, Commit, History

ZERO = b"0" * 40


def made(message=b"m", changes=(), n=None, length=None):
    changes = list(changes)
    return Commit("a" * 40, (), 1, 2, b"n", b"e", message, length or len(message), changes, len(changes) if n is None else n)


def test_canonical_is_sorted_and_stable():
    assert canonical({"b": [1, {"z": 1, "a": "é"}], "a": None}) == '{"a":null,"b":[1,{"a":"é","z":1}]}'.encode()
    assert digest(b"a", b"b") == digest(b"ab")


def test_bytes_that_are_no_text_are_kept_twice(planted):
    found = list(events(History.of(planted.path)))
    assert [e["seq"] for e in found] == list(range(planted.commits))
    odd = [e for e in found if "msg_b64" in e]
    assert odd
    assert all(base64.b64decode(e["msg_b64"]).decode("utf-8", "backslashreplace") == e["msg"] for e in odd)
    files = [f for e in found for f in e["files"] if "b64" in f]
    assert {base64.b64decode(f["b64"]) for f in files} == {b"odd/lat\xefn-1.py"}
    assert {f["p"] for f in files} == {r"odd/lat\xefn-1.py"}
    for e in found:
        assert orjson.loads(canonical(e)) == orjson.loads(orjson.dumps(e))


def test_a_path_that_looks_like_an_escape_is_not_taken_for_one():
    files = event(
        made(changes=[Change("A", "100644", ZERO, ZERO, rb"lat\xefn"), Change("A", "100644", ZERO, ZERO, b"lat\xefn")]), "u", 0
    )["files"]
    assert files[0]["p"] == files[1]["p"]
    assert files[0] != files[1]


def test_what_was_moved_says_from_where(planted):
    moved = {f["of"]: f["p"] for e in events(History.of(planted.path)) for f in e["files"] if "of" in f}
    assert moved == planted.renamed
    assert moved


def test_what_is_cut_is_said():
    many = [Change("A", "100644", ZERO, b"%040d" % i, b"%d" % i) for i in range(MOST_FILES)]
    record = event(made(changes=many, n=10**6), "u", 0)
    assert (record["truncated"], record["n_files"], len(record["files"])) == (True, 10**6, MOST_FILES)
    assert event(made(b"x" * LONGEST, length=10**8), "u", 0)["msg_len"] == 10**8
    assert "msg_len" not in event(made(), "u", 0)


def test_the_boundary_of_a_shallow_copy_is_flagged(planted, tmp_path, git):
    git(tmp_path, "clone", "-q", "--bare", "--depth", "3", f"file://{planted.path}", "s.git")
    found = list(events(History.of(tmp_path / "s.git")))
    assert any(e.get("boundary") for e in found)
    assert all(e["files"] == [] for e in found if e.get("boundary"))


def test_a_fork_has_the_lineage_of_its_origin(work, commit, git, tmp_path):
    commit("one", {"a": b"1"})
    git(tmp_path, "clone", "-q", str(work), "fork")
    commit("two", {"a": b"2"})
    ours, theirs = History.of(work), History.of(tmp_path / "fork")
    assert lineage_of(ours.roots) == lineage_of(theirs.roots)
    assert unit_of("l", ours.head) != unit_of("l", theirs.head)
    assert lineage_of(("b", "a")) == lineage_of(("a", "b")) != lineage_of(("a",))
    assert len(CONFIG) == 16


@pytest.mark.parametrize(("value", "good"), [(b"a", True), ("é".encode(), True), (b"\xe9", False)])
def test_text(value, good):
    assert is_text(value) is good
    assert text(value).isprintable()
