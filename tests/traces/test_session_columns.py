"""Sessions in columns: what stands where, what is taken out of them, and that they come back from every kind of file."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shgat import Trace, TraceError
from shgat.traces import Sessions, load_sessions, write_traces
from traces.examples import CATALOG, GOOD, D, write

ENDINGS = ("jsonl", "csv", "parquet")


def step(key, number, *tools, session="s", **more):
    x = np.full(D, float(ord(key[0])), np.float32)
    return Trace(id=key, session=session, step=number, tools=tools, intent=f"intent {key}", embedding=x, **more)


@pytest.fixture
def columns():
    """s: t0, then t1 and t2, broken off; u: t3 after t4."""
    return Sessions.of(
        [
            step("a", 0, "t0", outcome=0.25, duration_ms=9, rating=4, offered=["t0", "t4"], propensity=0.5, timestamp=10),
            step("b", 1, "t1", "t2", outcome=1, end="truncated", timestamp=20),
            step("c", 0, "t3", session="u", context_tools=["t4"], weight=2),
        ],
        CATALOG,
    )


def test_every_step_has_its_row(columns):
    assert (len(columns), columns.n_steps, columns.indptr.tolist(), columns.terminal.tolist()) == (2, 4, [0, 3, 4], [False, True])
    assert columns.chosen.tolist() == [0, 1, 2, 3]
    np.testing.assert_array_equal(columns.outcome, np.float32([0.25, np.nan, 1, 1]))
    np.testing.assert_array_equal(columns.duration_ms, [9, np.nan, np.nan, np.nan])
    np.testing.assert_array_equal(columns.rating, [4, np.nan, np.nan, np.nan])
    np.testing.assert_array_equal(columns.propensity, [0.5, np.nan, np.nan, np.nan])
    assert columns.succeeded.tolist() == [False, True, True, True]
    assert columns.weight.tolist() == [1, 1, 1, 2]
    assert [columns.context(t).tolist() for t in range(4)] == [[], [0], [0, 1], [4]]
    np.testing.assert_array_equal(columns.went[columns.begin[2] : columns.until[2]], np.float32([0.25, np.nan]))
    assert [columns.offered.row(t).tolist() for t in range(4)] == [[0, 4], [], [], []]
    assert columns.session.tolist() == [0, 0, 0, 1]
    assert columns.intent.tolist() == [0, 1, 1, 2]
    assert columns.texts == ["intent a", "intent b", "intent c"]
    assert columns.intents[:, 0].tolist() == [97.0, 98.0, 99.0]
    assert [s.chosen for s in columns.steps] == ["t0", "t1", "t2", "t3"]
    np.testing.assert_array_equal(columns.started, [10, np.nan])
    np.testing.assert_array_equal(columns.ended, [20, np.nan])


def test_some_sessions_are_taken_in_their_order(columns):
    taken = columns.take([1, 0])
    assert (taken.chosen.tolist(), taken.indptr.tolist(), taken.terminal.tolist()) == ([3, 0, 1, 2], [0, 1, 4], [True, False])
    assert [taken.context(t).tolist() for t in range(4)] == [[4], [], [0], [0, 1]]
    assert [taken.texts[i] for i in taken.intent.tolist()] == ["intent c", "intent a", "intent b", "intent b"]
    assert taken.intents[taken.intent][:, 0].tolist() == [99.0, 97.0, 98.0, 98.0]
    assert taken.offered.row(1).tolist() == [0, 4]
    assert len(columns.take([1]).intents) == 1
    assert columns.take([]).n_steps == 0


def test_each_trace_and_each_step_is_a_trace(columns):
    whole, traces = columns.traces(), columns.asked
    assert whole.ids.tolist() == ["a", "b", "c"]
    assert [whole.tools.row(i).tolist() for i in range(3)] == [[0], [1, 2], [3]]
    assert [whole.context.row(i).tolist() for i in range(3)] == [[], [0], [4]]
    assert (whole.outcome.tolist(), list(whole.texts)) == ([0.25, 1, 1], ["intent a", "intent b", "intent c"])
    assert traces.ids.tolist() == ["a#0", "b#1", "b#2", "c#3"]
    assert [traces.tools.row(i).tolist() for i in range(4)] == [[0], [1], [2], [3]]
    assert [traces.context.row(i).tolist() for i in range(4)] == [[], [0], [0, 1], [4]]
    assert traces.outcome.tolist() == [0.25, 1, 1, 1]
    assert list(traces.texts) == ["intent a", "intent b", "intent b", "intent c"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"tools": ["gone"]}, "names the unknown tool 'gone': bring the catalogue"),
        ({"context_tools": ["gone"]}, "names the unknown tool 'gone'"),
        ({"offered": ["gone"]}, "names the unknown tool 'gone'"),
        ({"embedding": None}, "has no embedding"),
        ({"embedding": [1.0]}, "has an embedding of 1 dimensions, expected 8"),
    ],
)
def test_a_step_that_this_catalogue_cannot_use_is_named(change, said):
    values = {"id": "b", "session": "s", "step": 1, "tools": ["t1"], "embedding": [1.0] * D, **change}
    traces = [step("a", 0, "t0"), Trace(**values), step("c", 0, "t1", session="u")]
    with pytest.raises(TraceError, match=rf"session 's', step 1: trace 'b' {said}"):
        Sessions.of(traces, CATALOG)
    found = Sessions.of(traces, CATALOG, faults="skip")
    assert ([s.name for s in found.sessions], [(f.session, f.step, f.traces) for f in found.skipped]) == (["u"], [("s", 1, 2)])


def test_of_nothing_there_are_columns_too():
    empty = Sessions.of([], CATALOG)
    assert (len(empty), empty.n_steps, len(empty.traces()) + len(empty.asked), empty.contexts.n_rows, empty.indptr.tolist()) == (
        0,
        0,
        0,
        0,
        [0],
    )


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_file_and_the_line_of_a_fault_are_named(tmp_path, ending):
    path = tmp_path / f"x.{ending}"
    write_traces(path, [step("a", 0, "t0"), step("b", 2, "t1")], D)
    with pytest.raises(TraceError, match=rf"^x\.{ending}: session 's', step 2: step 1 is missing"):
        load_sessions(path, CATALOG)
    assert len(load_sessions(path, CATALOG, faults="skip").skipped) == 1


def test_a_line_that_is_no_trace_spoils_its_session(tmp_path):
    path = write(
        tmp_path,
        {**GOOD, "session": "s"},
        {**GOOD, "id": "b", "session": "s", "propensity": 0},
        {**GOOD, "id": "c", "session": "t"},
    )
    with pytest.raises(TraceError, match=r"session 's': traces\.jsonl, line 2: trace 'b' \(session 's'\): propensity is above 0"):
        load_sessions(path, CATALOG)
    found = load_sessions(path, CATALOG, faults="skip")
    assert ([s.name for s in found.sessions], [f.session for f in found.skipped]) == (["t"], ["s"])


def test_traces_without_a_session_are_sessions_by_order_where_asked(tmp_path):
    path = write(tmp_path, GOOD, {**GOOD, "id": "b", "tools": []})
    assert (len(load_sessions(path, CATALOG)), load_sessions(path, CATALOG).without) == (0, 2)
    found = load_sessions(path, CATALOG, from_order=True)
    assert (found.chosen.tolist(), found.without, found.sessions[0].name) == ([0, 1], 1, "a")


any_session = st.lists(
    st.lists(
        st.tuples(
            st.lists(st.integers(0, 4), min_size=1, max_size=3), st.floats(0, 1, width=32), st.none() | st.floats(1, 5),
            st.none() | st.floats(0, 1e6), st.lists(st.integers(0, 4), max_size=3, unique=True),
            st.none() | st.floats(0, 1, exclude_min=True),
        ),
        min_size=1, max_size=4,
    ),
    max_size=4,
)  # fmt: skip


@pytest.mark.parametrize("ending", ENDINGS)
@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(any_session, st.sampled_from(("", "terminal", "truncated")))
def test_sessions_come_back_from_every_kind_of_file(tmp_path, ending, sessions, end):
    traces = [
        Trace(
            id=f"{s}.{i}", session=f"s{s}", step=i, tools=[f"t{t}" for t in tools], outcome=outcome, rating=rating, duration_ms=duration,
            offered=[f"t{t}" for t in offered], propensity=propensity, end=end if i == len(steps) - 1 else "", embedding=[float(i)] * D,
        )
        for s, steps in enumerate(sessions)
        for i, (tools, outcome, rating, duration, offered, propensity) in enumerate(steps)
    ]  # fmt: skip
    path = tmp_path / f"x.{ending}"
    write_traces(path, traces, D)
    found, expected = load_sessions(path, CATALOG), Sessions.of(traces, CATALOG)
    for name in ("indptr", "terminal", "intents", "intent", "chosen", "succeeded", "outcome", "duration_ms", "rating", "propensity",
                 "timestamp", "weight", "path", "went", "begin", "until"):  # fmt: skip
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), err_msg=name)
    np.testing.assert_array_equal(found.offered.indices, expected.offered.indices)
