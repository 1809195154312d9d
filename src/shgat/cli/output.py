"""What commands print: tables for people, JSON for programs."""

import os
import sys
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from rich.console import Console

    from .grid import Grid

_UNBOUNDED = 1_000_000  # characters of a line where nothing is there to wrap it


def write_json(value: Any) -> None:
    """One JSON document on stdout."""
    sys.stdout.write(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY).decode() + "\n")


def write(*parts: "Grid | str") -> None:
    """Tables, and prose that is wrapped between words, on stdout."""
    from .grid import wrapped

    console = _console(sys.stdout)
    for part in parts:
        if isinstance(part, str):
            write_lines(*wrapped(part, console.width))
        else:
            console.print(part, crop=False)


def write_lines(*lines: str) -> None:
    """What may be pasted, commands and paths, on stdout: never broken."""
    sys.stdout.writelines(f"{line}\n" for line in lines)


def note(message: str) -> None:
    """A remark on stderr."""
    print(message, file=sys.stderr)


def shorten(text: str, width: int) -> str:
    """At most `width` characters of one line."""
    line = " ".join(text.split())
    return line if len(line) <= width else line[: width - 1] + "…"


def _console(stream: Any) -> "Console":
    from rich.console import Console

    width = None  # of the terminal, or COLUMNS
    if not stream.isatty() and not os.environ.get("COLUMNS", "").isdigit():
        width = _UNBOUNDED  # a pipe has no width: rows stay whole there, for grep and less
    return Console(file=stream, highlight=False, markup=False, emoji=False, width=width)
