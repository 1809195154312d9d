"""Files as values: JSON, JSON with comments, JSON lines and YAML, of bounded size. No message quotes what a file holds."""

import re
import sys
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from .._files import open_regular, reason, size_of
from ..errors import InputError, MissingExtraError

LARGEST = 64 << 20  # bytes of a file
VALUES = 4_000_000  # in a file: an empty list takes three bytes there and sixty in memory
MERGED = 100_000  # entries that YAML's merge keys may make
STDIN = "-"
_NONE = object()  # no value
ENDINGS = (".json", ".jsonl", ".ndjson", ".yaml", ".yml")
_YAML = re.compile(rb"\s*(?:#[^\n]*\n\s*|---[^\n]*\n\s*)*[\"']?[A-Za-z][\w.-]*[\"']?\s*:(?:\s|$)")
# A string, or a comment, or a comma before a closing bracket.
_COMMENT = re.compile(r'("(?:[^"\\]|\\.)*(?:"|\Z))|//[^\n]*|/\*.*?(?:\*/|\Z)', re.DOTALL)
_START = re.compile(r"\s*(?=[{\[])")
_COMMA = re.compile(r'("(?:[^"\\]|\\.)*(?:"|\Z))|,(?=\s*[}\]])', re.DOTALL)


class Document(NamedTuple):
    """The value of a file, or of its lines as a list; `faults` says which lines could not be read."""

    value: Any
    faults: list[str]


def read(path: Path) -> Document:
    """The document in a file; "-" is standard input.

    Raises
    ------
    InputError
        for what cannot be read, is larger than 64 MiB, holds more than four million values, or is neither JSON nor YAML.
    """
    try:
        if str(path) == STDIN:
            data = sys.stdin.buffer.read(LARGEST + 1)
        else:
            with open_regular(path) as file:
                size = size_of(file)
                if size > LARGEST:
                    raise InputError(f"{path.name} has {size >> 20} MiB, at most {LARGEST >> 20} MiB are read: split it")
                data = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        if isinstance(error, InputError):
            raise
        raise InputError(f"cannot read {path}: {reason(error)}") from None
    if len(data) > LARGEST:
        raise InputError(f"{path.name} has more than {LARGEST >> 20} MiB: split it")
    return parse(data, path.name)


def parse(data: bytes, name: str) -> Document:
    """The document that bytes hold; `name` is what messages call it, and its ending says what is tried first."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        data = data.decode("utf-16", "replace").encode()
    data = data.removeprefix(b"\xef\xbb\xbf")
    if not data.strip():
        raise InputError(f"{name} is empty")
    if data.count(b"[") + data.count(b"{") + data.count(b",") > VALUES:
        raise InputError(f"{name} holds more than {VALUES:,} values: split it")
    if name.lower().endswith((".yaml", ".yml")) or (not name.lower().endswith(ENDINGS) and _YAML.match(data[:4096])):
        return Document(_yaml(data, name), [])
    try:
        return Document(orjson.loads(data), [])
    except orjson.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
    lines = [line for line in enumerate(data.splitlines(), 1) if line[1].strip()]
    if len(lines) > 1 and _first_is_json(lines[0][1]):
        return _lines(lines)
    text = data.decode("utf-8", "replace")
    value = _lenient(text)
    if value is not _NONE:
        return Document(value, [])
    values, end = _one_after_another(text)
    if not values:
        raise InputError(f"{name} is no JSON: {place}")
    faults = [f"everything from character {end + 1}"] if text[end:].strip() else []
    return Document(values if len(values) > 1 else values[0], faults)


def _first_is_json(line: bytes) -> bool:
    return line.lstrip()[:1] in (b"{", b"[") and _value(line) is not _NONE


def _lines(lines: list[tuple[int, bytes]]) -> Document:
    values, faults = [], []
    for number, line in lines:
        value = _value(line)
        if value is _NONE:
            faults.append(f"line {number}")
        else:
            values.append(value)
    return Document(values, faults)


def _value(data: bytes) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return _by_json(data.decode("utf-8", "replace"))


def _lenient(text: str) -> Any:
    """What NaN, half of a surrogate pair, comments or trailing commas make no JSON."""
    value = _by_json(text)
    if value is _NONE:
        text = _COMMENT.sub(lambda found: found[1] or " ", text)
        value = _by_json(_COMMA.sub(lambda found: found[1] or "", text))
    return value


def _one_after_another(text: str) -> tuple[list[Any], int]:
    """(lists and mappings at the beginning of a text, where they end): documents that were written behind each other, or with a rest."""
    import json

    decoder, values, end = json.JSONDecoder(), list[Any](), 0
    while (start := _START.match(text, end)) is not None:
        try:
            value, end = decoder.raw_decode(text, start.end())
        except (ValueError, RecursionError):
            break
        values.append(value)
    return values, end


def _by_json(text: str) -> Any:
    import json

    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return _NONE


def _yaml(data: bytes, name: str) -> Any:
    try:
        import yaml
    except ImportError:
        raise MissingExtraError("PyYAML", "yaml") from None
    fast: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    class Loader(fast):  # type: ignore[misc]
        """Without dates, which JSON does not have, and with an end to what merge keys copy."""

        merged = 0
        yaml_implicit_resolvers = {  # noqa: RUF012
            first: [found for found in several if found[0] != "tag:yaml.org,2002:timestamp"]
            for first, several in fast.yaml_implicit_resolvers.items()
        }

        def flatten_mapping(self, node: Any) -> None:
            before = len(node.value)
            super().flatten_mapping(node)
            self.merged += max(0, len(node.value) - before)
            if self.merged > MERGED:
                raise InputError(f"{name} merges more than {MERGED:,} entries into each other")

    try:
        return yaml.load(data, Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f": line {mark.line + 1}, column {mark.column + 1}" if mark is not None else ""
        raise InputError(f"{name} is no YAML{place}") from None
    except InputError:
        raise
    except (ValueError, TypeError, RecursionError, OverflowError, AttributeError):  # a tag or a number that it cannot make
        raise InputError(f"{name} is no YAML that can be read") from None
