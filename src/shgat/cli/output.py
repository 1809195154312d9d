"""What commands print: tables for people, JSON for programs."""

import sys
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from rich.console import Console, RenderableType


def write_json(value: Any) -> None:
    """One JSON document on stdout."""
    sys.stdout.write(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY).decode() + "\n")


def write(*parts: "RenderableType") -> None:
    """Tables and text on stdout."""
    console = _console(sys.stdout)
    for part in parts:
        console.print(part)


def note(message: str) -> None:
    """A remark on stderr."""
    print(message, file=sys.stderr)


def shorten(text: str, width: int) -> str:
    """At most `width` characters of one line."""
    line = " ".join(text.split())
    return line if len(line) <= width else line[: width - 1] + "…"


def _console(stream: Any) -> "Console":
    from rich.console import Console

    # A pipe has no width: rows stay whole there, for grep and less.
    return Console(file=stream, highlight=False, markup=False, emoji=False, width=None if stream.isatty() else 160)
