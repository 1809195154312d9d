"""The page on the architecture is true: its names exist, its rooms are all there are, its layers are those that are enforced."""

import pkgutil
import re
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

import shgat

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/architecture.md").read_text()


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(shgat\.[\w.]+)`", PAGE))))
def test_every_name_leads_somewhere(name):
    parts = name.split(".")
    for n in range(len(parts), 0, -1):
        try:
            found = import_module(".".join(parts[:n]))
        except ModuleNotFoundError:
            continue
        for part in parts[n:]:
            found = getattr(found, part)
        return
    raise AssertionError(name)


def test_every_module_stands_in_its_room():
    rooms = {}
    for line in re.findall(r"^\| `(\w+)` \|.*\| (.*) \|$", PAGE, re.MULTILINE):
        rooms[line[0]] = set(re.findall(r"`(\w+)`", line[1]))
    for package in pkgutil.iter_modules(shgat.__path__):
        if not package.ispkg:
            continue
        inside = {m.name for m in pkgutil.iter_modules(import_module(f"shgat.{package.name}").__path__)}
        assert {m for m in inside if not m.startswith("__") and m not in ("_build_config", "_memory", "migrations")} == rooms[
            package.name
        ]


def test_the_layers_are_those_that_are_enforced():
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]
    enforced = [re.findall(r"\w+", layer) for layer in contract["layers"] if layer != "__main__"]
    drawn = re.search(r"## Layers\n.*?\n\n((?:    [^\n]*\n)+)", PAGE, re.DOTALL)[1]
    assert [re.findall(r"\w+", line) for line in drawn.splitlines()] == enforced
    assert "ignore_imports" not in contract
