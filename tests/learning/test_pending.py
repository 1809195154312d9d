"""What waits is bounded, feedback is never given up, and a decision takes one."""

import pytest

from shgat.errors import StoreError
from shgat.learning import pending as module
from shgat.learning.entry import Entry
from shgat.learning.pending import RECENT, WAITING, Pending
from shgat.store import Decision, Ranked
from shgat.traces import Trace


def decision(key):
    return Decision(id=key, ranked=(Ranked("t1", 1),), model_version="v1", intent="i", context_tools=("c",), user_id="alice")


def entry(key, known=True):
    found = Entry("bob", Trace(id=key, decision_id=key, tools=("t1",)), None)
    return found.joined(decision(key)) if known else found


def test_the_oldest_decisions_are_given_up():
    pending = Pending()
    for i in range(WAITING + 3):
        pending.decided(decision(f"d{i}"))
    assert (len(pending), pending.dropped) == (WAITING, 3)
    assert pending.some(pending.decisions, 2)[0].id == "d3"
    assert pending.decision("d2") is None
    assert pending.decision("d3").id == "d3"  # it waits, and is not among the latest
    assert pending.decision(f"d{WAITING}").id == f"d{WAITING}"


def test_a_decision_is_at_hand_after_it_was_written():
    pending = Pending()
    for i in range(RECENT + 1):
        pending.decided(decision(f"d{i}"))
    pending.forget(pending.decisions, [f"d{i}" for i in range(RECENT + 1)])
    assert len(pending) == 0
    assert pending.decision("d0") is None
    assert pending.decision("d1").id == "d1"


def test_feedback_is_refused_and_never_given_up_where_too_much_waits():
    pending = Pending()
    for i in range(WAITING):
        assert pending.executed(entry(f"d{i}", known=bool(i % 2)))
    with pytest.raises(StoreError, match=f"{WAITING} traces are waiting"):
        pending.executed(entry("one too many"))
    assert not pending.executed(entry("d0"))
    pending.forget(pending.entries, ["d1"])
    assert pending.executed(entry("one too many"))  # what was refused is not taken for known


def test_what_is_written_of_one_kind_leaves_the_other():
    pending = Pending()
    pending.decided(decision("d"))
    pending.executed(entry("d"))
    pending.forget(pending.decisions, ["d"])
    assert [e.key for e in pending.some(pending.entries, 5)] == ["d"]


def test_a_decision_alone_replaces_no_feedback():
    pending = Pending()
    pending.keep(entry("d"))
    pending.keep(Entry.alone(decision("d")))
    assert [e.trace.id for e in pending.some(pending.entries, 5)] == ["d"]
    assert list(pending.decisions) == ["d"]


def test_feedback_alone_is_joined_when_its_decision_is_found_and_goes_on_without_in_the_end(monkeypatch):
    pending = Pending()
    for key in ("a", "b"):
        pending.executed(entry(key, known=False))
    assert pending.sought() == ["a", "b"]
    assert pending.sought() == []  # not at once again
    assert 0 < pending.until_look <= module.LOOK[0]
    (joined,), in_vain = pending.found({"a": decision("a")})
    assert (pending.some(pending.entries, 5), in_vain) == ([joined], [])
    assert (joined.trace.intent, joined.trace.context_tools, joined.user_id) == ("i", ("c",), "alice")
    monkeypatch.setattr(module, "PATIENCE", 0.0)
    assert pending.found({}) == ([], ["b"])
    assert [e.key for e in pending.some(pending.entries, 5)] == ["a", "b"]
    assert pending.until_look == float("inf")


def test_the_looks_become_rarer_until_something_new_comes():
    pending = Pending()
    pending.executed(entry("a", known=False))
    pauses = []
    for _ in range(12):
        pending._next_look = 0.0
        pending.sought()
        pauses.append(pending.until_look)
    assert pauses[-1] > 4.0
    pending.executed(entry("b", known=False))
    assert pending.until_look == 0.0
