"""Feedback as gateways have it at hand, and a sign of what nobody can learn from."""

import uuid

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from junk import JUNK
from people import written
from shgat.errors import InputError
from shgat.serving.feedback import LONGEST_ERROR, Feedback, Unlearnable, message
from shgat.store import Store

KEY = "0" * 32


def told(key=KEY, capability=None, tools=("a",), outcome=1.0, error=None):
    return Feedback.of(key, capability, tools, outcome, error)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"tools": "mail"}, r"tools is a list of ids, not str; write tools=\['mail'\]"),
        ({"tools": b"mail"}, "tools is a list of ids, not bytes"),
        ({"tools": [7]}, r'feedback: tools\[0\] is 7; ids are strings: write "7"'),
        ({"capability": ["c"]}, "feedback: capability_id is"),
        ({"outcome": None}, "feedback: outcome is a number"),
        ({"outcome": "ok"}, "feedback: outcome is a number"),
        ({"outcome": 1.5}, "feedback: outcome lies in"),
        ({"error": True}, "error is a message or an exception, not bool"),
        ({"error": 7}, "error is a message or an exception, not int"),
        ({"key": 7}, "feedback: decision_id is a non-empty string"),
        ({"key": ""}, "feedback: decision_id is a non-empty string"),
    ],
)
def test_a_mistake_is_refused(given, text):
    with pytest.raises(InputError, match=text):
        told(**given)


@pytest.mark.parametrize(
    ("of_step", "text"),
    [
        ({"step": -1}, "feedback: step is a whole number of at least 0"),
        ({"step": "1"}, "feedback: step"),
        ({"end": "over"}, "feedback: end is one of terminal, truncated"),
        ({"rating": 0}, r"feedback: rating lies in \[1, 5\]"),
        ({"session": ["s"]}, "session"),
    ],
)
def test_a_step_that_is_none_is_refused(of_step, text):
    with pytest.raises(InputError, match=text):
        Feedback.of(KEY, None, ["a"], 1.0, None, of_step)


def test_what_is_said_of_a_step_are_fields_of_its_trace():
    given = {"session": 7, "step": 0, "end": "terminal", "rating": 4}
    assert Feedback.of(KEY, None, ["a"], 1.0, None, given).of_step == {"session": "7", "step": 0, "end": "terminal", "rating": 4.0}
    assert Feedback.of(KEY, None, ["a"], 1.0, None, dict.fromkeys(given)).of_step == told().of_step == {}


def test_what_is_only_careless_is_understood():
    assert told(key=uuid.UUID(int=0)).decision_id == KEY
    assert [told(outcome=o).outcome for o in (True, False, np.bool_(True), 1, np.float32(0.5))] == [1.0, 0.0, 1.0, 1.0, 0.5]
    assert told(tools=np.array(["a", "b"])).tools == ("a", "b")
    failed = told(outcome=TimeoutError("late"))
    assert (failed.outcome, failed.error) == (0.0, "TimeoutError: late")
    assert told(outcome=TimeoutError("late"), error="mine").error == "mine"


def test_errors_become_one_message():
    assert [message(e) for e in (None, False, "")] == [None] * 3
    assert message(KeyError("x")) == "KeyError: 'x'"
    assert message("a\0\ud800") == "a\ufffd?"
    assert len(message(ValueError("x" * 10**6))) == LONGEST_ERROR


def test_what_cannot_be_learned_from_shows_for_ten_minutes():
    seen = Unlearnable()
    assert seen.look(["a"], {"a"}, 0.0) == seen.trouble(0.0) == ""
    assert "'x'" in seen.look(["a", "x"], {"a"}, 1000.0)
    assert "it names no tool" in seen.look([], {"a"}, 1001.0)
    assert seen.count == 2
    assert "and 1 more" in seen.trouble(1600.0)
    assert seen.trouble(1602.0) == ""


def test_feedback_as_gateways_have_it(open_ranker, people, sqlite_url):
    ranker = open_ranker()
    x, _, tools = people[0]
    keys = [ranker.rank(x, 3, session=session).decision_id for session in (7, uuid.UUID(int=1), "", None)]
    assert ranker.feedback(keys[0], tools=tools, outcome=True)
    assert ranker.feedback(uuid.UUID(keys[1]), tools=iter(tools), outcome=False, error=ValueError("gone"))
    assert ranker.feedback(keys[2], tools=tools, outcome=TimeoutError("late"))
    written(ranker)
    with Store.open(sqlite_url) as store:
        found = store.feedback_to(keys)
        sessions = [store.decision(key).session for key in keys[:3]]
    assert [(found[key].outcome, found[key].error) for key in keys[:3]] == [
        (1.0, None), (0.0, "ValueError: gone"), (0.0, "TimeoutError: late"),
    ]  # fmt: skip
    assert sessions == ["7", str(uuid.UUID(int=1)), None]


def test_feedback_that_nobody_can_learn_from_is_kept_and_shows(open_ranker, people, sqlite_url):
    ranker = open_ranker()
    key = ranker.rank(people[0][0], 3).decision_id
    assert ranker.feedback(key, tools=["mial"], outcome=1.0)
    assert "'mial'" in ranker.stats()["trouble"][0]
    assert ranker.stats()["unlearnable_feedback"] == 1
    written(ranker)
    with Store.open(sqlite_url) as store:
        assert store.feedback_to([key])[key].tools == ("mial",)


@settings(max_examples=300)
@given(JUNK, JUNK, JUNK, JUNK, JUNK, st.booleans())
def test_whatever_is_told_is_taken_or_named(ranker, capability, tools, outcome, duration, error, well):
    key = ranker.rank(np.ones(384), 1).decision_id if well else capability
    try:
        assert ranker.feedback(key, capability, tools, outcome=1.0 if well else outcome, duration_ms=duration, error=error)
    except InputError:
        return
