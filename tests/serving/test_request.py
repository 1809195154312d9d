"""Requests: a mistake is refused with the remedy, carelessness is understood and said, and no decision goes unrecorded for it."""

import asyncio
import uuid

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from junk import JUNK
from shgat.errors import InputError
from shgat.serving.request import LONGEST_TEXT, Request, requests_of
from shgat.store import Store

OPTIONS = ("text", "context_tools", "candidates", "servers", "tags", "exclude", "rules", "session", "order", "min_score", "explain")
TOOLS = {"mail": 0, "files": 1}
X = np.ones(8)


def asked(intent=X, top_k=3, kind="tools", **options):
    return Request.of(TOOLS, intent, top_k, kind, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"servers": "mail"}, r"servers is a list of ids, not str; write servers=\['mail'\]"),
        ({"tags": [7]}, r'tags\[0\] is 7; ids are strings: write "7"'),
        ({"exclude": {"a": None}.values()}, r"exclude\[0\] is None, which is no string"),
        ({"rules": {"pins": ["a"]}}, "rules: unknown 'pins'"),
        ({"rules": ["a"]}, "rules are a Rules or a mapping of pin, boost, block, budget, tokens, not"),
        ({"candidates": "mail"}, r"candidates is a list of ids, not str; write candidates=\['mail'\]"),
        ({"candidates": b"mail"}, "candidates is a list of ids, not bytes"),
        ({"candidates": 7}, "candidates is a list of ids, not int"),
        ({"candidates": ["mail", 7]}, r'candidates\[1\] is 7; ids are strings: write "7"'),
        ({"candidates": [None]}, r"candidates\[0\] is None, which is no string"),
        ({"context_tools": "mail"}, r"write context_tools=\['mail'\]"),
        ({"candidates": np.ones((2, 2))}, r"candidates\[0\] is array"),
        ({"context_tools": 1.5}, "context_tools is a list of ids, not float"),
        ({"text": b"mail"}, "text is a string or None, not bytes"),
        ({"session": 1.5}, r"session is a string, a whole number or a UUID, not float; pass str\(...\) of it"),
        ({"session": True}, "session is a string"),
        ({"session": "a\0"}, "session holds U.0000"),
        ({"session": "\ud800"}, "session holds a lone surrogate"),
        ({"order": "best"}, "order is one of score, stable"),
        ({"order": "stable"}, "needs the session"),
        ({"order": "stable", "session": ""}, "needs the session"),
        ({"min_score": 1.5}, "min_score lies in"),
        ({"min_score": float("nan")}, "min_score lies in"),
        ({"min_score": True}, "min_score is a number"),
        ({"explain": 1}, "explain is True or False"),
        ({"top_k": 0}, "top_k is a whole number"),
        ({"kind": "sets"}, "kind is one of"),
        ({"kind": None}, "kind is one of"),
    ],
)
def test_a_mistake_is_refused(options, message):
    with pytest.raises(InputError, match=message):
        asked(**options)


def test_what_is_only_careless_is_understood():
    request = asked(None, context_tools=None, session=uuid.UUID(int=5), candidates=np.array(["mail", "x", "mail"]))
    assert (request.context, request.filters.candidates, request.session) == ((), ("mail", "x"), str(uuid.UUID(int=5)))
    assert all(type(i) is str for i in request.filters.candidates)
    assert asked(session=42).session == "42"
    assert asked(session="").session is None
    assert (asked("send it").text, asked("send it").intent) == ("send it", None)
    assert asked("send it", text="other").text == "other"
    assert asked(candidates=iter([])).filters.candidates == ()
    assert request.why == ()


@given(st.lists(st.sampled_from(["mail", "files", "gone", 7, None, "", "\ud800"]), max_size=6))
def test_context_is_what_the_catalogue_knows(given):
    request = asked(context_tools=given)
    assert request.context == tuple(t for t in given if t in TOOLS)
    assert bool(request.why) == (len(request.context) < len(given))


def test_what_no_store_can_hold_is_left_out_or_replaced_and_said():
    request = asked(candidates=["mail", "", "a\0", "\ud800", "ü"])
    assert request.filters.candidates == ("mail", "ü")
    assert request.why[0].startswith("3 candidates are empty")
    request = asked(text="\U0001f600 \ud83d\ude00 \ud800 \0")  # a pair that stands apart is one character
    assert request.text == "\U0001f600 \U0001f600 \ufffd \ufffd"
    assert len(request.why) == 1
    request = asked(text="ab" * LONGEST_TEXT)
    assert (len(request.text), len(request.why)) == (LONGEST_TEXT, 1)


@given(st.text(st.characters(codec=None), max_size=20))
def test_any_text_becomes_one_that_can_be_stored(text):
    found = asked(text=text).text
    assert "\0" not in found
    assert found.encode().decode() == found
    if not set(text) & {"\0", *map(chr, range(0xD800, 0xE000))}:
        assert found == text


def test_many_share_everything_but_intent_and_text():
    several = requests_of(
        TOOLS, np.eye(3), ["a", None, "c"], 2, "tools", {"candidates": iter(["mail"]), "context_tools": iter(["files"])}
    )
    assert [r.text for r in several] == ["a", None, "c"]
    assert {(r.filters.candidates, r.context, r.k) for r in several} == {(("mail",), ("files",), 2)}
    with pytest.raises(InputError, match="give texts="):
        requests_of(TOOLS, np.eye(3), None, 2, "tools", {"text": "a"})
    with pytest.raises(InputError, match="texts is a list of strings"):
        requests_of(TOOLS, np.eye(3), "abc", 2, "tools", {})


def test_context_that_nobody_knows_does_not_cost_the_record(open_ranker, people, sqlite_url):
    ranker = open_ranker()
    x, text, tools = people[0]
    answer = ranker.rank(x, 3, text=text, context_tools=["mine", "chat.post_message", 7, None])
    assert "3 context_tools are not in the catalogue" in answer.degraded[0]
    assert ranker.feedback(answer.decision_id, tools=tools, outcome=1.0)
    assert ranker.maybe_train().traces == 1
    with Store.open(sqlite_url) as store:
        assert store.decision(answer.decision_id).context_tools == ("chat.post_message",)


@settings(max_examples=300)
@given(
    st.sampled_from(["rank", "arank", "rank_many", "rank_sets"]),
    st.none() | JUNK,
    st.dictionaries(st.sampled_from(OPTIONS), JUNK, max_size=3),
    st.dictionaries(st.sampled_from(["top_k", "kind"]), JUNK, max_size=1),
    JUNK,
)
def test_whatever_is_asked_is_answered_or_named(ranker, which, intent, options, sometimes, texts):
    intent = np.ones(384) if intent is None else intent
    try:
        match which:
            case "rank":
                answers = [ranker.rank(intent, **sometimes, **options)]
            case "arank":
                answers = [asyncio.run(ranker.arank(intent, **sometimes, **options))]
            case "rank_sets":
                sometimes.pop("kind", None)
                answers = [ranker.rank_sets(intent, **sometimes, **options)]
            case _:
                options.pop("text", None)
                answers = ranker.rank_many(intent, **sometimes, **options, texts=texts)
    except InputError:
        return
    for answer in answers:
        assert answer.decision_id
        assert not any("not recorded" in why for why in answer.degraded)
        assert orjson.dumps(answer.to_dict())
