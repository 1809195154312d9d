"""Texts as both databases can hold them: PostgreSQL refuses U+0000, neither takes half a surrogate pair."""

from .._check import text, texts
from ..errors import InputError


def stored_text(value: object, what: str) -> str:
    """A non-empty string that both databases can hold."""
    string = text(value, what)
    if "\0" in string:
        raise InputError(f"{what} holds U+0000 at position {string.index(chr(0))}")
    try:
        string.encode()
    except UnicodeEncodeError as error:
        raise InputError(f"{what} holds half a surrogate pair at position {error.start}") from None
    return string


def stored_texts(value: object, what: str) -> tuple[str, ...]:
    """A list of them."""
    return tuple(stored_text(item, what) for item in texts(value, what))
