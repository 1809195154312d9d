"""Sessions out of traces: their order, what is none and how it is named, and that nothing is lost on the way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shgat import InputError, Trace, TraceError
from shgat.traces import sessions_of


def trace(key, step=None, **more):
    return Trace(**{"id": key, "session": "s", "step": step, "tools": ["x"], **more})


def ids(session):
    return list(dict.fromkeys(step.trace.id for step in session.steps))


# ---------------------------------------------------------------- order
@pytest.mark.parametrize(
    "traces",
    [
        [trace("b", 1), trace("c", 2), trace("a", 0)],
        [trace("b", 2), trace("a", 1), trace("c", 3)],
        [trace("c", timestamp=30), trace("a", timestamp=10), trace("b", timestamp=20)],
        [trace("a"), trace("b"), trace("c")],
        [trace("a", timestamp=5), trace("b"), trace("c", timestamp=1)],
    ],
)
def test_steps_go_by_their_numbers_then_by_time_then_as_they_stand(traces):
    (session,) = sessions_of(traces).sessions
    assert ids(session) == ["a", "b", "c"]


def test_sessions_of_two_principals_are_two_and_stand_as_they_came():
    found = sessions_of(
        [trace("a", principal="p"), trace("b"), trace("c", principal="p"), trace("d", session="t"), trace("e", session="")]
    )
    assert [(s.principal, s.name, ids(s)) for s in found.sessions] == [("p", "s", ["a", "c"]), ("", "s", ["b"]), ("", "t", ["d"])]
    assert (found.without, found.skipped) == (1, [])


def test_an_end_that_nobody_said_is_what_one_says_it_is():
    traces = [trace("a"), trace("b", session="t", end="truncated"), trace("c", session="u", end="terminal")]
    assert [s.end for s in sessions_of(traces).sessions] == ["terminal", "truncated", "terminal"]
    assert [s.end for s in sessions_of(traces, unended="truncated").sessions] == ["truncated", "truncated", "terminal"]
    with pytest.raises(InputError, match="unended is one of"):
        sessions_of([], unended="never")
    with pytest.raises(InputError, match="faults is one of"):
        sessions_of([], faults="ignore")


def test_a_trace_of_no_session_is_one_by_its_order_where_asked():
    bare = [trace("a", session="", tools=["x", "y"]), trace("b", session="", tools=[]), trace("c")]
    assert [s.name for s in sessions_of(bare).sessions] == ["s"]
    found = sessions_of(bare, from_order=True, unended="truncated")
    assert [(s.name, s.tools, s.end) for s in found.sessions] == [("a", ("x", "y"), "terminal"), ("s", ("x",), "truncated")]
    assert found.without == 1


# ---------------------------------------------------------------- faults
FAULTS = {
    "a step is missing": ([trace("a", 0), trace("b", 2)], 2, "step 1 is missing before it: bring what is missing"),
    "steps are missing": ([trace("a", 0), trace("b", 5)], 5, "steps 1 to 4 are missing before it"),
    "the beginning is missing": ([trace("a", 4), trace("b", 5)], 4, "the steps before it are missing: bring them, or number from 0"),
    "a step is told twice": ([trace("a", 0), trace("b", 1), trace("c", 1)], 1, "traces 'b' and 'c' both are this step"),
    "one has no number": ([trace("a", 0), trace("b")], None, "trace 'b' has no step, and others have: number all of them, or none"),
    "time goes back": ([trace("a", 0, timestamp=9), trace("b", 1, timestamp=8)], 1, "trace 'b' is earlier than the step before it"),
    "two ends": ([trace("a", 0, end="terminal"), trace("b", 1, end="truncated")], 1, "it ended at step 0 already"),
    "it goes on behind its end": ([trace("a", 0, end="terminal"), trace("b", 1)], 0, "it ends here, and goes on to step 1: put the end last"),
    "a step without a tool": ([trace("a", 0), trace("b", 1, tools=[])], 1, "trace 'b' ran no tool"),
    "its own parent": ([trace("a", 0, parent_id="a")], 0, "trace 'a' is its own parent by way of 'a': mend parent_id"),
    "parents in a circle": (
        [trace("a", 0), trace("b", 1, parent_id="c"), trace("c", 2, parent_id="b")], 1, "trace 'b' is its own parent by way of 'c'",
    ),
    "an id twice": ([trace("a", 0), trace("a", 1)], None, "two traces have the id 'a': give each its own"),
}  # fmt: skip


@pytest.mark.parametrize("what", FAULTS)
def test_a_session_that_is_none_is_named_with_its_step_and_the_remedy(what):
    traces, step, said = FAULTS[what]
    good = trace("good", session="t")
    with pytest.raises(TraceError) as error:
        sessions_of([good, *traces])
    assert str(error.value).startswith("session 's'" + ("" if step is None else f", step {step}") + ": ")
    assert said in str(error.value)
    assert "faults='skip'" in str(error.value)
    found = sessions_of([*traces, good], faults="skip")
    assert [s.name for s in found.sessions] == ["t"]
    (fault,) = found.skipped
    assert (fault.session, fault.step, fault.traces) == ("s", step, len(traces))
    assert said in str(fault)


@pytest.mark.parametrize(("field", "value"), [("outcome", 1.5), ("rating", 0), ("propensity", 0), ("end", "over"), ("step", -1)])
def test_what_a_trace_refuses_spoils_its_session_and_no_other(field, value):
    with pytest.raises(TraceError) as error:
        trace("bad", principal="p", **{field: value})
    spoilt = [trace("a", 0, principal="p"), error.value, trace("b", 0)]
    with pytest.raises(TraceError, match=rf"session 's' of 'p': .*'bad'.*{field}"):
        sessions_of(spoilt)
    found = sessions_of(spoilt, faults="skip")
    assert [(s.principal, ids(s)) for s in found.sessions] == [("", ["b"])]
    assert [(f.principal, f.traces) for f in found.skipped] == [("p", 2)]


def test_an_error_of_no_session_is_raised_or_named():
    with pytest.raises(TraceError, match="no JSON"):
        sessions_of([TraceError("no JSON")])
    found = sessions_of([TraceError("no JSON"), trace("a")], faults="skip")
    assert [str(f) for f in found.skipped] == ["no JSON"]
    assert len(found.sessions) == 1


def test_an_id_in_two_sessions_spoils_both():
    found = sessions_of([trace("a"), trace("a", session="t"), trace("b", session="u")], faults="skip")
    assert ([s.name for s in found.sessions], [f.session for f in found.skipped]) == (["u"], ["s", "t"])


# ---------------------------------------------------------------- properties
good = st.lists(
    st.tuples(st.sampled_from(("", "p")), st.sampled_from("stu"), st.lists(st.sampled_from("xyz"), min_size=1, max_size=3)),
    max_size=12,
)


@given(good, st.randoms(), st.booleans())
def test_whole_sessions_come_back_whatever_order_their_traces_have(given_, random, numbered):
    length = dict.fromkeys({(p, s) for p, s, _ in given_}, 0)
    traces = []
    for i, (principal, name, tools) in enumerate(given_):
        at = length[principal, name]
        length[principal, name] += 1
        place = {"step": at} if numbered else {"timestamp": float(i)}
        traces.append(Trace(id=f"t{i}", principal=principal, session=name, tools=tools, **place))
    expected = {key: [t for t in traces if (t.principal, t.session) == key] for key in length}
    random.shuffle(traces)
    found = sessions_of(traces)
    assert {(s.principal, s.name): ids(s) for s in found.sessions} == {key: [t.id for t in its] for key, its in expected.items()}
    assert {(s.principal, s.name): s.tools for s in found.sessions} == {
        key: tuple(tool for t in its for tool in t.tools) for key, its in expected.items()
    }
    for s in found.sessions:
        for i, step in enumerate(s.steps):
            assert [used.tool for used in step.context] == list(s.tools[:i])


any_step = st.builds(
    dict,
    id=st.sampled_from("abcdefgh"),
    session=st.sampled_from(("", "s", "t")),
    step=st.none() | st.integers(0, 4),
    timestamp=st.none() | st.integers(0, 9),
    end=st.sampled_from(("", "", "terminal", "truncated")),
    tools=st.lists(st.sampled_from("xy"), max_size=2),
    parent_id=st.none() | st.sampled_from("abcdefgh"),
    propensity=st.none() | st.sampled_from((0.0, 0.5)),
    rating=st.none() | st.sampled_from((0.0, 3.0)),
)


@given(st.lists(any_step, max_size=8), st.booleans())
def test_nothing_is_lost_and_what_is_refused_is_what_is_skipped(records, from_order):
    traces = []
    for record in records:
        try:
            traces.append(Trace.from_record(record))
        except TraceError as error:
            traces.append(error)
    found = sessions_of(traces, faults="skip", from_order=from_order)
    kept = [key for s in found.sessions for key in ids(s)]
    assert len(kept) + sum(f.traces for f in found.skipped) + found.without == len(records)
    assert len(set(kept)) == len(kept)
    for s in found.sessions:
        times = [step.trace.timestamp for step in s.steps]
        assert None in times or times == sorted(times)
        assert not any(step.trace.end for step in s.steps if step.trace.id != s.steps[-1].trace.id)
    if not found.skipped:
        again = sessions_of(traces, from_order=from_order)
        assert [s.tools for s in again.sessions] == [s.tools for s in found.sessions]
        return
    with pytest.raises(TraceError) as error:
        sessions_of(traces, from_order=from_order)
    assert str(error.value).split("; pass faults")[0] in {str(f) for f in found.skipped}
