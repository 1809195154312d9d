"""What a conversation says: what is wanted, which tools were called, and how that went. Chat, responses and Anthropic's messages."""

from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from typing import Any, NamedTuple

from ..importers.definitions import plain
from ..importers.messages import calls_in, flat, results_in
from ..importers.turns import intent_of, text_of

Messages = str | Iterable[Any]


class Done(NamedTuple):
    """A call that was answered: of which tool, its id, and whether it worked.

    It worked where its result does not say that it failed: by `is_error`, `status`, or as results usually say it.
    """

    name: str
    call_id: str
    worked: bool


def query_of(messages: Messages) -> str:
    """The latest text of the user, in one line and without credentials; "" where there is none."""
    if isinstance(messages, str):
        return intent_of(messages)
    return next((text for text in reversed(list(_asked(messages))) if text), "")


def conversation_of(messages: Messages) -> str:
    """A name for a conversation that goes on: a hash of what the user said first."""
    first = intent_of(messages) if isinstance(messages, str) else next(_asked(messages), "")
    return blake2b(first.encode("utf-8", "replace"), digest_size=12).hexdigest() if first else ""


def done_in(messages: Messages) -> list[Done]:
    """The calls that were answered, in order."""
    if isinstance(messages, str):
        return []
    names: dict[str, str] = {}
    found = []
    for message in _messages(messages):
        names.update((call.key or call.name, call.name) for call in calls_in(message))
        found += [Done(names[key], key, not error) for key, error in results_in(message) if key in names]
    return found


def _asked(messages: Iterable[Any]) -> Iterator[str]:
    for message in _messages(messages):
        if message.get("role") == "user" and (text := text_of(message.get("content")).strip()):
            yield intent_of(text)


def _messages(messages: Iterable[Any]) -> Iterator[Mapping[str, Any]]:
    for entry in messages:
        message = plain(entry)
        if isinstance(message, Mapping):
            yield flat(message)
