"""Public docstrings name attributes and parameters that exist."""

import inspect
import pkgutil
import re
from importlib import import_module

import pytest

import shgat

SECTION = re.compile(r"^(Attributes|Parameters)\n-+\n((?:.*\n?)*?)(?=^\w[\w ]*\n-+$|\Z)", re.MULTILINE)
ITEM = re.compile(r"^([a-z_][\w, ]*?) : ", re.MULTILINE)


def public():
    for module in pkgutil.walk_packages(shgat.__path__, "shgat."):
        if re.search(r"\.(_|migrations)", module.name):
            continue
        loaded = import_module(module.name)
        for name, item in vars(loaded).items():
            if not name.startswith("_") and getattr(item, "__module__", None) == module.name:
                yield from members(f"{module.name}.{name}", item)


def members(name, item):
    if not (inspect.isclass(item) or inspect.isfunction(item)):
        return
    yield name, item
    if inspect.isclass(item):
        for key, value in vars(item).items():
            function = inspect.unwrap(getattr(value, "__func__", value))
            if not key.startswith("_") and inspect.isfunction(function):
                yield f"{name}.{key}", function


@pytest.mark.parametrize(("name", "item"), [pytest.param(*found, id=found[0].removeprefix("shgat.")) for found in public()])
def test_every_name_in_a_docstring_exists(name, item):
    for kind, text in SECTION.findall(inspect.cleandoc(item.__doc__ or "") + "\n"):
        named = {word for line in ITEM.findall(text) for word in line.split(", ")}
        assert named <= existing(item, kind), kind


def existing(item, kind):
    if kind == "Parameters":
        return set(inspect.signature(item).parameters)
    source = inspect.getsource(item)
    assigned = {
        word for line in re.findall(r"self\.\w+(?:, self\.\w+)*(?=(?::| =))", source) for word in re.findall(r"self\.(\w+)", line)
    }
    return assigned | set(dir(item)) | {n for c in item.__mro__ for n in vars(c).get("__annotations__", {})}
