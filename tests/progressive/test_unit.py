"""Counts of a unit: exact, bounded, and the same whoever computes them."""

from collections import Counter
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shgat.errors import CorruptError
from shgat.progressive.disk import Disk
from shgat.progressive.events import CONFIG, canonical, events
from shgat.progressive.extraction import extract
from shgat.progressive.history import History
from shgat.progressive.segment import read
from shgat.progressive.unit import BUDGET, MOST_TOGETHER, Tally, better, checked, summarised

REPO = {"config": CONFIG, "lineage": "0" * 32, "head": "a" * 40, "head_time": 1}


def event(*paths, **more):
    files = [{"p": p, "s": "M", "mode": "100644"} for p in paths]
    return {"ae": "a", "ct": 1, "parents": [], "labels": [{"t": "other", "p": 30}], "truncated": False, "files": files} | more


def test_counts_are_those_of_the_events(planted, tmp_path):
    part = tmp_path / "p.part"
    found = extract(History.of(planted.path), part, "0" * 16, "n", Disk(), 1 << 30)
    s = found.summary
    plain = [e for e in events(History.of(planted.path)) if len(e["parents"]) < 2]
    assert s["labels"] == Counter(label["t"] for e in plain for label in e["labels"])
    pairs = Counter(pair for e in plain for pair in combinations(sorted({f["p"] for f in e["files"]}), 2))
    assert {tuple(sorted((s["paths"][a], s["paths"][b]))): n for a, b, n in s["pairs"]} == pairs
    touched = Counter(p for e in plain for p in {f["p"] for f in e["files"]})
    assert dict(zip(s["paths"], s["touched"], strict=True)) == touched
    assert sum(s["following"].values()) == len(plain) - 1
    assert set(s["dropped"].values()) == {0}
    assert canonical(summarised(read(part))) == canonical(s)
    assert checked(s) is s


def test_at_most_its_budget_and_what_did_not_fit_is_counted():
    tally = Tally()
    for i in range(3000):
        tally.add(event(*(f"{'folder/' * 9}{i}-{j}" for j in range(3))))
    summary = tally.summary(REPO, "u")
    assert 0.95 * BUDGET < len(canonical(summary)) <= BUDGET
    dropped = summary["dropped"]
    assert len(summary["paths"]) + dropped["paths"] == summary["files"] == 9000
    assert sum(summary["touched"]) + dropped["touched"] == 9000
    assert sum(n for *_, n in summary["pairs"]) + dropped["together"] == 9000
    long = Tally()
    long.add(event("x" * BUDGET, "y"))
    assert len(canonical(long.summary(REPO, "u"))) <= BUDGET


def test_what_touches_too_much_or_nothing_says_nothing_of_pairs():
    tally = Tally()
    tally.add(event(*map(str, range(MOST_TOGETHER + 1))))
    tally.add(event("a", "b", truncated=True))
    tally.add(event("a", "b", parents=["1", "2"]))
    tally.add(event(ct=None))
    summary = tally.summary(REPO, "u")
    assert (summary["pairs"], summary["n_commits"], summary["n_merges"], summary["files"]) == ([], 4, 1, MOST_TOGETHER + 1)


def test_ties_fall_the_same_way_whatever_comes_first():
    found = []
    for order in ("abcd", "dcba"):
        tally = Tally()
        for letter in order:
            tally.add(event(letter, letter + "2"))
        found.append({k: v for k, v in tally.summary(REPO, "u").items() if k != "following"})
    assert canonical(found[0]) == canonical(found[1])


RANKS = st.fixed_dictionaries(
    {"n_commits": st.integers(0, 2), "head_time": st.integers(0, 2), "head": st.sampled_from("ab"), "x": st.integers(0, 1)}
)


@given(RANKS, RANKS, RANKS)
def test_the_better_of_two_is_a_join(a, b, c):
    assert better(a, b) == better(b, a)
    assert better(a, better(b, c)) == better(better(a, b), c)
    assert better(a, a) == a


def test_what_is_no_summary_is_refused():
    good = Tally().summary(REPO, "u")
    for change in ({"config": "x"}, {"v": 2}):
        with pytest.raises(CorruptError, match=r"configuration|summary"):
            checked(good | change)
    for change in (
        {"paths": ["a"]},
        {"pairs": [[0, 1, 1]]},
        {"labels": {"a": -1}},
        {"lineage": "x"},
        {"n_commits": None, "head": None, "pairs": 1},
    ):
        with pytest.raises(CorruptError, match="no summary"):
            checked(good | change)
    with pytest.raises(CorruptError):
        checked({})
    with pytest.raises(CorruptError, match="no cycle"):
        summarised([])
