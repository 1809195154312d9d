"""Bodies are refused by name, and what NumPy would take for numbers is not."""

import base64

import numpy as np
import pytest

from shgat.errors import InputError
from shgat.web import asked


def vector(given, dimension=3):
    return asked.vector(given, dimension)


def test_numbers_and_base64_are_the_same_vector():
    x = np.array([1.5, -2.0, 3.25], "<f4")
    packed = base64.b64encode(x.tobytes()).decode()
    np.testing.assert_array_equal(vector({"embedding": x.tolist()}), x)
    np.testing.assert_array_equal(vector({"embedding_base64": packed}), x)
    assert vector({"text": "x", "embedding": None}) is None


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"embedding": [1.0, 2.0]}, r"shape \(2,\)"),
        ({"embedding": [1.0, True, 2.0]}, "something else"),
        ({"embedding": [1.0, None, 2.0]}, "something else"),
        ({"embedding": [1.0, "2", 3.0]}, "something else"),
        ({"embedding": [[1.0], [2.0, 3.0]]}, "something else"),
        ({"embedding": "x"}, "list of 3"),
        ({"embedding": [0, 0, 0]}, "zero"),
        ({"embedding": [1e300, 0, 0]}, "embedding"),
        ({"embedding": [10**10, 1, 1e16]}, "embedding"),
        ({"embedding_base64": 7}, "string"),
        ({"embedding_base64": "?"}, "base64"),
        ({"embedding_base64": "AAAA"}, "no float32"),
        ({"embedding_base64": "AAA\nAAAAAAAAAAAA="}, "base64"),
        ({"embedding_base64": "ö" * 16}, "base64"),
        ({"embedding_base64": ""}, "base64"),
        ({"embedding_base64": base64.b64encode(np.array([np.nan, 1, 1], "<f4").tobytes()).decode()}, "embedding_base64"),
        ({"embedding": [1, 2, 3], "embedding_base64": "AAAA"}, "not both"),
    ],
)
def test_what_is_no_vector_is_refused(given, match):
    with pytest.raises(InputError, match=match):
        vector(given)


def test_members_are_known_by_name():
    assert asked.fields({"text": "x"}, asked.RANK) == {"text": "x"}
    with pytest.raises(InputError, match="unknown member 'topk'; did you mean 'top_k'"):
        asked.fields({"topk": 1}, asked.RANK)
    with pytest.raises(InputError, match="'outcome' is missing"):
        asked.fields({"decision_id": "x"}, asked.FEEDBACK, ("decision_id", "outcome"))
    with pytest.raises(InputError, match="is an object"):
        asked.fields([1], asked.RANK)


def test_whole_numbers_as_json_has_them():
    assert asked.top_k({}) == 10
    assert asked.top_k({"top_k": 32.0}) == 32
    for wrong in (0, 1001, 1.5, True, "3", [], {}):
        with pytest.raises(InputError, match="top_k"):
            asked.top_k({"top_k": wrong})


def test_options_are_those_that_were_given():
    assert asked.options(
        {"servers": ["a"], "tags": None, "session": 3.0, "rules": {"pin": ["x"], "budget": None}, "kind": "tools"}
    ) == {
        "servers": ["a"],
        "session": 3,
        "rules": {"pin": ["x"]},
    }
    for wrong, match in (
        ({"exclude": "a"}, "exclude"),
        ({"servers": [1]}, "servers"),
        ({"tags": [None]}, "tags"),
        ({"rules": []}, "rules"),
    ):
        with pytest.raises(InputError, match=match):
            asked.options(wrong)
