import base64

import numpy as np
import pytest

from shgat.client import requests
from shgat.errors import InputError, RemoteError


def test_an_intent_is_a_text_or_a_vector():
    x = np.array([1.0, 2.0])
    body = requests.rank(x, 3, "tools", "words", {"servers": ("a", "b"), "session": "s", "explain": True}).body
    np.testing.assert_array_equal(np.frombuffer(base64.b64decode(body["embedding_base64"]), "<f4"), x)
    assert (body["text"], body["servers"], body["session"], body["explain"]) == ("words", ["a", "b"], "s", True)
    assert requests.rank("words", 3, "tools", None, {}).body["text"] == "words"
    for wrong in (None, {"a": 1}, ["a"]):
        with pytest.raises(InputError):
            requests.rank(wrong, 3, "tools", None, {})


def test_each_feedback_has_a_key_of_its_own():
    keys = {requests.feedback("0" * 32, ["a"], 1, {}).headers["Idempotency-Key"] for _ in range(3)}
    assert len(keys) == 3


def test_names_of_versions_are_parts_of_a_path():
    assert requests.moved("a/b", "promote", {"why": None}).path == "/v1/models/a%2Fb/promote"


def test_waits_grow_and_are_bounded():
    assert requests.wait(1, "7") == 7.0
    assert requests.wait(1, "9999") == requests.LONGEST_WAIT
    assert requests.wait(1, "Wed, 21 Oct 2026 07:28:00 GMT") <= 0.1
    assert 0.4 <= requests.wait(4, None) <= 0.8
    assert requests.wait(40, None) <= requests.LONGEST_WAIT


def test_what_may_be_asked_again():
    once = requests.moved(1, "promote", {})
    assert [requests.to_be_retried(once, s) for s in (429, 503, 200, 422)] == [True, False, False, False]
    assert requests.to_be_retried(requests.page("tools", 0, 1, ""), 503)


def test_an_answer_without_json_is_an_error():
    with pytest.raises(RemoteError, match="no problem document"):
        requests.answer_of(500, "text/html", lambda: 1)
