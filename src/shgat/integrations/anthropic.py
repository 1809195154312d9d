"""Anthropic: the model searches tools that it does not see (`defer_loading`), and what fits is named to it (`tool_reference`).

Functions of plain values, without the SDK; its own objects are understood too.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from ..importers.definitions import plain
from .found import Found
from .offered import name_of
from .searching import ToolSearch

SEARCH_TOOL = "find_tools"
_DESCRIPTION = (
    "Finds tools. Most tools are not loaded: describe in a few words what one step needs, in the words of what it does, and the tools "
    "that fit can be called from then on. Empty: no tool does it."
)


def deferred(
    tools: Iterable[Mapping[str, Any]], always: Collection[str] = (), *, name: str = SEARCH_TOOL, description: str = _DESCRIPTION
) -> list[dict[str, Any]]:
    """The list of tools for a request: the search tool, then all others, deferred. The same tools give the same bytes, whatever was learned.

    Parameters
    ----------
    tools : definitions as Anthropic has them; tools of the vendor stay as they are
    always : names of tools that the model sees at once
    name, description : of the search tool
    """
    search = {
        "name": name,
        "description": description,
        "input_schema": {
            "type": "object",
            "properties": {"query": {"type": "string", "description": "what the step needs to do"}},
            "required": ["query"],
        },
    }
    return [search, *({**t, "defer_loading": True} if (n := name_of(t)) and n not in always else dict(t) for t in tools)]


def search_result(tool_use: Any, found: Found) -> dict[str, Any]:
    """The `tool_result` for the model's call of the search tool.

    Parameters
    ----------
    tool_use : the block that calls it
    """
    content: list[dict[str, Any]] = [{"type": "tool_reference", "tool_name": name} for name in found.names]
    content += [{"type": "text", "text": found.note}] if found.note else []
    return {"type": "tool_result", "tool_use_id": plain(tool_use)["id"], "content": content}


def answer(search: ToolSearch, content: Iterable[Any], session: str, *, name: str = SEARCH_TOOL) -> list[dict[str, Any]]:
    """The results for all searches in a model's answer, in order; calls of other tools are left to whoever runs them.

    Parameters
    ----------
    content : blocks of the model's message
    session : of the conversation
    """
    results = []
    for block in map(plain, content):
        if isinstance(block, Mapping) and block.get("type") == "tool_use" and block.get("name") == name:
            asked = block.get("input")
            query = asked.get("query", "") if isinstance(asked, Mapping) else ""
            results.append(search_result(block, search.search(query if isinstance(query, str) else "", session=session)))
    return results
