"""One trace: what it may hold, what is refused and how it is named."""

from datetime import UTC, datetime, timedelta, timezone
from types import MappingProxyType

import numpy as np
import pytest

from shgat import InputError, Trace, TraceError
from shgat.traces.record import COLUMNS, of_dimension, said
from traces.examples import GOOD, D, make_trace


def test_everything_but_the_id_has_a_default():
    trace = Trace.from_record({"id": "a"})
    assert vars(trace) == vars(Trace(id="a"))
    assert (trace.intent, trace.tools, trace.context_tools, trace.outcome, trace.weight) == ("", (), (), 1.0, 1.0)
    assert trace.embedding is trace.timestamp is trace.priority is trace.capability is None


def test_a_trace_without_an_id_gets_one_of_its_own():
    assert Trace().id != Trace().id


def test_a_record_keeps_every_field_of_a_file_and_leaves_others_alone():
    trace = make_trace(3)
    record = {name: getattr(trace, name) for name in (*COLUMNS, "embedding")}
    again = Trace.from_record(MappingProxyType({**record, "seq": 7, "anything": {"else": 1}}))
    assert vars(again) == vars(trace)
    assert Trace.from_record(trace) is trace


@pytest.mark.parametrize(("name", "default"), [("intent", ""), ("context_tools", ())])
def test_null_is_absent(name, default):
    assert getattr(Trace.from_record({**GOOD, name: None}), name) == default


@pytest.mark.parametrize("name", ["tools", "outcome", "weight"])
def test_null_is_refused_where_it_says_nothing(name):
    with pytest.raises(TraceError, match=f"'a': {name}"):
        Trace.from_record({**GOOD, name: None})


@pytest.mark.parametrize(
    "moment",
    [
        1772445600,
        "2026-03-02T10:00:00",
        "2026-03-02T10:00:00Z",
        "2026-03-02T11:00:00+01:00",
        datetime(2026, 3, 2, 10),
        datetime(2026, 3, 2, 10, tzinfo=UTC),
        datetime(2026, 3, 2, 4, tzinfo=timezone(timedelta(hours=-6))),
    ],
)
def test_a_moment_has_many_forms_and_is_utc_without_a_zone(moment):
    assert Trace(id="a", timestamp=moment).timestamp == 1772445600.0
    assert Trace(id="a", timestamp="2026-03-02").timestamp == 1772445600.0 - 36_000


def test_half_an_outcome_is_a_success():
    assert Trace(outcome=0.5).succeeded
    assert not Trace(outcome=np.nextafter(0.5, 0)).succeeded


