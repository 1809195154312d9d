"""Traces in a store: each comes back as it went, and each decision takes one."""

import itertools

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings

from shgat.errors import DamagedError, StoreError, TraceError
from shgat.store import Store
from shgat.traces import Trace
from traces.examples import D, any_trace


class TestTraces:
    def test_a_trace_comes_back_as_it_went(self, store, make_trace, columns):
        trace = make_trace(1, priority=0.5, weight=0.1)
        assert store.add_trace(trace)
        assert columns(store.trace("t1")) == columns(trace)
        assert store.trace("t1").weight == 0.1
        assert store.trace("unknown") is None

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(trace=any_trace)
    def test_any_trace_comes_back_as_it_went(self, store, columns, trace):
        assert store.add_trace(trace)
        number = {"step": store.trace(trace.id).step} if trace.session and trace.step is None else {}
        assert number.get("step") != -1
        assert columns(store.trace(trace.id)) == columns(trace) | number

    def test_a_session_numbers_on_and_nothing_that_was_known_takes_a_number(self, store):
        def of(*ids, session="s", **more):
            return [Trace(id=i, decision_id=i, session=session, **more) for i in ids]

        store.add_traces(of("a", "b"))
        store.add_traces([*of("b", "c", "c"), *of("x", session="other"), *of("p", principal="team"), Trace(id="alone")])
        store.add_traces(of("d", "a"), "somebody else")
        store.add_traces(of("late", step=9))
        store.add_traces(of("e", end="terminal", rating=4, offered=("t", "u"), propensity=0.25))
        assert [(t.id, t.step) for t in store.session("s")] == [("a", 0), ("b", 1), ("c", 2), ("late", 9), ("e", 10)]
        assert [(t.id, t.step) for t in store.session("s", "team")] == [("p", 0)]
        assert [(t.id, t.step) for t in store.session("s", user_id="somebody else")] == [("d", 0)]
        last = store.session("s")[-1]
        assert (last.end, last.rating, last.offered, last.propensity) == ("terminal", 4.0, ("t", "u"), 0.25)
        assert [t.id for t in store.session("other")] == ["x"]
        assert (store.trace("alone").session, store.trace("alone").step) == ("", None)
        assert store.session("nobody") == []

    def test_a_decision_takes_one_trace(self, store, make_trace, columns):
        first = make_trace(1)
        assert store.add_trace(first)
        assert not store.add_trace(make_trace(1, id="another", outcome=0.9))
        assert not store.add_trace(make_trace(1, decision_id="another", outcome=0.9))
        assert [columns(t) for t in store.traces()] == [columns(first)]
        assert store.counts()["priorities"] == 1

    def test_traces_without_a_decision_are_all_taken(self, store, make_trace):
        assert store.add_traces([make_trace(i, decision_id=None) for i in range(3)]) == [True] * 3

    def test_a_batch_is_taken_once_however_it_repeats_itself(self, store, make_trace):
        batch = [make_trace(1), make_trace(1), make_trace(2), make_trace(3, decision_id="d2")]
        assert store.add_traces(batch) == [True, False, True, False]
        assert store.add_traces(batch) == [False] * 4
        assert store.add_traces([]) == []

    def test_the_timestamp_is_the_clock_unless_given(self, url):
        with Store.open(url, D, clock=lambda: 42.5) as store:
            store.add_traces([Trace(id="x"), Trace(id="y", timestamp=7)])
            assert [t.timestamp for t in store.traces()] == [42.5, 7.0]

    def test_traces_stream_in_order_from_a_cursor(self, store, make_trace):
        store.add_traces([make_trace(i) for i in range(2500)])
        ids = [t.id for t in store.traces()]
        assert ids == [f"t{i}" for i in range(2500)]
        middle = next(itertools.islice(store.traces(), 1200, None)).seq
        assert [t.id for t in store.traces(after=middle)] == ids[1201:]
        assert [t.id for t in store.traces(after=middle, limit=1100)] == ids[1201:2301]
        assert list(store.traces(limit=0)) == []

    def test_traces_are_found_by_their_ids(self, store, make_trace, columns):
        store.add_traces([make_trace(i) for i in range(1200)])
        found = store.traces_of([f"t{i}" for i in range(-5, 1150)])
        assert found.keys() == {f"t{i}" for i in range(1150)}
        assert columns(found["t1100"]) == columns(make_trace(1100))
        assert store.traces_of([]) == {}

    def test_feedback_is_found_by_its_decision(self, store, make_trace, columns):
        store.add_traces([make_trace(i) for i in range(1200)])
        store.add_trace(make_trace(5000, decision_id=None))
        found = store.feedback_to(["unknown", *(f"d{i}" for i in range(1150)), "d3"])
        assert {decision: trace.id for decision, trace in found.items()} == {f"d{i}": f"t{i}" for i in range(1150)}
        assert columns(found["d1"]) == columns(make_trace(1))
        assert store.feedback_to(["unknown"]) == store.feedback_to([]) == {}

    def test_steps_may_arrive_before_their_parent(self, store):
        store.add_traces([Trace(id=i, intent="step", parent_id="whole") for i in ("b", "a")])
        store.add_trace(Trace(id="whole", intent="whole"))
        assert [t.id for t in store.steps("whole")] == ["b", "a"]
        assert store.steps("a") == []

    def test_another_dimension_is_refused_by_name_and_nothing_of_its_batch_taken(self, store, make_trace):
        with pytest.raises(TraceError, match="'t7': embedding has 9 dimensions, the store has 8"):
            store.add_traces([make_trace(1), make_trace(7, embedding=np.zeros(D + 1, np.float32))])
        assert store.counts()["traces"] == 0

    def test_a_damaged_row_is_named(self, store, make_trace):
        store.add_traces([make_trace(i) for i in range(2)])
        with store.database.write() as connection:
            connection.execute(sa.text("UPDATE traces SET outcome = 7 WHERE id = 't1'"))
        with pytest.raises(DamagedError, match=r"trace 't1' is damaged: its outcome is 7.*shgat db remove --trace t1"):
            list(store.traces())
        assert store.trace("t0") is not None

    @pytest.mark.parametrize("value", [b"", bytes(31), bytes(36), b"\x00\x00\xc0\x7f" * 8, b"\x00\x00\x80\x7f" * 8])
    def test_a_damaged_embedding_is_named(self, sqlite_url, make_trace, value):
        with Store.open(sqlite_url, D) as store:
            store.add_trace(make_trace(1))
            with store.database.write() as connection:
                connection.execute(sa.text("UPDATE traces SET embedding = :value"), {"value": value})
            with pytest.raises(StoreError, match="embedding"):
                list(store.traces())

    def test_one_trace_is_removed_alone_also_a_damaged_one(self, store, make_trace):
        store.add_traces([make_trace(i) for i in range(3)])
        with store.database.write() as connection:
            connection.execute(sa.text("UPDATE traces SET outcome = 7 WHERE id = 't1'"))
        assert store.remove_traces(["t1", "unknown"]) == 1
        assert [t.id for t in store.traces()] == ["t0", "t2"]
        assert store.counts()["priorities"] == 2
        assert store.remove_traces([]) == store.remove_traces(["t1"]) == 0
        assert store.add_trace(make_trace(1))  # its decision may have feedback again


def test_the_latest_of_a_user_since_a_moment_in_the_order_of_arrival(store, make_trace):
    store.add_traces([make_trace(i, timestamp=float(at)) for i, at in enumerate((5, 1, 7, 5, 6))])
    store.add_traces([make_trace(9, timestamp=9.0)], "another")
    assert [t.id for t in store.traces_since(4.0, 10)] == ["t0", "t2", "t3", "t4"]
    assert [t.id for t in store.traces_since(5.0, 10)] == ["t2", "t4"]
    assert [t.id for t in store.traces_since(4.0, 2)] == ["t3", "t4"]
    assert [t.id for t in store.traces_since(0.0, 10, "another")] == ["t9"]
    assert [t.id for t in store.traces_since(0.0, 2, until=5.0)] == ["t1", "t3"]
