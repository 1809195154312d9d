"""A conversation as turns, each an intent with the calls that were made for it, and turns as traces."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from .._check import moment
from ..errors import InputError
from .findings import FoundTrace
from .names import digest
from .secrets import masked
from .texts import ID, clean, cut

INTENT, ERROR, CONTEXT = 4_000, 300, 32  # characters of an intent and of an error, tools of the session that a trace names
_FAILED = re.compile(
    r"\s*(?:<tool_use_error>|(?:fatal )?(?:tool )?(?:error|exception)\b[^.]{0,60}?:|traceback \(most recent call last\))",
    re.IGNORECASE,
)
_TIMES = ("timestamp", "created_at", "createdAt", "created", "start_time", "time", "ts")
_STATES = ("error", "failed", "failure")
_PARTS = 10  # of a result
_READ = 20_000  # characters of a result that are looked through for an error


@dataclass(eq=False)
class Call:
    """One call of a tool.

    Attributes
    ----------
    name, key : of the tool, and id of the call, "" where it has none
    error : None where it is not known how it went, "" where it worked, else why it failed
    start, end : seconds since 1970, or None
    """

    name: str
    key: str = ""
    error: str | None = None
    start: float | None = None
    end: float | None = None


@dataclass(eq=False)
class Turn:
    """What was asked, and the calls that were made for it, in order."""

    intent: str
    calls: list[Call] = field(default_factory=list)
    timestamp: float | None = None


class Sessions:
    """Turns by conversation. A turn that was logged several times, each time with more calls, is kept as it was logged last."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._turns: dict[str, tuple[Turn, tuple[str, ...], bool]] = {}

    def add(self, session: str, turns: Iterable[Turn]) -> None:
        """One conversation; `session` is its id, "" where it has none."""
        turns = [turn for turn in turns if turn.calls]
        answered = any(call.error is not None for turn in turns for call in turn.calls)
        asked = digest(self._kind, session)
        used: dict[str, None] = {}
        for turn in turns:
            asked = digest(asked, turn.intent)
            key = digest(asked, turn.calls[0].key)
            known = self._turns.get(key)
            if known is None or len(known[0].calls) < len(turn.calls) or (answered and not known[2]):
                self._turns[key] = turn, tuple(used)[-CONTEXT:], answered
            used.update((call.name, None) for call in turn.calls)

    def traces(self) -> Iterator[FoundTrace]:
        """What worked of each turn, and what failed and was not mended in it, a trace for each tool."""
        for key, (turn, context, answered) in self._turns.items():
            yield from _traces(key, turn, context, answered)


def _traces(key: str, turn: Turn, context: tuple[str, ...], answered: bool) -> Iterator[FoundTrace]:
    """A call whose result nobody logged counts as worked where no result was logged at all, as in examples to learn from."""
    worked = [call for call in turn.calls if call.error == "" or (call.error is None and not answered)]
    names = tuple(dict.fromkeys(call.name for call in worked))
    if names:
        yield FoundTrace(key, turn.intent, names, 1.0, None, context, _start(worked, turn), _duration(worked))
    failed = {call.name: call for call in turn.calls if call.error and call.name not in names}
    for name, call in failed.items():
        parent = key if names else None
        yield FoundTrace(
            digest(key, name), turn.intent, (name,), 0.0, call.error, context, _start([call], turn), _duration([call]), parent
        )


def _start(calls: list[Call], turn: Turn) -> float | None:
    return turn.timestamp if turn.timestamp is not None else next((c.start for c in calls if c.start is not None), None)


def _duration(calls: list[Call]) -> float | None:
    """Milliseconds from the first start to the last end."""
    starts, ends = [c.start for c in calls if c.start is not None], [c.end for c in calls if c.end is not None]
    return 1000.0 * max(0.0, max(ends) - min(starts)) if starts and ends else None


def called(name: Any) -> str:
    """The name of a tool as logs have it, "" where that is none."""
    return clean(name) if isinstance(name, str) and len(name) <= ID else ""


def intent_of(text: str) -> str:
    """What was asked, in one line, without credentials."""
    return masked(cut(clean(text), INTENT))


def when(record: Mapping[str, Any], *names: str) -> float | None:
    """Seconds since 1970 that a record was made at, None where it does not say."""
    for name in names or _TIMES:
        value = record.get(name)
        if value is not None:
            try:
                return moment(int(value) if isinstance(value, str) and value.isdecimal() else value, name)
            except (InputError, OverflowError, ValueError):
                continue
    return None


def failure(result: Any, depth: int = 3) -> str:
    """Why a call failed, by what it returned; "" where nothing says that it did."""
    if isinstance(result, str):
        return _failure_told(result, depth)
    if depth <= 0:
        return ""
    if isinstance(result, Mapping):
        why = _failure_marked(result)
        inside = [result[name] for name in ("content", "text", "output", "kwargs") if result.get(name) is not None]
    else:
        why, inside = "", result[:_PARTS] if isinstance(result, list) else []
    return why or next((said for said in (failure(value, depth - 1) for value in inside) if said), "")


def _failure_told(text: str, depth: int) -> str:
    if _FAILED.match(text):
        return shown(text)
    if text.lstrip()[:1] == "{" and len(text) <= _READ:
        try:
            return failure(orjson.loads(text), depth - 1)
        except orjson.JSONDecodeError:
            pass
    return ""


def _failure_marked(result: Mapping[str, Any]) -> str:
    """By the usual names for it."""
    error = result.get("error")
    said = error or result.get("message") or text_of(result.get("content") or result.get("text") or result.get("output"))
    marked = result.get("is_error") is True or result.get("isError") is True or result.get("status") in _STATES
    marked = marked or result.get("success") is False or result.get("ok") is False
    return shown(said) if marked or (error and (isinstance(error, str | Mapping) or error is True)) else ""


def shown(error: Any) -> str:
    """An error as a trace has it: one line of at most 300 characters, without credentials; never empty."""
    if isinstance(error, Mapping):
        error = error.get("message") or error.get("type") or "it failed"
    return masked(cut(clean(error), ERROR)) if isinstance(error, str) and clean(error) else "it failed"


def text_of(content: Any) -> str:
    """The text of a message's content: a string, or parts with texts."""
    if isinstance(content, str):
        return content
    if isinstance(content, Mapping):
        content = [content]
    parts = []
    for part in content if isinstance(content, list) else ():
        if isinstance(part, str):
            parts.append(part)
        elif isinstance(part, Mapping) and part.get("type") in (None, "text", "input_text", "output_text"):
            text = part.get("text", part.get("content"))
            parts += [text] if isinstance(text, str) else []
    return " ".join(parts)
