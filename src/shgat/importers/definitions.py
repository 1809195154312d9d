"""Tools as they are given to a model or listed by a server: MCP, OpenAI (nested and flat), Anthropic, LangChain; as values or as objects."""

from collections.abc import Iterator, Mapping
from hashlib import blake2b
from typing import Any

import orjson

from .findings import Findings, Key
from .texts import clean, parameters_of

LISTS = ("tools", "functions", "data")
_SCHEMAS = ("inputSchema", "input_schema", "parameters", "args_schema", "params_json_schema")
_NAMES, _DESCRIPTIONS = ("name", "id"), ("description", "text", "summary")
_SERVERS = ("server", "server_name", "serverName", "mcp_server", "namespace")
_DEEPEST = 4  # lists of tools within lists


def read(value: Any, into: Findings) -> None:
    """Every tool of a list, a `tools/list` result, its JSON-RPC answer or pages, or the body of a request to a model."""
    for where, item, server in _items(plain(value), into.server, "", 0, into):
        _read_one(plain(item), server, where, into)


def read_logged(tools: Any, into: Findings) -> None:
    """The tools that a logged request brought, once however many requests brought the same."""
    if not isinstance(tools, list | Mapping):
        return
    try:
        key = blake2b(orjson.dumps(tools, default=repr, option=orjson.OPT_NON_STR_KEYS), digest_size=16).digest()
    except TypeError:  # a number, or a depth, that it does not write
        key = b""
    if not key or key not in into.listed:
        into.listed.add(key)
        read({"tools": tools}, into)


def plain(value: Any) -> Any:
    """An SDK's object as a mapping: of MCP, LangChain, or any that has a name. Values stay as they are."""
    if value is None or isinstance(value, Mapping | list | str | bytes | int | float):
        return value
    if isinstance(value, tuple | set | frozenset):
        return list(value)
    if hasattr(value, "args_schema"):  # a LangChain tool is a model too, but not one to be dumped
        about = {key: getattr(value, key, None) for key in ("name", "description", "tags", "args_schema")}
        return about if about["args_schema"] is not None else {**about, "args": getattr(value, "args", None)}
    if hasattr(value, "model_dump"):
        return value.model_dump(by_alias=True, exclude_none=True)
    if hasattr(value, "name"):
        keys = ("name", "title", "description", *_SCHEMAS)
        return {key: getattr(value, key) for key in keys if getattr(value, key, None) is not None}
    return value


def schema_of(definition: Mapping[str, Any]) -> Any:
    """The JSON schema of a tool's arguments, whichever name it has there."""
    for key in _SCHEMAS:
        schema = definition.get(key)
        if isinstance(schema, Mapping):
            return schema
        made = getattr(schema, "model_json_schema", None)  # of a model of pydantic
        if made is not None:
            return made()
    args = definition.get("args")
    return {"properties": args} if isinstance(args, Mapping) else None


def _items(value: Any, server: str, where: str, depth: int, into: Findings) -> Iterator[tuple[str, Any, str]]:
    """(where it stands, a definition, the server it belongs to)."""
    if isinstance(value, Mapping):
        if depth < _DEEPEST and isinstance(value.get("result"), Mapping) and "name" not in value:
            value = value["result"]
        held = next((key for key in LISTS if isinstance(value.get(key), list | tuple | Mapping)), None)
        if depth < _DEEPEST and held is not None and not any(key in value for key in _SCHEMAS):
            inside = value[held]
            if isinstance(inside, Mapping):
                inside = [{"name": name, **item} if isinstance(item, Mapping) else item for name, item in inside.items()]
            home = server or _server(value)
            if home and inside and isinstance(said := value.get("instructions", value.get("description")), str):
                into.add_group("server", home, said)
            yield from _items(list(inside), home, f"{where}{held}", depth + 1, into)
        else:
            yield where or "the definition", value, server
    elif isinstance(value, list) and depth < _DEEPEST:
        for position, item in enumerate(value):
            item = plain(item)
            if isinstance(item, Mapping | list):
                yield from _items(item, server, f"{where}[{position}]", depth + 1 if isinstance(item, list) else depth, into)
            else:
                yield f"{where}[{position}]", item, server
    else:
        yield where or "the value", value, server


def _server(value: Mapping[str, Any]) -> str:
    """The server that a list of tools says it is of."""
    about = value.get("serverInfo")
    if isinstance(about, Mapping):
        return _word(about, ("name",))
    return _word(value, (*_SERVERS, "name"))


def _word(value: Mapping[str, Any], keys: tuple[str, ...]) -> str:
    return next((clean(value[key]) for key in keys if isinstance(value.get(key), str)), "")


def _read_one(item: Any, server: str, where: str, into: Findings) -> None:
    if not isinstance(item, Mapping):
        into.note(where, "left out", "it is no definition of a tool")
        return
    function = item.get("function")
    if isinstance(function, Mapping):
        item = {**item, **function}
    name = next((item[key] for key in _NAMES if item.get(key) is not None), None)
    if name is None and isinstance(item.get("type"), str):
        into.note(f"{where} ({clean(item['type'])[:40]})", "left out", "it is a tool of the model's vendor, without a definition")
        return
    notes = item.get("annotations")
    title = item.get("title") or (notes.get("title") if isinstance(notes, Mapping) else None)
    description = next((item[key] for key in _DESCRIPTIONS if item.get(key) is not None), None)
    home = server or _word(item, _SERVERS)
    key = into.add_tool(name, title, description, parameters_of(schema_of(item)), server=home, where=where)
    if key is not None:
        _group(item, key, into)


def _group(item: Mapping[str, Any], key: Key, into: Findings) -> None:
    """Into the categories and tags that a definition names."""
    for field, kind in (("category", "category"), ("tags", "tag")):
        named = item.get(field)
        for name in named if isinstance(named, list) else [named]:
            if isinstance(name, str):
                into.add_group(kind, name, tools=[key])
