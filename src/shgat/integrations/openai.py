"""OpenAI's Responses: the model searches tools that are not in its list (`tool_search` with `execution: "client"`), and what fits is given
to it at the end of its context; or it may call some of a constant list only (`allowed_tools`).

Functions of plain values, without the SDK; its own objects are understood too.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import orjson

from ..importers.definitions import plain
from .found import Found
from .offered import name_of
from .searching import ToolSearch

_DESCRIPTION = (
    "Finds tools. Most tools are not loaded: describe in a few words what one step needs, in the words of what it does, and the tools "
    "that fit can be called from then on. Empty: no tool does it."
)


def search_tool(description: str = _DESCRIPTION) -> dict[str, Any]:
    """What stands in the list of tools in place of all that are searched; always the same bytes."""
    return {
        "type": "tool_search",
        "execution": "client",
        "description": description,
        "parameters": {
            "type": "object",
            "properties": {"query": {"type": "string", "description": "what the step needs to do"}},
            "required": ["query"],
            "additionalProperties": False,
        },
    }


def search_output(call: Any, found: Found, tools: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The item that answers a `tool_search_call`: the definitions of what was found, as they were given, best first.

    Parameters
    ----------
    call : the item of the model
    tools : function definitions, and namespaces of them; of a namespace with something found its other functions are left out
    """
    rank = {name: place for place, name in enumerate(found.names)}
    loaded: list[tuple[int, dict[str, Any]]] = []
    for tool in tools:
        if tool.get("type") == "namespace":
            inside = [(rank[n], {**t, "defer_loading": True}) for t in tool.get("tools", ()) if (n := name_of(t)) in rank]
            if inside:
                inside.sort(key=_place)
                loaded.append((inside[0][0], {**tool, "tools": [t for _, t in inside]}))
        elif (n := name_of(tool)) in rank:
            loaded.append((rank[n], {**tool, "defer_loading": True}))
    loaded.sort(key=_place)
    return {
        "type": "tool_search_output", "call_id": plain(call).get("call_id"), "execution": "client", "status": "completed",
        "tools": [tool for _, tool in loaded],
    }  # fmt: skip


def answer(search: ToolSearch, output: Iterable[Any], tools: Iterable[Mapping[str, Any]], session: str) -> list[dict[str, Any]]:
    """The items for all client-side searches in a model's output, in order; calls of functions are left to whoever runs them.

    What a search has to say besides (nothing fits, or it was asked again and again) follows as a message of the developer.
    """
    tools, items = list(tools), list[dict[str, Any]]()
    for item in map(plain, output):
        if isinstance(item, Mapping) and item.get("type") == "tool_search_call" and item.get("execution", "client") == "client":
            found = search.search(_query(item.get("arguments")), session=session)
            items.append(search_output(item, found, tools))
            if found.note:
                items.append({"role": "developer", "content": found.note})
    return items


def namespaces(tools: Iterable[Mapping[str, Any]], descriptions: Mapping[str, str], separator: str = "__") -> list[dict[str, Any]]:
    """Functions whose names begin with a server's, grouped into one namespace a server, in order; the others as they are.

    Parameters
    ----------
    descriptions : of each server, by name
    separator : between server and name
    """
    grouped: dict[str, dict[str, Any]] = {}
    for tool in tools:
        server, found, _ = name_of(tool).partition(separator)
        if found and server in descriptions:
            space = grouped.setdefault(
                f"namespace {server}", {"type": "namespace", "name": server, "description": descriptions[server], "tools": []}
            )
            space["tools"].append(tool)
        else:
            grouped[f"{len(grouped)} {name_of(tool)}"] = dict(tool)
    return list(grouped.values())


def allowed_tools(found: Found, always: Iterable[str] = (), mode: Literal["auto", "required"] = "auto") -> dict[str, Any] | str:
    """The `tool_choice` that lets the model call what was found, and `always`, of a list that stays as it is.

    Where nothing was found, or nothing could be ranked, it is the mode alone: the model has all of its tools then.
    """
    if not found.names or found.unranked:
        return mode
    names = dict.fromkeys((*found.names, *always))
    return {"type": "allowed_tools", "mode": mode, "tools": [{"type": "function", "name": name} for name in names]}


def _place(pair: tuple[int, dict[str, Any]]) -> int:
    return pair[0]


def _query(arguments: Any) -> str:
    if isinstance(arguments, str):
        try:
            arguments = orjson.loads(arguments)
        except orjson.JSONDecodeError:
            return str(arguments)
    query = arguments.get("query", "") if isinstance(arguments, Mapping) else ""
    return query if isinstance(query, str) else ""
