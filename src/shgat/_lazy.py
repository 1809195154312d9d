"""Packages whose names load their module on first use: who imports one thing does not wait for all."""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def names(package: str, homes: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """`__getattr__` and `__dir__` of a package whose names stand in the modules `homes` says: module -> names, separated by blanks."""
    home = {name: module for module, several in homes.items() for name in several.split()}

    def load(name: str) -> Any:
        if name not in home:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(f".{home[name]}", package), name)

    def known() -> list[str]:
        return sorted({*vars(sys.modules[package]), *home})

    return load, known
