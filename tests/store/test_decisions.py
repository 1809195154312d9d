"""Decisions in a store: each comes back as it went, and what makes no decision is refused."""

import numpy as np
import pytest
import sqlalchemy as sa

from shgat.errors import DamagedError, InputError
from shgat.store import Decision, Ranked, Store
from shgat.traces import Trace
from traces.examples import D


def test_a_decision_comes_back_as_it_went(store):
    decision = Decision(
        id="d1",
        intent="read a file",
        embedding=np.arange(D, dtype=np.float32),
        ranked=[("fs.read", 1, 0.75), Ranked("fs.list", 2, 0.25)],
        model_version="12",
        context_tools=["fs.write", "thé", "fs.write"],
        session="s",
        created_at=7.25,
    )
    assert store.add_decision(decision)
    assert not store.add_decision(Decision(id="d1", intent="other", ranked=[], model_version="13"))
    found = store.decision("d1")
    assert found.ranked == (Ranked("fs.read", 1, 0.75), Ranked("fs.list", 2, 0.25))
    assert found.intent_hash == decision.intent_hash
    assert found.context_tools == ("fs.write", "thé", "fs.write")
    assert (found.intent, found.model_version, found.session, found.created_at) == ("read a file", "12", "s", 7.25)
    np.testing.assert_array_equal(found.embedding, decision.embedding)
    assert store.decision("d2") is None


def test_what_is_not_given_has_a_default(url):
    with Store.open(url, D, clock=lambda: 42.5) as store:
        store.add_decision(Decision(id="d", intent="i", ranked=[], model_version="1"))
        found = store.decision("d")
    assert (found.context_tools, found.session, found.embedding, found.ranked, found.created_at) == ((), None, None, (), 42.5)
    assert Decision(intent="i", ranked=[], model_version="1").id != Decision(intent="i", ranked=[], model_version="1").id


def test_an_intent_may_be_kept_as_a_hash_only(store):
    store.add_decision(Decision(id="d", intent_hash="ab12", ranked=[], model_version="1"))
    assert store.decision("d").intent is None
    with pytest.raises(InputError, match="intent_hash"):
        Decision(ranked=[], model_version="1")


def test_decisions_stream_from_a_cursor(store):
    given = [Decision(id=f"d{i}", intent="i", ranked=[("a", 1)], model_version="1") for i in range(1200)]
    assert store.add_decisions([*given, given[0]]) == [True] * 1200 + [False]
    found = list(store.decisions())
    assert [d.id for d in found] == [d.id for d in given]
    assert [d.id for d in store.decisions(after=found[9].seq, limit=2)] == ["d10", "d11"]
    assert store.add_decisions([]) == []


@pytest.mark.parametrize("ranked", [[("a", 0)], [("a", 1, 1.5)], [("a", 1, float("nan"))], [("", 1)], [("a\0", 1)]])
def test_bad_answers_are_refused(ranked):
    with pytest.raises(InputError, match="decision 'd'"):
        Decision(id="d", intent="i", ranked=ranked, model_version="1")


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"id": ""}, "the id of a decision"),
        ({"intent": "a\0"}, r"decision 'd': intent holds U\+0000 at position 1"),
        ({"session": "\ud800"}, "decision 'd': session"),
        ({"model_version": ""}, "decision 'd': model_version"),
        ({"context_tools": "abc"}, "decision 'd': context_tools"),
        ({"context_tools": ["a", ""]}, r"decision 'd': context_tools\[1\]"),
        ({"context_tools": ["a\0"]}, r"decision 'd': context_tools holds U\+0000"),
        ({"embedding": [0.0, np.nan]}, "decision 'd': embedding holds NaN"),
        ({"embedding": [None, []]}, "decision 'd': embedding is not an array of numbers"),
    ],
)
def test_a_bad_decision_is_refused_by_name(change, fault):
    with pytest.raises(InputError, match=fault):
        Decision(**({"id": "d", "intent": "i", "ranked": [], "model_version": "1"} | change))


def test_another_dimension_is_refused_and_nothing_of_its_batch_taken(store):
    good, bad = (Decision(id=f"d{n}", intent="i", embedding=np.zeros(n), ranked=[], model_version="1") for n in (D, D + 1))
    with pytest.raises(InputError, match="decision 'd9': embedding has 9 dimensions, the store has 8"):
        store.add_decisions([good, bad])
    assert store.counts()["decisions"] == 0


