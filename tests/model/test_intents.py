"""Intents as people hold them: understood where there is one meaning, else refused with the remedy, and never with a raw error."""

import numpy as np
import pytest
from hypothesis import given, settings

from junk import JUNK
from shgat import InputError
from shgat.model import intents

X = np.arange(1, 9, dtype=np.float32)


class Raising:
    """As a tensor that wants its gradient."""

    def __array__(self, *_, **__):
        raise RuntimeError("call detach() first")


def sparse(rows):
    return pytest.importorskip("scipy.sparse").csr_matrix(rows)


def frame(library, rows):
    columns = {f"x{i}": column for i, column in enumerate(rows.T)}
    if library == "pyarrow":
        return pytest.importorskip("pyarrow").array(list(rows))
    return pytest.importorskip(library).DataFrame(columns)


@pytest.mark.parametrize("given", [X, X[None], X.tolist(), [X.tolist()], tuple(X), X.astype("f8"), X.astype("f2"), X.astype("i8")])
def test_one_intent_is_taken_as_a_vector(given):
    np.testing.assert_array_equal(intents.one(given, 8), X)


@pytest.mark.parametrize("library", ["sparse", "pandas", "polars", "pyarrow"])
def test_tables_and_sparse_matrices_of_numbers_are_taken(library):
    rows = np.stack([X, 2 * X])
    several = sparse(rows) if library == "sparse" else frame(library, rows)
    np.testing.assert_array_equal(intents.many(several, 8), rows)
    np.testing.assert_array_equal(intents.rows(several), rows)
    np.testing.assert_array_equal(intents.one(sparse(rows[:1]) if library == "sparse" else frame(library, rows[:1]), 8), X)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("send it", "q is an embedding, not text: give what the catalogue's encoder makes"),
        (b"send it", "not text"),
        (None, "q is not an array of numbers"),
        ({"a": 1}, "q is not an array of numbers"),
        (object(), "q is not an array of numbers"),
        (Raising(), r"q is not an array of numbers \(RuntimeError\)"),
        ([X.tolist(), [1.0]], "q is not an array of numbers"),
        (["1"] * 8, "q is not an array of numbers"),
        ([True] * 8, "q is not an array of numbers"),
        (X * 1j, "q is not an array of numbers"),
        (np.stack([X, X]), r"q has shape \(2, 8\), expected \(8,\)"),
        (X[None, None], r"q has shape \(1, 1, 8\)"),
        (X[:7], r"q has shape \(7,\)"),
        (X * 0, "q is zero: it has no direction"),
        (X * np.nan, "q holds NaN"),
        (np.full(8, 1e38), "q has an entry of size 1e.38"),
    ],
)
def test_what_is_no_intent_is_refused(given, message):
    with pytest.raises(InputError, match=message):
        intents.one(given, 8, "q")


def test_texts_are_strings_one_for_each():
    assert intents.text(None) is None
    assert intents.text("a") == "a"
    assert intents.texts(None, 2) is None
    assert intents.texts(iter(["a", ""]), 2) == ["a", ""]
    for bad, message in (
        ("ab", "list of strings"),
        (7, "list of strings"),
        (["a"], "1 for 2"),
        (["a", None], r"texts\[1\] is a string"),
    ):
        with pytest.raises(InputError, match=message):
            intents.texts(bad, 2)


def test_tools_used_before_are_a_list_or_none():
    assert intents.used(None) == ()
    assert intents.used(iter("ab")) == ("a", "b")
    for bad in ("mail", b"mail", 7):
        with pytest.raises(InputError, match="context_tools is a list of ids"):
            intents.used(bad)


@settings(max_examples=200)
@given(JUNK)
def test_junk_is_refused_as_input(value):
    for ask in (intents.one, intents.many, intents.texts):
        try:
            ask(value, 8)
        except InputError:
            continue
