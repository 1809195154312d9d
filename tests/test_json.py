"""Numbers that JSON does not have are refused with their place, or become null: never one without a word."""

import json
import math

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shgat import InputError
from shgat._json import none_for_not_finite, refuse_not_finite

any_value = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


def is_json(value):
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        return False
    return True


@given(any_value)
def test_a_value_is_refused_if_json_does_not_have_it(value):
    if is_json(value):
        refuse_not_finite(value, "x")
    else:
        with pytest.raises(InputError, match="and JSON has no such number"):
            refuse_not_finite(value, "x")


@given(any_value)
def test_what_becomes_null_is_what_orjson_writes(value):
    found = none_for_not_finite(value)
    assert is_json(found)
    assert orjson.dumps(found) == orjson.dumps(value)
    if is_json(value):
        assert found == value


@pytest.mark.parametrize(
    ("value", "place"),
    [
        (math.nan, r"x is nan"),
        ([0.0, math.inf], r"x\[1\] is inf"),
        ({"a": [{"b": 1}, {"b": (0, -math.inf)}]}, r"x\.a\[1\]\.b\[1\] is -inf"),
    ],
)
def test_the_place_of_the_number_is_named(value, place):
    with pytest.raises(InputError, match=f"^{place}, and JSON has no such number$"):
        refuse_not_finite(value, "x")


def test_unchecked_keys_are_passed_over_at_every_depth():
    value = {"report": {"loss": math.nan}, "rest": [{"report": math.inf}]}
    refuse_not_finite(value, "x", unchecked=("report",))
    with pytest.raises(InputError, match=r"x\.rest\[1\]"):
        refuse_not_finite({"rest": [0, math.nan], "report": math.nan}, "x", unchecked=("report",))


def test_the_value_itself_stays_as_it_was():
    value = {"a": [math.nan, (1.0, math.inf)]}
    assert none_for_not_finite(value) == {"a": [None, [1.0, None]]}
    assert math.isnan(value["a"][0])
