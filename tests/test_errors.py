"""The errors form the tree that their module draws, and each can be caught as what it is."""

import inspect
import re
import tomllib
from pathlib import Path

import pytest

import shgat
from shgat import errors

ROOT = Path(__file__).parents[1]
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


def test_a_missing_extra_names_what_an_index_knows_and_what_works_in_a_clone(tmp_path, monkeypatch):
    about = tmp_path / "shgat-9.dist-info"
    about.mkdir()
    needs = ("numpy>=1.26", 'nowhere[fast]>=2.1,<3; extra == "eval"', 'numpy; extra == "eval"', 'elsewhere; extra == "store"')
    lines = ("Metadata-Version: 2.1", "Name: shgat", "Version: 9", *(f"Requires-Dist: {n}" for n in needs))
    (about / "METADATA").write_text("\n".join(lines) + "\n")
    monkeypatch.syspath_prepend(tmp_path)
    found = str(errors.MissingExtraError("nowhere", "eval"))
    assert (
        found == "nowhere is not installed; run: pip install 'nowhere[fast]>=2.1,<3' (in a clone of shgat: pip install '.[eval]')"
    )


def test_a_module_that_is_broken_although_its_package_is_there_is_named_itself():
    assert "run: pip install scipy (" in str(errors.MissingExtraError("scipy", "eval"))


def test_every_extra_that_an_error_advises_exists():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = {
        e for path in (ROOT / "src").rglob("*.py") for e in re.findall(r'MissingExtraError\([^()]*, "(\w+)"\)', path.read_text())
    }
    assert named
    assert named <= set(project["optional-dependencies"])


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
