"""A session is its traces in order, a step each tool; a step knows what was used before it, and nothing of what comes after."""

import pytest

from shgat import Trace
from shgat.traces import Used, sessions_of


def session(*traces):
    (found,) = sessions_of([Trace(session="s", **values) for values in traces]).sessions
    return found


def test_steps_have_what_their_traces_say():
    first = {"id": "a", "intent": "look", "tools": ["find"], "outcome": 0.25, "duration_ms": 5, "rating": 2, "propensity": 0.5}
    found = session(
        {**first, "offered": ["find", "list"], "end": "", "embedding": [1, 2]}, {"id": "b", "tools": ["open"], "end": "truncated"}
    )
    step = found.steps[0]
    assert (step.intent, step.chosen, step.outcome, step.succeeded, step.duration_ms) == ("look", "find", 0.25, False, 5.0)
    assert (step.rating, step.propensity, step.offered, step.embedding.tolist()) == (2.0, 0.5, ("find", "list"), [1.0, 2.0])
    assert (found.name, found.principal, found.end, found.tools) == ("s", "", "truncated", ("find", "open"))
    assert found.path == (Used("find", 0.25), Used("open", 1.0))


def test_several_tools_of_a_trace_are_steps_and_what_came_of_it_is_known_with_the_last():
    found = session(
        {"id": "a", "tools": ["x", "y"], "outcome": 0.5, "duration_ms": 7, "rating": 5, "step": 0},
        {"id": "b", "tools": ["z"], "outcome": 0, "step": 1},
    )
    assert [step.outcome for step in found.steps] == [None, 0.5, 0.0]
    assert [step.duration_ms for step in found.steps] == [None, 7.0, None]
    assert [step.rating for step in found.steps] == [None, 5.0, None]
    assert [step.succeeded for step in found.steps] == [True, True, False]
    assert [step.context for step in found.steps] == [(), (Used("x"),), (Used("x"), Used("y", 0.5))]


def test_what_was_used_without_a_trace_is_context_too_and_counts_once():
    found = session(
        {"id": "a", "tools": ["x"], "context_tools": ["before"], "step": 0},
        {"id": "b", "tools": ["x"], "context_tools": ["before", "x", "between"], "step": 1},
    )
    assert found.steps[0].context == (Used("before"),)
    assert found.steps[1].context == (Used("before"), Used("x", 1.0), Used("between"))
    assert found.path == (*found.steps[1].context, Used("x", 1.0))


def test_what_would_follow_has_all_that_was_used_as_its_context():
    found = session({"id": "a", "intent": "go on", "tools": ["x", "y"], "outcome": 0.5, "propensity": 0.25})
    assert [step.propensity for step in found.steps] == [0.25, None]
    assert (found.after().intent, found.after().context) == ("go on", (Used("x"), Used("y", 0.5)))


def test_it_is_read_only():
    found = session({"id": "a", "tools": ["x"]})
    with pytest.raises(AttributeError):
        found.end = "truncated"
    with pytest.raises(AttributeError):
        found.steps[0].at = 1
