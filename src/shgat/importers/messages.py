"""Lists of messages, as OpenAI (chat and responses), Anthropic and LangChain have them: alone, in requests, or a line each."""

from collections.abc import Iterator, Mapping
from typing import Any

from . import definitions
from .findings import Findings
from .turns import Call, Sessions, Turn, called, failure, intent_of, shown, text_of, when

ITEMS = ("function_call", "function_call_output", "mcp_call")  # of OpenAI's responses
_LISTS = ("messages", "input", "conversation", "conversations", "items")
_SESSIONS = ("session_id", "sessionId", "thread_id", "threadId", "conversation_id", "conversationId", "id")
_USES = ("tool_use", "server_tool_use", "mcp_tool_use")
_ROLES = {"human": "user", "ai": "assistant"}
_DEEPEST = 3
_Conversation = tuple[str, str, list[Any], float | None]


def read(value: Any, into: Findings) -> None:
    """Every conversation as traces, and the tools that requests bring."""
    sessions = Sessions("messages")
    for where, session, entries, at in _conversations(value, "conversation", 0, into):
        sessions.add(session, _turns(entries, where, at, into))
    into.traces += sessions.traces()


def is_message(value: Any) -> bool:
    """Is it a message, or an item of a response?"""
    if not isinstance(value, Mapping):
        return False
    if isinstance(value.get("role"), str):
        return "content" in value or "tool_calls" in value or "function_call" in value or "parts" in value
    return value.get("type") in ITEMS or (value.get("type") in (*_ROLES, "tool") and ("content" in value or "data" in value))


def _conversations(value: Any, where: str, depth: int, into: Findings) -> Iterator[_Conversation]:
    """(where it stands, id of the session, messages, seconds since 1970 that it is of)."""
    if isinstance(value, list) and any(is_message(item) for item in value):
        yield where, "", value, None
    elif isinstance(value, list) and depth < _DEEPEST:
        logged: dict[str, list[Any]] = {}  # lines with a message each
        for position, item in enumerate(value):
            if isinstance(item, Mapping) and is_message(item.get("message")):
                logged.setdefault(_session(item, _SESSIONS[:-1]), []).append({"timestamp": when(item), **item["message"]})
            else:
                yield from _conversations(item, f"{where} {position}", depth + 1, into)
        for session, entries in logged.items():
            yield f"session {session}" if session else where, session, entries, None
    elif isinstance(value, Mapping):
        yield from _conversation(value, where, into)
    else:
        into.note(where, "left out", "it is no conversation")


def _conversation(value: Mapping[str, Any], where: str, into: Findings) -> Iterator[_Conversation]:
    """The messages of a record, or of the request and the response in it."""
    entries = list[Any]()
    for part in (value, value.get("request", value.get("body"))):
        if isinstance(part, Mapping):
            entries += next((part[key] for key in _LISTS if isinstance(part.get(key), list)), [])
            definitions.read_logged(part.get("tools"), into)
    entries += _answered(value.get("response")) or _answered(value)
    if entries:
        yield where, _session(value, _SESSIONS), entries, when(value)
    elif not value.get("tools") and "type" not in value:  # lines of other types stand in logs too
        into.note(where, "left out", "it has no messages")


def _answered(response: Any) -> list[Any]:
    """What a model answered, in a logged response."""
    if not isinstance(response, Mapping):
        return []
    choices, output = response.get("choices"), response.get("output")
    if isinstance(choices, list) and choices and isinstance(choices[0], Mapping):
        return [choices[0].get("message")]
    if isinstance(output, list):
        return output
    return [response] if is_message(response) else []


def _session(value: Mapping[str, Any], names: tuple[str, ...]) -> str:
    found = next((value[name] for name in names if isinstance(value.get(name), str | int)), "")
    return str(found)


def _turns(entries: list[Any], where: str, said: float | None, into: Findings) -> list[Turn]:
    turns: list[Turn] = []
    asked: list[str] = []  # since the last call: what was asked in several steps
    calls: dict[str, Call] = {}
    for position, entry in enumerate(entries):
        if not isinstance(entry, Mapping):
            into.note(f"{where}, message {position}", "left out", "it is no message")
            continue
        message = flat(entry)
        at = when(message)
        for call in calls_in(message):
            if asked or not turns:
                turns.append(Turn(intent_of(" ".join(asked)), timestamp=said if at is None else at))
                asked = []
            call.start = at
            calls[call.key or call.name] = call
            turns[-1].calls.append(call)
        results = list(results_in(message))
        for key, error in results:
            if key in calls:
                calls[key].error, calls[key].end = error, at
        if message.get("role") == "user" and not results:
            text = text_of(message.get("content", message.get("parts")))
            asked += [text] if text.strip() else []
    silent = sum(not turn.intent for turn in turns)
    if silent:
        into.note(
            where,
            "left out",
            f"{silent} calls of tools, because nobody asked for them" if silent > 1 else "calls that nobody asked for",
        )
    return [turn for turn in turns if turn.intent]


def flat(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """A message with its role, whichever way LangChain wrote it."""
    for inside in ("kwargs", "data"):
        if isinstance(entry.get(inside), Mapping) and "role" not in entry:
            kind = entry.get("type")
            entry = {**entry[inside], **({"type": kind} if kind in (*_ROLES, "tool") else {})}
    role = entry.get("role", entry.get("type"))
    return {**entry, "role": _ROLES.get(role, role)} if isinstance(role, str) else entry


def calls_in(message: Mapping[str, Any]) -> Iterator[Call]:
    """The calls of tools that a message, as `flat` gives it, asks for."""
    kind = message.get("type")
    if kind in ("function_call", "mcp_call"):
        name, server = called(message.get("name")), message.get("server_label")
        error = _failure(message) if kind == "mcp_call" else None
        if name:
            yield Call(f"{server}/{name}" if isinstance(server, str) else name, _key(message, "call_id", "id"), error)
        return
    if message.get("role") != "assistant":
        return
    found = [*_some(message.get("tool_calls")), message.get("function_call")]
    found += [part for part in _some(message.get("content")) if isinstance(part, Mapping) and part.get("type") in _USES]
    for item in found:
        if not isinstance(item, Mapping):
            continue
        function = item.get("function") if isinstance(item.get("function"), Mapping) else item
        name, server = called(function.get("name")), item.get("server_name")  # type: ignore[union-attr]
        if name:
            yield Call(f"{server}/{name}" if isinstance(server, str) else name, _key(item, "id"))


def results_in(message: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(id or name of the call, "" where it worked, else why it failed)."""
    if message.get("type") == "function_call_output":
        yield _key(message, "call_id"), _failure(message)
    elif message.get("role") in ("tool", "function"):
        yield _key(message, "tool_call_id", "name"), _failure(message)
    for part in _some(message.get("content")):
        if isinstance(part, Mapping) and isinstance(part.get("type"), str) and part["type"].endswith("tool_result"):
            yield _key(part, "tool_use_id"), _failure(part)


def _failure(result: Mapping[str, Any]) -> str:
    if result.get("is_error") is True or result.get("status") == "error":
        return shown(text_of(result.get("content", result.get("output"))))
    return failure(result.get("content", result.get("output"))) or (shown(result["error"]) if result.get("error") else "")


def _key(item: Mapping[str, Any], *names: str) -> str:
    return next((item[name] for name in names if isinstance(item.get(name), str)), "")


def _some(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
