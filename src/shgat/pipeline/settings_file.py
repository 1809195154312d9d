"""The file of a pipeline, TOML: read into its settings, and an example to begin with."""

import difflib
import os
import tomllib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, get_type_hints

from .. import _check
from .._files import open_regular, reason, write_atomically
from ..errors import InputError
from .settings import Settings

LARGEST = 1 << 20  # bytes
_PLACES = ("state", "catalog")  # relative to the file's folder


def read_settings(path: str | Path) -> Settings:
    """The settings of a file; relative places are those of its folder.

    Raises
    ------
    InputError
        for a file that is not there or is no TOML, a key that is not known, with the known one that is nearest, and a value that makes no
        sense, by its name.
    """
    path = Path(path)
    try:
        with open_regular(path) as file:
            content = file.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise InputError(f"{path} is larger than {LARGEST >> 20} MiB")
        table = tomllib.loads(content.decode())
    except (OSError, UnicodeDecodeError) as error:
        remedy = "; `shgat pipeline init` writes one" if isinstance(error, FileNotFoundError) else ""
        raise InputError(f"cannot read {path}: {reason(error)}{remedy}") from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path} is no TOML: {error}") from None
    try:
        return of_table(table, path.absolute().parent)
    except InputError as error:
        raise type(error)(f"{path.name}: {error}") from None


def of_table(table: Mapping[str, Any], folder: Path) -> Settings:
    """The settings of a table, as `tomllib` gives it."""
    given = {"state": "pipeline-runs", **table}
    for name in _PLACES:
        if name in given:
            given[name] = folder / _check.text(given[name], name)
    if ":" not in (place := _check.text(given.get("track", ":"), "track")):
        given["track"] = str(folder / place)
    if "store" not in given:
        raise InputError('there is no store: write store = "sqlite:///store.db", or store = "env:NAME"')
    found: Settings = _record(Settings, given, "")
    return found


def store_url(settings: Settings) -> str:
    """The URL of the store, from the environment where the settings say so."""
    if not settings.store.startswith("env:"):
        return settings.store
    name = settings.store.removeprefix("env:")
    if not (url := os.environ.get(name)):
        raise InputError(f"store: the environment variable {name!r} is not set: it has to hold the URL of the store")
    return url


def write_example(path: Path) -> None:
    """Writes the example, with a comment on every key; InputError where there is a file already."""
    if path.exists():
        raise InputError(f"{path} is there already: remove it, or name another file")
    write_atomically(path, example().encode())


def example() -> str:
    """The example."""
    return (files(__package__) / "example.toml").read_text("utf-8")


def _record(kind: Any, table: object, where: str) -> Any:
    """A record of a table, its sections too."""
    if not isinstance(table, Mapping):
        raise InputError(f"{where} is a section, not {_check.brief(table)}")
    known = {f.name for f in fields(kind)}
    for key in table:
        if key not in known:
            near = difflib.get_close_matches(key, sorted(known), 1, 0.5)
            said = f"did you mean {near[0]!r}?" if near else f"it may be one of {', '.join(sorted(known))}"
            raise InputError(f"{where or 'the file'} has the unknown key {_check.brief(key)}: {said}")
    kinds = get_type_hints(kind)
    values = {
        key: _record(kinds[key], value, f"{where}.{key}" if where else key) if is_dataclass(kinds[key]) else _plain(key, value)
        for key, value in table.items()
    }
    return kind(**values)


def _plain(key: str, value: Any) -> Any:
    """A value that is no section; floors are a table of their own."""
    if isinstance(value, Mapping) and key != "floors":
        raise InputError(f"{key} is a value, not a section")
    return dict(value) if isinstance(value, Mapping) else value
