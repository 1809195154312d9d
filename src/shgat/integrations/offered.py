"""The tools that a host offers: what each is in the catalogue, and what of them the catalogue does not know yet."""

import threading
from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from typing import Any

import orjson

from .. import _fork
from ..errors import InputError
from ..graph import Catalog, Tool
from ..importers import definitions, read
from ..importers.findings import Findings
from ..importers.names import Names

_NAMED = 100_000  # names whose definitions are remembered
_TYPES = (None, "function", "custom", "object")  # of tools that are somebody's own; others are the vendor's
_SAID = ("description", "parameters", "input_schema", "inputSchema")


def catalog_of(tools: Iterable[Any]) -> Catalog:
    """A catalogue, without embeddings, of the definitions that a model, an SDK or a server is given.

    Raises
    ------
    InputError
        where they hold no tool that can be read.
    """
    named = [tool for tool in flat(tools) if name_of(tool)]
    if not named:
        raise InputError("the definitions hold no tool with a name; give the list that the model is given")
    return read({"tools": named}, kind="mcp").catalog


def name_of(definition: Any) -> str:
    """What a model calls a tool; "" for a tool of the model's vendor, which has no definition."""
    if type(definition) is dict or isinstance(definition, Mapping):  # the first is what nearly all are, and much cheaper to ask
        inside = definition.get("function")
        if not (type(inside) is dict or isinstance(inside, Mapping)):
            inside = definition
        if inside.get("type") not in _TYPES and not any(key in inside for key in _SAID):
            return ""
        name = inside.get("name")
    else:
        name = getattr(definition, "name", None)
    return name if isinstance(name, str) else ""


def flat(tools: Iterable[Any]) -> Iterator[Any]:
    """Definitions, those within namespaces too."""
    for tool in tools:
        if type(tool) is dict and tool.get("type") == "namespace":
            yield from flat(tool.get("tools") or ())
        else:
            yield tool


class Offered:
    """Names that a host has for tools, and their ids in a catalogue. Safe from any thread.

    Attributes
    ----------
    ids : of each name that was offered
    changing : held by who brings what is new into a catalogue
    """

    def __init__(self) -> None:
        self._marks: dict[str, bytes] = {}
        self.ids: dict[str, str] = {}
        self._names: tuple[Catalog | None, Names] = None, Names()
        self.after_fork()
        _fork.renew(self)

    def after_fork(self) -> None:
        """A thread of the parent may have held the lock."""
        self.changing = threading.RLock()

    def unseen(self, tools: Iterable[tuple[str, Any]]) -> list[tuple[str, Any, bytes]]:
        """(name, definition, mark of what it says) of each that is not, or not as it is now, known here; `tools` are (name, definition)."""
        found = []
        for name, tool in tools:
            if name and self._marks.get(name) != (mark := _mark(tool)):
                found.append((name, tool, mark))
        return found

    def new(self, unseen: Iterable[tuple[str, Any, bytes]], catalog: Catalog) -> list[Tool]:
        """What the catalogue is to take in of them: what it does not know, and what says something else than when it was offered before."""
        fresh = []
        for name, definition, mark in unseen:
            changed = name in self._marks
            key = self.ids.get(name) if changed else self._find(name, catalog)
            if key is None or (changed and key in catalog.tool_column):
                tool = _record(name if key is None else key, definition)
                if tool is None:
                    continue
                fresh.append(tool)
                key = tool.id
            if len(self._marks) >= _NAMED:
                self._marks.clear()
            self._marks[name], self.ids[name] = mark, key
        return fresh

    def id_of(self, name: str, catalog: Catalog) -> str | None:
        """The tool's id, None where the catalogue does not know it."""
        key = self.ids.get(name)
        return key if key is not None and key in catalog.tool_column else self._find(name, catalog)

    def _find(self, name: str, catalog: Catalog) -> str | None:
        if name in catalog.tool_column:
            return name
        known, names = self._names
        if known is not catalog:
            names = Names((t.server, t.id.removeprefix(f"{t.server}/").removeprefix(f"{t.server}.")) for t in catalog.tools)
            self._names = catalog, names
        key, _ = names.find(name)
        if key is None:
            return None
        server, called = key
        return next((i for i in (f"{server}/{called}", f"{server}.{called}", called) if i in catalog.tool_column), None)


def _record(key: str, definition: Any) -> Tool | None:
    """What a catalogue holds of a definition; None where it cannot be read."""
    found = Findings("the tools offered", "mcp")
    definitions.read([definition], found)
    for (server, _), tool in found.tools.items():
        return Tool(key, tool.text, server)
    return None


def _mark(definition: Any) -> bytes:
    """Changes with what a definition says."""
    if not (type(definition) is dict or isinstance(definition, Mapping)):
        fields = getattr(definition, "__dict__", {})  # of a model of pydantic too, where asking for a field that it has not is dear
        schema = fields.get("args_schema")
        if schema is not None:  # a class, or a mapping, that stays the same object
            return hash((fields.get("description"), id(schema))).to_bytes(8, "big", signed=True)
        definition = [fields.get(name) for name in ("title", "description", "parameters", "input_schema", "inputSchema")]
    return blake2b(orjson.dumps(definition, default=repr, option=orjson.OPT_NON_STR_KEYS), digest_size=16).digest()
