"""What a store knows of principals, on both databases."""

import pytest

from shgat.errors import InputError
from shgat.store import Portion, Reason, Retention


def test_the_latest_traces_of_a_principal_come_back_in_their_order(store, make_trace):
    for i in range(12):
        store.add_trace(make_trace(i, principal="abc"[i % 3] if i % 4 else ""), "local" if i < 11 else "other")
    mine = [i for i in range(11) if i % 4 and i % 3 == 1]
    assert [t.id for t in store.traces_of_principal("b", 0.0, 9)] == [f"t{i}" for i in mine]
    assert [t.id for t in store.traces_of_principal("b", 0.0, 2)] == [f"t{i}" for i in mine[-2:]]
    since = store.trace(f"t{mine[1]}").timestamp
    assert [t.id for t in store.traces_of_principal("b", since, 9)] == [f"t{i}" for i in mine[1:]]
    assert [t.id for t in store.traces_of_principal("b", 0.0, 9, store.trace(f"t{mine[0]}").seq)] == [f"t{i}" for i in mine[1:]]
    assert [t.id for t in store.traces_of_principal("c", 0.0, 9, 0, "other")] == ["t11"]
    assert store.traces_of_principal("", 0.0, 9) == []
    assert {t.principal for t in store.traces()} == {"", "a", "b", "c"}


def test_portions_say_what_was_learned_waits_and_is_held_back(store, make_trace):
    assert store.portions() == {}
    store.add_traces([make_trace(i) for i in range(3)])
    assert store.portions() == {}  # nobody was named
    store.add_traces([make_trace(i, principal="a") for i in range(3, 9)])
    store.add_traces([make_trace(9, principal="b")])
    store.add_traces([make_trace(20, principal="b")], "other")
    store.set_priorities(["t0", "t3", "t4"], [0.5] * 3)
    store.set_aside(
        {"t5": Reason("its share", "principal a"), "t6": Reason("no tool", "tool x"), "t1": Reason("no tool", "tool x")}
    )
    assert store.portions() == {"a": Portion(2, 2, 1), "b": Portion(0, 1), "": Portion(2, 0)}
    assert store.portions("other") == {"b": Portion(0, 1)}
    assert store.take_back({"principal a"}) == 1
    assert store.portions()["a"] == Portion(2, 3)


def test_the_latest_move_counts_and_none_is_lost(store):
    def decide(action, mode=None, principal="a"):
        return store.move_principal(principal, action, mode=mode, who="me", why="odd")

    assert store.principal_moves("a") == []
    moves = [decide("reset"), decide("pin", "off"), decide("undo"), decide("undo"), decide("pin", "on")]
    assert [m.mode for m in moves] == ["gated", "off", "gated", "off", "on"]
    assert moves[0].since > 1e9
    assert {m.since for m in moves} == {moves[0].since}
    assert decide("pin", "on", "b").since == 0.0
    assert decide("undo", None, "b").mode == "gated"
    assert store.principal_moves("a") == moves
    assert [m.number for m in moves] == sorted(m.number for m in moves)
    assert store.principal_moves("a", "other") == []
    assert moves[0].to_dict()["why"] == "odd"


@pytest.mark.parametrize(
    "wrong",
    [
        {"principal": ""},
        {"principal": "a\0b"},
        {"mode": "sometimes"},
        {"mode": None},
        {"action": "delete"},
        {"who": ""},
        {"why": 7},
        {"action": "undo"},
    ],
)
def test_a_move_that_means_nothing_is_refused(store, wrong):
    given = {"principal": "a", "action": "pin", "mode": "off", "who": "me", "why": "so"} | wrong
    with pytest.raises(InputError):
        store.move_principal(given.pop("principal"), given.pop("action"), **given)
    assert store.principal_moves("a") == []


def test_retention_lets_the_latest_moves_of_each_stay(store):
    moves = [store.move_principal("a", "pin", mode=mode, who="me", why="so") for mode in ("off", "on", "off", "on")]
    other = store.move_principal("b", "pin", mode="on", who="me", why="so")
    store.retain(Retention(moves=2))
    assert store.principal_moves("a") == moves[-2:]
    assert store.principal_moves("b") == [other]
