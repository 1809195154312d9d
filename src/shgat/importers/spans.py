"""Spans of OpenTelemetry with GenAI's attributes: a trace of spans is a turn, its `execute_tool` spans are the calls."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from . import definitions
from .findings import Findings
from .turns import Call, Sessions, Turn, called, failure, intent_of, shown, text_of, when

_SESSIONS = ("gen_ai.conversation.id", "session.id", "traceloop.association.properties.session_id")
_TOOLS = ("gen_ai.tool.name", "tool.name", "traceloop.entity.name")
_ASKED = ("gen_ai.input.messages", "gen_ai.prompt", "input.value", "traceloop.entity.input")
_RESULTS = ("gen_ai.tool.call.result", "output.value", "traceloop.entity.output")
_DEEPEST = 5


@dataclass(frozen=True, eq=False, slots=True)
class Span:
    """One span, whichever exporter wrote it; times in seconds since 1970."""

    trace: str
    key: str
    parent: str
    attributes: Mapping[str, Any]
    events: list[Any]
    start: float | None
    end: float | None
    failed: bool
    message: Any

    @property
    def tool(self) -> str:
        """Name of the tool that it executed, "" where it is no such span."""
        said = self.attributes
        kinds = (said.get("openinference.span.kind"), said.get("traceloop.span.kind"))
        operation = said.get("gen_ai.operation.name")
        if operation == "execute_tool" or (operation is None and "gen_ai.tool.name" in said) or "TOOL" in kinds or "tool" in kinds:
            return next((name for key in _TOOLS if (name := called(said.get(key)))), "")
        return ""


def read(value: Any, into: Findings) -> None:
    """Every span of an OTLP document, of its lines, or of a list of spans as SDKs print them."""
    traces: dict[str, list[Span]] = {}
    for where, given in _spans(value, "span", 0):
        span = _span(given)
        if span is None:
            into.note(where, "left out", "it is no span: it has no trace and span id")
        else:
            traces.setdefault(span.trace, []).append(span)
    sessions, threads = Sessions("otel"), dict[str, list[Turn]]()
    for key, spans in traces.items():
        turn, thread = _turn(key, sorted(spans, key=lambda s: s.start or 0.0), into)
        if turn is not None:
            threads.setdefault(thread or key, []).append(turn)
    for thread, turns in threads.items():
        sessions.add(thread, sorted(turns, key=lambda turn: turn.timestamp or 0.0))
    into.traces += sessions.traces()


def _spans(value: Any, where: str, depth: int) -> Iterator[tuple[str, Any]]:
    if isinstance(value, list) and depth < _DEEPEST:
        for position, item in enumerate(value):
            yield from _spans(item, f"{where} {position}", depth + 1)
        return
    held = ("resourceSpans", "resource_spans", "scopeSpans", "scope_spans", "instrumentationLibrarySpans", "spans", "data")
    if isinstance(value, Mapping) and depth < _DEEPEST:
        inside = [value[name] for name in held if isinstance(value.get(name), list)]
        if inside:
            for several in inside:
                yield from _spans(several, where, depth)
            return
    yield where, value


def _span(given: Any) -> Span | None:
    if not isinstance(given, Mapping):
        return None
    context = _mapping(given.get("context")) or given
    trace, key = _word(context, "traceId", "trace_id"), _word(context, "spanId", "span_id")
    if not trace or not key:
        return None
    status, attributes = _mapping(given.get("status")), _attributes(given.get("attributes"))
    code = status.get("code", status.get("status_code"))
    return Span(
        trace,
        key,
        _word(given, "parentSpanId", "parent_span_id", "parent_id"),
        attributes,
        given["events"] if isinstance(given.get("events"), list) else [],
        when(given, "startTimeUnixNano", "start_time_unix_nano", "start_time"),
        when(given, "endTimeUnixNano", "end_time_unix_nano", "end_time"),
        code in (2, "2", "ERROR", "STATUS_CODE_ERROR", "Error") or bool(attributes.get("error.type")),
        status.get("message") or status.get("description") or attributes.get("error.type"),
    )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _word(value: Mapping[str, Any], *names: str) -> str:
    return next((value[name] for name in names if isinstance(value.get(name), str)), "")


def _attributes(given: Any) -> dict[str, Any]:
    if isinstance(given, Mapping):
        return {str(name): value for name, value in given.items()}
    found = {}
    for item in given if isinstance(given, list) else ():
        if isinstance(item, Mapping) and isinstance(item.get("key"), str):
            found[item["key"]] = _value(item.get("value"), 0)
    return found


def _value(value: Any, depth: int) -> Any:
    """The value that OTLP wraps: {"stringValue": ...}, {"arrayValue": {"values": [...]}}, {"kvlistValue": {"values": [...]}}."""
    if not isinstance(value, Mapping) or depth >= _DEEPEST:
        return value
    for name, inside in value.items():
        if name in ("arrayValue", "array_value") and isinstance(inside, Mapping):
            values = inside.get("values")
            return [_value(item, depth + 1) for item in values] if isinstance(values, list) else []
        if name in ("kvlistValue", "kvlist_value") and isinstance(inside, Mapping):
            values = inside.get("values")
            pairs = [v for v in values if isinstance(v, Mapping)] if isinstance(values, list) else []
            return {str(v.get("key")): _value(v.get("value"), depth + 1) for v in pairs}
        return inside
    return None


def _turn(key: str, spans: list[Span], into: Findings) -> tuple[Turn | None, str]:
    """(the turn that a trace is, or None; its conversation)."""
    known = {span.key: span for span in spans}
    for span in spans:
        told = _decoded(span.attributes.get("gen_ai.tool.definitions"))
        if isinstance(told, list):
            definitions.read_logged(told, into)
    tools = [span for span in spans if span.tool and not _within_tool(span, known)]
    if not tools:
        return None, ""
    asked = next((text for span in spans if not span.tool and (text := _asked(span))), "")
    if not asked:
        into.note(f"trace {key}", "left out", "no span says what was asked")
        return None, ""
    for span in tools:
        said = span.attributes.get("gen_ai.tool.description")
        if isinstance(said, str) and (into.server, span.tool) not in into.tools:
            into.add_tool(span.tool, None, said)
    turn = Turn(intent_of(asked), [Call(s.tool, s.key, _error(s), s.start, s.end) for s in tools], spans[0].start)
    return turn, next((str(v) for span in spans for name in _SESSIONS if (v := span.attributes.get(name))), "")


def _error(span: Span) -> str:
    if span.failed:
        return shown(span.message)
    return next((why for name in _RESULTS if (why := failure(_decoded(span.attributes.get(name))))), "")


def _within_tool(span: Span, known: Mapping[str, Span]) -> bool:
    for _ in range(min(len(known), 100)):
        above = known.get(span.parent)
        if above is None:
            return False
        if above.tool:
            return True
        span = above
    return False


def _asked(span: Span) -> str:
    """What a person asked for, in the attributes or the events of a span."""
    for name in _ASKED:
        value = _decoded(span.attributes.get(name))
        if isinstance(value, Mapping):
            value = value.get("messages", value.get("input", value.get("inputs")))
        if isinstance(value, str) and value.strip():
            return value
        people = [text for item in value if (text := _said(item)).strip()] if isinstance(value, list) else []
        if people:
            return people[-1]
    texts = []
    for event in span.events:
        if isinstance(event, Mapping) and event.get("name") == "gen_ai.user.message":
            said = _attributes(event.get("attributes"))
            texts.append(text_of(said.get("content", said.get("gen_ai.prompt"))))
    numbered = [
        n for n in span.attributes if n.startswith("gen_ai.prompt.") and n.endswith(".role") and span.attributes[n] == "user"
    ]
    texts += [text_of(span.attributes.get(f"{name.removesuffix('.role')}.content")) for name in numbered]
    return next((text for text in reversed(texts) if text.strip()), "")


def _said(item: Any) -> str:
    """The text of a person's message, "" for any other."""
    if not isinstance(item, Mapping) or item.get("role") not in ("user", "human"):
        return ""
    return text_of(item.get("parts", item.get("content")))


def _decoded(value: Any) -> Any:
    """JSON within a string as what it says."""
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            return value
    return value
