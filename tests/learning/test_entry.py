"""A line of a journal holds everything that the store is to get, and what is torn is noticed."""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shgat.errors import InputError
from shgat.learning.entry import Entry
from shgat.store import Decision, Ranked
from shgat.traces import Trace
from traces.examples import D, any_trace, columns, names

KEY = "0123456789abcdef0123456789abcdef"
vectors = st.none() | st.lists(st.floats(-(2.0**40), 2.0**40, width=32), min_size=D, max_size=D)
decisions = st.builds(
    Decision,
    id=st.just(KEY),
    ranked=st.lists(
        st.builds(Ranked, names, st.integers(1, 9), st.floats(0, 1), st.sampled_from([(), ((1, 0.25), (2, 0.5))])), max_size=3
    ).map(tuple),
    model_version=names,
    intent=st.none() | names,
    intent_hash=names,
    embedding=vectors,
    context_tools=st.lists(names, max_size=2),
    session=st.none() | names,
    created_at=st.floats(0, 1e12),
    user_id=names,
    principal=st.just("") | names,
)


def same(one, two):
    """Are these decisions the same in every field?"""
    if one is None or two is None:
        return one is two
    a, b = ([getattr(x, f.name) for f in fields(Decision) if f.name != "embedding"] for x in (one, two))
    return a == b and (one.embedding is two.embedding or np.array_equal(one.embedding, two.embedding))


@given(trace=any_trace, user=names)
def test_feedback_comes_back_as_it_went(trace, user):
    found = Entry.from_line(Entry(user, trace, None).to_line())
    assert (found.user_id, found.decision, found.key) == (user, None, trace.id)
    assert columns(found.trace) == columns(trace)


@given(decision=decisions, trace=any_trace, alone=st.booleans())
def test_with_its_decision_it_comes_back_joined(decision, trace, alone):
    trace = Trace(
        id=KEY,
        decision_id=KEY,
        principal=trace.principal,
        tools=trace.tools,
        outcome=trace.outcome,
        error=trace.error,
        timestamp=trace.timestamp,
    )
    entry = Entry.alone(decision) if alone else Entry("somebody else", trace, None).joined(decision)
    found = Entry.from_line(entry.to_line())
    assert found.user_id == decision.user_id
    assert same(found.decision, decision)
    assert (found.key == KEY) is not alone
    if alone:
        assert found.trace is None
        return
    assert columns(found.trace) == columns(entry.trace)
    assert found.trace.principal == (decision.principal or trace.principal)
    assert (found.trace.intent, found.trace.context_tools) == (decision.intent or "", decision.context_tools)
    assert (found.trace.tools, found.trace.outcome) == (trace.tools, trace.outcome)


@given(decision=decisions, data=st.data())
def test_a_torn_or_altered_line_is_refused_or_an_entry(decision, data):
    line = Entry("u", Trace(id=KEY, decision_id=KEY), None).joined(decision).to_line()
    cut = data.draw(st.integers(0, len(line) - 2))
    with pytest.raises(InputError, match="no entry"):
        Entry.from_line(line[:cut])
    at, byte = data.draw(st.integers(0, len(line) - 1)), data.draw(st.integers(0, 255))
    try:
        found = Entry.from_line(line[:at] + bytes([byte]) + line[at + 1 :])
    except InputError:
        return
    assert found.trace is not None or found.decision is not None


@pytest.mark.parametrize("line", [b"", b"{}", b"[]", b"null", b"7", b'{"user_id": "u"}', b'{"user_id": "u", "trace": 7}', b"\xff"])
def test_what_is_no_entry_is_refused(line):
    with pytest.raises(InputError, match="no entry"):
        Entry.from_line(line)
