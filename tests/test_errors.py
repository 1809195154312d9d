"""The errors form the tree that their module draws, and each can be caught as what it is."""

import inspect
import re

import pytest

import shgat
from shgat import errors

TREE = re.findall(r"^    ([| ]*)[|`]- (\w+)(?: \((\w+)\))?", errors.__doc__, re.MULTILINE)


def test_the_drawing_holds_every_error():
    classes = {name for name, item in vars(errors).items() if inspect.isclass(item)}
    assert {"ShgatError", *(name for _, name, _ in TREE)} == classes
    assert classes <= set(shgat.__all__)


@pytest.mark.parametrize(("indent", "name", "builtin"), TREE, ids=[name for _, name, _ in TREE])
def test_an_error_stands_where_it_is_drawn(indent, name, builtin):
    above = TREE[: [n for _, n, _ in TREE].index(name)]
    parent = next((n for i, n, _ in reversed(above) if len(i) < len(indent)), "ShgatError")
    assert getattr(errors, parent) in getattr(errors, name).__bases__
    if builtin:
        assert issubclass(getattr(errors, name), {"ValueError": ValueError, "ImportError": ImportError}[builtin])


def test_a_catalogue_error_counts_what_it_leaves_out():
    assert str(errors.CatalogError("one")) == "one"
    error = errors.CatalogError(["one", "two", "three"])
    assert (str(error), error.faults) == ("one (and 2 more)", ["one", "two", "three"])


def test_a_missing_extra_says_what_to_install():
    assert str(errors.MissingExtraError("scipy", "eval")) == "scipy is not installed; run: pip install 'shgat[eval]'"


@pytest.mark.parametrize("name", [name for _, name, _ in TREE if name != "MissingExtraError"])
def test_something_huge_in_a_message_is_left_out_in_the_middle(name):
    kind = getattr(errors, name)
    message = str(kind("begins " + "x" * 100_000 + " ends"))
    assert len(message) < 1000
    assert message.startswith("begins x")
    assert message.endswith("x ends")
    assert str(kind("short")) == "short"


def test_so_is_it_in_each_fault_of_a_catalogue():
    assert max(map(len, errors.CatalogError(["one", "x" * 100_000]).faults)) < 1000