@pytest.mark.parametrize("change", ["""ranked = '[["a", 0, 1.0]]'""", """ranked = '{"a": 1}'""", """context_tools = '"abc"'"""])
def test_a_torn_row_is_an_error_of_the_store(store, change):
    store.add_decision(Decision(id="d", intent="i", ranked=[("a", 1)], model_version="1"))
    with store.database.write() as connection:
        connection.execute(sa.text(f"UPDATE decisions SET {change}"))
    with pytest.raises(DamagedError, match=r"decision 'd' is torn.*shgat db remove --decision d"):
        store.decision("d")


@pytest.mark.parametrize("change", ["""ranked = '[["a", 0, 1.0]]'""", "ranked = '7'", "embedding = x'01'", "context_tools = '{'"])
def test_one_torn_row_of_many_is_left_out_and_can_be_removed(sqlite_url, change, caplog):
    with Store.open(sqlite_url, D) as store:
        store.add_decisions([Decision(id=f"d{i}", intent="i", ranked=[("a", 1)], model_version="1") for i in range(5)])
        with store.database.write() as connection:
            connection.execute(sa.text(f"UPDATE decisions SET {change} WHERE id = 'd2'"))
        assert store.decisions_of([f"d{i}" for i in range(7)]).keys() == {"d0", "d1", "d3", "d4"}
        assert "d2" in caplog.text
        with pytest.raises(DamagedError, match=r"'d2' is torn.*shgat db remove --decision d2"):
            store.decision("d2")
        assert store.remove_decisions(["d2", "unknown"]) == 1
        assert len(list(store.decisions())) == 4


def test_what_was_drawn_and_what_was_not_come_back_with_their_chances(store):
    ranked = (Ranked("a", 1), Ranked("b", 2, 0.75, ((2, 0.75),)), Ranked("c", 0, 0.0, ((2, 0.25),)))
    assert store.add_decision(Decision(id="d", model_version="v1", intent="i", ranked=ranked))
    found = store.decision("d").ranked
    assert found == ranked
    assert [r.places for r in found] == [((1, 1.0),), ((2, 0.75),), ((2, 0.25),)]
    for bad in (("a", 0), ("a", 1, 1.0, ((0, 0.5),)), ("a", 1, 1.0, ((1, 2.0),))):
        with pytest.raises(InputError, match="decision 'e'"):
            Decision(id="e", model_version="v1", intent="i", ranked=(bad,))


def test_what_sessions_were_shown_comes_back_in_its_order(store):
    def decide(key, session, *ids, user="local", principal=""):
        ranked = [*(Ranked(i, place) for place, i in enumerate(ids, 1)), Ranked("drawn", 0, 0.0, ((1, 0.1),))]
        assert store.add_decision(
            Decision(id=key, model_version="v", intent="i", ranked=ranked, session=session, user_id=user, principal=principal)
        )

    decide("1", "s", "a", "b")
    decide("2", None, "c")
    decide("3", "t", "d", principal="team")
    decide("4", "s", "a", "b", "c")
    decide("5", "s", "z", user="other")
    assert store.shown(10) == [("", "s", ("a", "b")), ("team", "t", ("d",)), ("", "s", ("a", "b", "c"))]
    assert store.shown(1) == [("", "s", ("a", "b", "c"))]
    assert store.shown(10, "other") == [("", "s", ("z",))]


def test_answers_are_counted_by_version_with_what_became_of_them(store):
    told = ("v1", 10.0, "local"), ("v1", 20.0, "local"), ("v2", 30.0, "local"), ("v2", 5.0, "local"), ("v2", 30.0, "other")
    for i, (version, at, user) in enumerate(told):
        ranked = [Ranked("a", 1)]
        store.add_decision(Decision(id=str(i), model_version=version, intent="i", ranked=ranked, created_at=at, user_id=user))
    outcomes = {0: 1.0, 1: 0.25, 3: 1.0}
    store.add_traces([Trace(id=f"t{i}", decision_id=str(i), intent="i", tools=("a",), outcome=o) for i, o in outcomes.items()])
    assert store.answers_since(9.0) == {"v1": (2, 2, 1.25), "v2": (1, 0, 0.0)}
    assert store.answers_since(30.0) == {}
