"""Every module has a test file of its name."""

import pkgutil
import re
from importlib import import_module
from pathlib import Path

import pytest

import shgat

TESTS = Path(__file__).parent


def modules():
    """All that define something."""
    for found in pkgutil.walk_packages(shgat.__path__, "shgat."):
        if found.ispkg or re.search(r"_kernels|migrations|__main__", found.name):
            continue
        if any(getattr(item, "__module__", None) == found.name for item in vars(import_module(found.name)).values()):
            yield found.name


@pytest.mark.parametrize("name", sorted(modules()))
def test_a_module_is_tested_where_one_looks(name):
    *rooms, module = name.split(".")[1:]
    assert TESTS.joinpath(*rooms, f"test_{module.removeprefix('_')}.py").exists()
