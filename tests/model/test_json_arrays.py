"""Arrays in JSON come back bit for bit, and what is none is named before memory is taken."""

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from shgat import InputError
from shgat.model.json_arrays import array, decode, encode, floats


@given(arrays(st.sampled_from([np.float16, np.float32, np.float64, np.int32]), array_shapes(min_dims=1, min_side=0)))
def test_a_round_trip_is_exact(given_array):
    found = decode(orjson.loads(orjson.dumps(encode(given_array))), "x")
    assert (found.dtype, found.shape, found.tobytes()) == (given_array.dtype, given_array.shape, given_array.tobytes())


GOOD = encode(np.zeros((2, 3), np.float32))
WRONG = {
    "no record": 7,
    "a field less": {"dtype": "float32", "shape": [6]},
    "a field more": {**GOOD, "x": 1},
    "another type": {**GOOD, "dtype": "object"},
    "no type": {**GOOD, "dtype": ["float32"]},
    "a negative shape": {**GOOD, "shape": [-2, -3]},
    "a huge shape": {**GOOD, "shape": [10**9, 10**9]},
    "no shape": {**GOOD, "shape": 6},
    "a shape of floats": {**GOOD, "shape": [2.0, 3]},
    "a shape of booleans": {**GOOD, "shape": [True, 6]},
    "no base64": {**GOOD, "data": "*"},
    "letters outside": {**GOOD, "data": "é" * 32},
    "a surrogate": {**GOOD, "data": "\ud800"},
    "no text": {**GOOD, "data": None},
    "bytes missing": {**GOOD, "data": GOOD["data"][:-4]},
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_no_array_is_named(what):
    for read in (
        lambda v: decode(v, "the x"),
        lambda v: floats(v, (2, 3), "the x"),
        lambda v: array(v, "float32", (2, 3), "the x"),
    ):
        with pytest.raises(InputError, match=r"^the x") as caught:
            read(WRONG[what])
        assert len(str(caught.value)) < 300


def test_floats_are_finite_and_of_a_shape_and_arrays_of_a_type():
    np.testing.assert_array_equal(floats([[0, 1]], (1, 2), "x"), [[0, 1]])
    for value in ([[0, None]], [[0, np.nan]], [[0, 1e39]], [0, 1], encode(np.array([[0, np.inf]], np.float32)), None, "x"):
        with pytest.raises(InputError, match=r"^x"):
            floats(value, (1, 2), "x")
    assert array(GOOD, "float32", None, "x").shape == (2, 3)
    with pytest.raises(InputError, match="expected int32"):
        array(GOOD, "int32", None, "x")
