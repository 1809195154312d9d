"""Sessions out of a ranker's store: what was offered and with which chance comes from decisions, and what a trace says itself stays."""

import pytest

from shgat import Trace
from shgat.experiments.counterfactual import DecisionLog
from shgat.experiments.logged_sessions import from_store
from shgat.store import Decision, Ranked, Store
from traces.examples import CATALOG, D

X = [1.0] * D


@pytest.fixture
def store(sqlite_url):
    with Store.open(sqlite_url, D) as store:
        yield store


def test_steps_have_what_their_decisions_offered(store):
    for i, chosen in enumerate(("t0", "t1", "t0")):
        key = f"{i}" * 32
        ranked = (Ranked("t0", 1, 1.0), Ranked("t1", 2, 0.75), Ranked("t2", 0, 0.0, ((2, 0.25),)))
        store.add_decision(Decision(id=key, ranked=ranked, model_version="1", intent="i", embedding=X, session="s"))
        store.add_trace(Trace(id=key, decision_id=key, tools=[chosen], session="s", embedding=X, intent="i"))
    store.add_trace(Trace(id="own", tools=["t3"], session="u", embedding=X, offered=["t3"], propensity=0.5))
    store.add_trace(Trace(id="bare", tools=["t4"], session="v", embedding=X))
    found = from_store(store, CATALOG)
    s, u, v = found.sessions
    assert [step.chosen for step in s.steps] == ["t0", "t1", "t0"]
    decisions = DecisionLog.from_store(store, CATALOG)
    expected = dict(zip(decisions.traces.ids.tolist(), decisions.propensity.tolist(), strict=True))
    assert [step.propensity for step in s.steps] == pytest.approx([expected[f"{i}" * 32] for i in range(3)])
    assert {step.offered for step in s.steps} == {("t0", "t1", "t2")}
    assert (u.steps[0].propensity, u.steps[0].offered) == (0.5, ("t3",))
    assert (v.steps[0].propensity, v.steps[0].offered) == (None, ())
    assert {session.end for session in found.sessions} == {"truncated"}
    assert from_store(store, CATALOG, unended="terminal").terminal.all()


def test_a_session_that_lost_its_beginning_is_left_out_and_named(store):
    store.add_traces([Trace(id=f"t{i}", tools=["t0"], session="s", embedding=X) for i in range(3)])
    store.remove_traces(["t0", "t1"])
    found = from_store(store, CATALOG)
    assert (len(found), str(found.skipped[0])) == (
        0,
        "session 's', step 2: the steps before it are missing: bring them, or number from 0",
    )
