"""OpenAPI 3 and Swagger 2: operations are tools, tags are capabilities, the document is a server."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .findings import Findings, Key
from .references import References
from .texts import PARAMETER, clean, parameters_of

METHODS = ("get", "put", "post", "delete", "patch", "head", "options", "trace", "query")


def read(value: Any, into: Findings) -> None:
    """Every operation. Its name is its `operationId`, else method and path; its text is made of summary, description and parameters."""
    about = value.get("info")
    about = about if isinstance(about, Mapping) else {}
    if not into.server:
        into.server = slug(about.get("title")) or slug(into.source.rpartition("/")[2].partition(".")[0])
    if not isinstance(value.get("paths"), Mapping):
        into.note("paths", "left out", "the document has no paths")
        return
    refs = References(value)
    tags = {tag["name"]: tag.get("description") for tag in _mappings(value.get("tags")) if isinstance(tag.get("name"), str)}
    members: dict[str, list[Key]] = {}
    seen: dict[str, str] = {}
    for path, item in value["paths"].items():
        for method, operation, shared in _operations(item, refs):
            where = f"{method.upper()} {path}"
            key = _read_one(operation, shared, where, refs, seen, into)
            if key is not None:
                for tag in dict.fromkeys(t for t in _some(operation.get("tags")) if isinstance(t, str) and clean(t)):
                    members.setdefault(tag, []).append(key)
    groups = []
    for tag, keys in members.items():
        name = f"{into.server}/{clean(tag)}" if into.server else tag
        group = into.add_group("tag", name, tags.get(tag) or clean(tag), keys)
        groups += [group] if group is not None else []
    if into.server and into.tools:
        title = clean(about["title"]) if isinstance(about.get("title"), str) else ""
        said = about.get("description") or about.get("summary")
        text = f"{title}. {said}" if isinstance(said, str) else title
        into.add_group("server", into.server, text, groups=groups)
    for ref, why in refs.broken.items():
        into.note(f"$ref {clean(ref)[:PARAMETER]}", "left out", why)


def slug(title: Any) -> str:
    """A title as a name: "Swagger Petstore" is swagger-petstore. "" for what is no text."""
    return re.sub(r"[\W_]+", "-", clean(title)[:PARAMETER].casefold()).strip("-") if isinstance(title, str) else ""


def _operations(item: Any, refs: References) -> Iterator[tuple[str, Mapping[str, Any], list[Any]]]:
    """(method, operation, parameters of all operations of the path)."""
    found = refs.mapping(item)
    for method in METHODS:
        operation = found.get(method)
        if isinstance(operation, Mapping):
            yield method, operation, _some(found.get("parameters"))


def _read_one(
    operation: Mapping[str, Any], shared: list[Any], where: str, refs: References, seen: dict[str, str], into: Findings
) -> Key | None:
    name = operation.get("operationId")
    if not isinstance(name, str) or not clean(name):
        name = where
    elif name in seen:
        into.note(
            where, "changed", f"its operationId {clean(name)[:PARAMETER]} is that of {seen[name]}: it is called by method and path"
        )
        name = where
    seen.setdefault(name, where)
    said = [operation.get(key) for key in ("summary", "description")]
    summary, description = (text if isinstance(text, str) else "" for text in said)
    told = ". ".join(dict.fromkeys(part.rstrip(".") for part in (summary.strip(), description.strip()) if part))
    if operation.get("deprecated") is True:
        told = f"{told}. Deprecated" if told else "Deprecated"
    if name != where:
        told = f"{told}. {where}" if told else where
    return into.add_tool(name, None, told or None, _parameters(operation, shared, refs), where=where)


def _parameters(operation: Mapping[str, Any], shared: list[Any], refs: References) -> list[tuple[str, str]]:
    """(name, description) of the parameters and of the fields of the body."""
    found: dict[str, str] = {}
    for given in (*shared, *_some(operation.get("parameters"))):
        parameter = refs.mapping(given)
        name = parameter.get("name")
        if parameter.get("in") == "body":
            found.update(parameters_of(refs.schema(parameter.get("schema"))))
        elif isinstance(name, str):
            said = parameter.get("description")
            found[name] = said[: 4 * PARAMETER] if isinstance(said, str) else ""
    content = refs.mapping(operation.get("requestBody")).get("content")
    for media in list(content.values())[:1] if isinstance(content, Mapping) else ():
        found.update(parameters_of(refs.schema(refs.mapping(media).get("schema"))))
    return list(found.items())


def _some(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in _some(value) if isinstance(item, Mapping)]