BAD = {
    "id empty": ({"id": ""}, "the id of a trace"),
    "id a number": ({"id": 7}, "the id of a trace"),
    "intent a number": ({"intent": 7}, "'b': intent"),
    "intent with NUL": ({"intent": "a\0b"}, r"'b': intent holds U\+0000 at position 1"),
    "error with NUL": ({"error": "\0"}, r"'b': error holds U\+0000 at position 0"),
    "a tool with NUL": ({"tools": ["a", "b\0"]}, r"'b': tools holds U\+0000 at position 1"),
    "half a surrogate pair": ({"tools": ["a", "\ud800"]}, r"'b': tools\[1\].* surrogate"),
    "capability a list": ({"capability": ["c0"]}, "'b': capability is a non-empty string"),
    "capability a number": ({"capability": 3}, "'b': capability"),
    "capability empty": ({"capability": ""}, "'b': capability"),
    "decision empty": ({"decision_id": ""}, "'b': decision_id"),
    "tools a string": ({"tools": "t0"}, "'b': tools"),
    "a tool is null": ({"tools": [None]}, r"'b': tools\[0\]"),
    "context a string": ({"context_tools": "t0"}, "'b': context_tools"),
    "outcome above 1": ({"outcome": 1.5}, r"'b': outcome lies in \[0, 1\]"),
    "outcome below 0": ({"outcome": -0.1}, "'b': outcome"),
    "outcome NaN": ({"outcome": float("nan")}, "'b': outcome"),
    "outcome a word": ({"outcome": "ok"}, "'b': outcome"),
    "outcome true": ({"outcome": True}, "'b': outcome"),
    "weight negative": ({"weight": -1}, "'b': weight"),
    "weight huge": ({"weight": 1e7}, "'b': weight"),
    "duration negative": ({"duration_ms": -1}, "'b': duration_ms"),
    "priority endless": ({"priority": float("inf")}, "'b': priority"),
    "timestamp a word": ({"timestamp": "yesterday"}, "'b': timestamp 'yesterday' is not ISO 8601"),
    "timestamp a list": ({"timestamp": [1]}, "'b': timestamp"),
    "timestamp endless": ({"timestamp": 1e300}, "'b': timestamp"),
    "step negative": ({"step": -1}, "'b': step is a whole number of at least 0"),
    "step a fraction": ({"step": 1.5}, "'b': step"),
    "step beyond what columns hold": ({"step": 2**31}, "'b': step is at most 2147483647"),
    "end unknown": ({"end": "done"}, "'b': end is one of terminal, truncated"),
    "rating 0": ({"rating": 0}, r"'b': rating lies in \[1, 5\]"),
    "rating 6": ({"rating": 6}, "'b': rating"),
    "offered a string": ({"offered": "t0"}, "'b': offered"),
    "propensity 0": ({"propensity": 0}, "'b': propensity is above 0.*leave it out"),
    "propensity above 1": ({"propensity": 1.1}, "'b': propensity"),
    "session with NUL": ({"session": "a\0"}, "session holds U"),
    "of a session": ({"session": "s", "step": 3, "rating": 9}, r"trace 'b' \(session 's', step 3\): rating lies in"),
    "embedding with NaN": ({"embedding": [0.0, np.nan]}, "'b': embedding holds NaN or infinity at position 1"),
    "embedding with words": ({"embedding": ["x"] * D}, "'b': embedding is not an array of numbers"),
    "embedding ragged": ({"embedding": [[1.0], [1.0, 2.0]]}, "'b': embedding is not an array of numbers"),
    "embedding of two rows": ({"embedding": [[1.0], [2.0]]}, r"'b': embedding has shape \(2, 1\)"),
    "embedding too large": ({"embedding": [1e16]}, r"'b': embedding has an entry of size 1e\+16"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_value_is_refused_by_name(what):
    change, fault = BAD[what]
    with pytest.raises(TraceError, match=fault):
        Trace(**{"id": "b", **change})
    with pytest.raises(TraceError, match=fault):
        Trace.from_record({"id": "b", **change})


@pytest.mark.parametrize(("record", "fault"), [({}, "has an id"), ({"id": None}, "has an id"), ([1], "not list"), ("a", "not str")])
def test_what_is_no_record_with_an_id_is_refused(record, fault):
    with pytest.raises(TraceError, match=fault):
        Trace.from_record(record)


def test_a_session_may_be_a_number_and_a_fault_says_of_which_it_is():
    assert Trace(session=7).session == "7"
    with pytest.raises(TraceError) as fault:
        Trace(id="b", session="s", principal="p", rating=0)
    assert fault.value.session == ("p", "s")
    with pytest.raises(TraceError) as fault:
        Trace(id="b", rating=0)
    assert fault.value.session is None


def test_only_what_is_said_of_a_step_is_written():
    assert said(make_trace(0)) == {}
    given = {"session": "s", "step": 0, "end": "terminal", "rating": 5.0, "offered": ("a", "b"), "propensity": 0.5}
    assert said(make_trace(0, **given)) == given


def test_another_dimension_is_an_error_and_none_is_any():
    trace, bare = make_trace(1), make_trace(2, embedding=None)
    assert of_dimension(trace, D) is of_dimension(trace, None) is trace
    assert of_dimension(bare, D) is bare
    error = of_dimension(trace, D + 1)
    assert isinstance(error, InputError)
    assert str(error) == "trace 't1': embedding has 8 dimensions, expected 9"
