"""Runs of LangSmith: a trace of runs is a turn, its tool runs are the calls, its root has the intent."""

from collections.abc import Iterator, Mapping
from typing import Any

from . import definitions
from .findings import Findings
from .messages import is_message
from .turns import Call, Sessions, Turn, called, failure, intent_of, shown, text_of, when

_ASKED = ("input", "question", "query", "prompt", "user_input", "text", "content")
_THREADS = ("session_id", "thread_id", "conversation_id")
_DEEPEST = 4


def read(value: Any, into: Findings) -> None:
    """Every run of a list, or under `runs`, of whatever traces they are."""
    value = value.get("runs", [value]) if isinstance(value, Mapping) else value
    traces: dict[str, list[Mapping[str, Any]]] = {}
    for position, given in enumerate(value if isinstance(value, list) else [value]):
        run = given if isinstance(given, Mapping) else definitions.plain(given)
        if not isinstance(run, Mapping) or not isinstance(run.get("run_type"), str):
            into.note(f"run {position}", "left out", "it is no run: it has no run_type")
            continue
        traces.setdefault(str(run.get("trace_id") or run.get("id") or position), []).append(run)
    threads: dict[str, list[Turn]] = {}
    for key, runs in traces.items():
        turn, thread = _turn(key, runs, into)
        if turn is not None:
            threads.setdefault(thread or key, []).append(turn)
    sessions = Sessions("langsmith")
    for thread, turns in threads.items():
        sessions.add(thread, sorted(turns, key=lambda turn: turn.timestamp or 0.0))
    into.traces += sessions.traces()


def _turn(key: str, runs: list[Mapping[str, Any]], into: Findings) -> tuple[Turn | None, str]:
    """(the turn that a trace is, or None; its thread)."""
    runs = sorted(runs, key=lambda run: when(run, "start_time") or 0.0)
    known = {str(run.get("id")): run for run in runs}
    for run in runs:
        params = _at(run, "extra", "invocation_params")
        if isinstance(params, Mapping) and params.get("tools"):
            definitions.read_logged(params["tools"], into)
    tools = [run for run in runs if run.get("run_type") == "tool" and called(run.get("name")) and not _within_tool(run, known)]
    if not tools:
        return None, ""
    rootless = [run for run in runs if not run.get("parent_run_id")]
    asked = next((text for run in (*rootless, *runs) if (text := _asked(run.get("inputs"), 0)) and run not in tools), "")
    thread = next((str(v) for run in runs for name in _THREADS if (v := _at(run, "extra", "metadata", name))), "")
    if not asked:
        into.note(f"trace {key}", "left out", "no run says what was asked")
        return None, ""
    turn = Turn(intent_of(asked), timestamp=when(runs[0], "start_time"))
    turn.calls = [
        Call(called(r["name"]), str(r.get("id", "")), _error(r), when(r, "start_time"), when(r, "end_time")) for r in tools
    ]
    return turn, thread


def _error(run: Mapping[str, Any]) -> str | None:
    """None for a run that never ended."""
    if run.get("error"):
        return shown(run["error"])
    if run.get("status") == "error":
        return shown("")
    outputs = run.get("outputs")
    return None if outputs is None and run.get("end_time") is None else failure(outputs)


def _within_tool(run: Mapping[str, Any], known: Mapping[str, Mapping[str, Any]]) -> bool:
    """Is it a step of another tool?"""
    for _ in range(min(len(known), 100)):
        above = known.get(str(run.get("parent_run_id")))
        if above is None:
            return False
        if above.get("run_type") == "tool":
            return True
        run = above
    return False


def _asked(inputs: Any, depth: int) -> str:
    """What a person asked for, in the inputs of a run: the last message of a person, or what is called so."""
    if isinstance(inputs, str):
        return inputs if depth else ""
    if isinstance(inputs, list) and depth < _DEEPEST:
        people = [text for item in inputs if (text := _said(item)).strip()]
        if people:
            return people[-1]
        return next((text for item in inputs if isinstance(item, list) and (text := _asked(item, depth + 1))), "")
    if isinstance(inputs, Mapping) and depth < _DEEPEST:
        if isinstance(inputs.get("messages"), list) and (text := _asked(inputs["messages"], depth + 1)):
            return text
        return next((text for name in _ASKED if (text := _asked(inputs.get(name), depth + 1))), "")
    return ""


def _said(item: Any) -> str:
    """The text of a person's message, "" for any other."""
    if not isinstance(item, Mapping):
        return ""
    about = item.get("kwargs", item.get("data"))
    names = [
        item.get("role"),
        item.get("type"),
        *_last(item.get("id")),
        *(_last(about.get("type")) if isinstance(about, Mapping) else ()),
    ]
    if not any(name in ("user", "human", "HumanMessage") for name in names):
        return ""
    inside = item if is_message(item) and "content" in item else about
    return text_of(inside.get("content")) if isinstance(inside, Mapping) else ""


def _last(value: Any) -> Iterator[Any]:
    if isinstance(value, list) and value:
        yield value[-1]
    elif isinstance(value, str):
        yield value


def _at(value: Any, *path: str) -> Any:
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value
