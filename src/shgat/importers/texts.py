"""What a ranker reads of a tool: title, description and parameters as one text of bounded length."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from ..model.words import words

ID = 512  # characters of a name
DESCRIPTION = 4_000  # characters of a description
PARAMETERS, PARAMETER = 40, 200  # parameters of a tool, and characters of what is said about one
UNDESCRIBED = "it has no description: only its name and parameters are known"
DEPTH = 3  # of objects within objects whose fields are parameters

_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_VISITS = 200
_LEAST = 20  # characters below which a text says hardly anything


def clean(text: str) -> str:
    """One line without control characters and halves of surrogate pairs, which no file and no database can hold."""
    return " ".join((text if text.isprintable() else _UNWRITABLE.sub("", text)).split())


def cut(text: str, most: int) -> str:
    """At most so many characters, cut between words where there are some."""
    if len(text) <= most:
        return text
    head = text[: most - 1]
    return (head[: head.rfind(" ")] if " " in head[most // 2 :] else head).rstrip() + "…"


def described(name: str, title: Any, description: Any, parameters: Sequence[tuple[str, str]]) -> tuple[str, list[str]]:
    """(the text of a tool, remarks on what was changed for it).

    A title that only says the name again is left out. A description longer than 4 000 characters is cut, 40 parameters are named.

    Parameters
    ----------
    name : of the tool; it is no part of the text, because whoever reads a text reads the id too
    title, description : strings; anything else counts as none, and is remarked
    parameters : (name, description) of each
    """
    remarks = []
    parts = []
    for what, value in (("title", title), ("description", description)):
        if value is None:
            continue
        if not isinstance(value, str):
            remarks.append(f"its {what} is no text")
            continue
        said = clean(value)
        if _UNWRITABLE.search(value):
            remarks.append(f"characters that no file can hold were taken out of its {what}")
        if what == "title" and words(said[:ID]) == words(name):
            continue
        if len(said) > DESCRIPTION:
            remarks.append(f"its {what} was cut from {len(said)} to {DESCRIPTION} characters")
        parts.append(cut(said, DESCRIPTION))
    told = ". ".join(part.rstrip(".") for part in parts if part)
    if not told:
        remarks.append(UNDESCRIBED)
    listed = ", ".join(_listed(*parameter) for parameter in parameters[:PARAMETERS])
    if len(parameters) > PARAMETERS:
        remarks.append(f"only {PARAMETERS} of its parameters are named")
    return ". ".join(part for part in (told, f"Parameters: {listed}" if listed else "") if part), remarks


def _listed(name: str, said: str) -> str:
    called = cut(clean(name), PARAMETER)
    return f"{called} ({cut(clean(said), PARAMETER)})" if said else called


def parameters_of(schema: Any) -> list[tuple[str, str]]:
    """(name, description) of the fields of a JSON schema, those of objects in it too, to a depth of 3. References within it are followed.

    No more than 80 fields are read, and 200 schemas: references could make more of them than there are atoms.
    """
    return list(dict.fromkeys(islice(_fields(schema, schema, "", (), [_VISITS]), 2 * PARAMETERS)))


def _fields(schema: Any, root: Any, above: str, within: tuple[int, ...], left: list[int]) -> Iterator[tuple[str, str]]:
    schema = _followed(schema, root)
    if len(within) > DEPTH or not isinstance(schema, Mapping) or id(schema) in within:
        return
    within = (*within, id(schema))
    parts = [part for several in ("allOf", "anyOf", "oneOf") for part in _some(schema.get(several))]
    for part in (*parts, schema.get("items")):
        left[0] -= 1
        if left[0] < 0:
            return
        yield from _fields(part, root, above, within, left)
    properties = schema.get("properties")
    properties = properties if isinstance(properties, Mapping) else {}
    for name in list(properties)[: PARAMETERS + 1]:
        field = _followed(properties[name], root)
        called = f"{above}{name}"
        yield called, _said(properties[name], str(name)) or _said(field, str(name))
        yield from _fields(field, root, f"{called}.", within, left)


def _said(field: Any, name: str) -> str:
    """What a schema says about one field: its description, or its title where that is not its name, and the values it may have."""
    if not isinstance(field, Mapping):
        return ""
    said = next((text[: 4 * PARAMETER] for k in ("description", "title") if isinstance(text := field.get(k), str)), "")
    values = [str(v) for v in _some(field.get("enum")) if isinstance(v, str | int)]
    said = "" if words(said) == words(name) else said
    return clean(f"{said} {'one of ' + ' '.join(values) if values and len(said) < _LEAST else ''}")


def _followed(schema: Any, root: Any) -> Any:
    """The schema, or what its `$ref` within the same document points at."""
    for _ in range(DEPTH):
        ref = schema.get("$ref") if isinstance(schema, Mapping) else None
        if not isinstance(ref, str) or not ref.startswith("#/"):
            break
        schema = root
        for step in ref[2:].split("/"):
            schema = schema.get(step) if isinstance(schema, Mapping) else None
    return schema


def _some(value: Any) -> list[Any]:
    return value[: PARAMETERS + 1] if isinstance(value, list) else []
