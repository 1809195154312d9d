"""Which kind of source a value is, and what reads it."""

from collections.abc import Callable, Mapping
from typing import Any

from . import definitions, messages, n8n, openapi, runs, servers, spans
from .findings import Findings

READERS: dict[str, Callable[[Any, Findings], None]] = {
    "mcp": definitions.read,
    "openai": definitions.read,
    "anthropic": definitions.read,
    "langchain": definitions.read,
    "openapi": openapi.read,
    "n8n": n8n.read,
    "messages": messages.read,
    "langsmith": runs.read,
    "otel": spans.read,
}
SERVERS = "mcp-servers"  # a configuration: its servers are asked
KINDS = (*READERS, SERVERS)
LOGS = ("messages", "langsmith", "otel")  # what tools are called there is looked up, and definitions are repeated
_LOOKED_AT, _DEEPEST = 20, 4  # items of a list, lists of tools within lists


def kind_of(value: Any) -> str | None:
    """The kind that a value looks like, None where it looks like none; a list is what its first items are."""
    if servers.entries_of(value) is not None:
        return SERVERS
    value = definitions.plain(value)
    return _of_list([definitions.plain(item) for item in value[:_LOOKED_AT]] if isinstance(value, list) else [value], 0)


def _of_list(items: list[Any], depth: int) -> str | None:
    found = (_of_item(item, depth + 1) for item in items[:_LOOKED_AT])
    return next((kind for kind in found if kind is not None), None)


def _of_item(item: Any, depth: int) -> str | None:
    if isinstance(item, list) and depth <= _DEEPEST:
        return _of_list(item, depth)
    if not isinstance(item, Mapping):
        return None
    seen = next((kind for kind, looks in _LOOKS.items() if looks(item)), None)
    lists = [item[name] for name in ("runs", "spans", "workflows", "data") if isinstance(item.get(name), list)]
    if seen is None and depth <= _DEEPEST:
        seen = next((kind for inside in lists if (kind := _of_list(inside, depth))), None)
    return seen or _of_definition(item, 0)


def _is_span(item: Mapping[str, Any]) -> bool:
    if any(name in item for name in ("resourceSpans", "resource_spans", "scopeSpans")):
        return True
    context = item.get("context")
    where = context if isinstance(context, Mapping) else item
    return any(name in where for name in ("spanId", "span_id")) and any(name in where for name in ("traceId", "trace_id"))


def _is_workflow(item: Mapping[str, Any]) -> bool:
    inside = item.get("workflow")
    item = inside if isinstance(inside, Mapping) else item
    return isinstance(item.get("nodes"), list) and (
        "connections" in item or any("type" in n for n in item["nodes"] if isinstance(n, Mapping))
    )


def _is_conversation(item: Mapping[str, Any]) -> bool:
    if messages.is_message(item) or messages.is_message(item.get("message")):
        return True
    if any(isinstance(item.get(name), list) for name in ("messages", "conversation", "conversations")):
        return True
    request = item.get("request", item.get("body"))
    if isinstance(request, Mapping) and (isinstance(request.get("messages"), list) or isinstance(request.get("input"), list)):
        return True
    return isinstance(item.get("input"), list) and any(messages.is_message(entry) for entry in item["input"])


def _of_definition(item: Mapping[str, Any], depth: int) -> str | None:
    if depth > _DEEPEST:
        return None
    result = item.get("result")
    if isinstance(result, Mapping) and "name" not in item:
        return _of_definition(result, depth + 1)
    seen = next((kind for kind, looks in _DEFINITIONS.items() if looks(item)), None)
    held = next((item[name] for name in definitions.LISTS if isinstance(item.get(name), list | tuple | Mapping)), None)
    if seen is None and held is not None:
        inside = list(held.values() if isinstance(held, Mapping) else held)[:_LOOKED_AT]
        kinds = (_of_definition(i, depth + 1) for i in map(definitions.plain, inside) if isinstance(i, Mapping))
        seen = next((kind for kind in kinds if kind is not None), "mcp")
    said = _SAID & item.keys()
    if (
        seen is None
        and (isinstance(item.get("name"), str) or (isinstance(item.get("id"), str) and said))
        and (said or item.keys() <= _BARE)
    ):
        seen = "anthropic" if isinstance(item.get("type"), str) and item["type"] not in ("function", "namespace") else "mcp"
    return seen


_LOOKS: dict[str, Callable[[Mapping[str, Any]], bool]] = {
    "openapi": lambda item: isinstance(item.get("openapi", item.get("swagger")), str | float),
    "otel": _is_span,
    "langsmith": lambda item: isinstance(item.get("run_type"), str),
    "n8n": _is_workflow,
    "messages": _is_conversation,
}
_SAID = {"description", "text", "title", "summary"}
_BARE = {"name", "type", "annotations", "_meta", "server", "category", "tags", "cache_control"}
_DEFINITIONS: dict[str, Callable[[Mapping[str, Any]], bool]] = {
    "mcp": lambda item: "inputSchema" in item,
    "anthropic": lambda item: "input_schema" in item,
    "openai": lambda item: isinstance(item.get("function"), Mapping) or "parameters" in item or item.get("type") == "function",
    "langchain": lambda item: "args_schema" in item or ("args" in item and "name" in item),
}
