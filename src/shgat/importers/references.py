"""`$ref` within one document: followed without a network, without end in a circle, and never to another file."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

FOLLOWED = 20  # references one after the other


class References:
    """The document that references point into.

    Parameters
    ----------
    root : the whole document

    Attributes
    ----------
    broken : references that lead nowhere, to another document, or in a circle, as they were written, in the order they were met
    """

    def __init__(self, root: Any) -> None:
        self.root = root
        self.broken: dict[str, str] = {}

    def followed(self, value: Any) -> Any:
        """The value, or what it refers to; None where that is nothing."""
        ref: Any = None
        for _ in range(FOLLOWED):
            ref = value.get("$ref") if isinstance(value, Mapping) else None
            if not isinstance(ref, str):
                return value
            value = self._at(ref)
            if value is None:
                return None
        self.broken[str(ref)] = "it refers to itself"
        return None

    def mapping(self, value: Any) -> Mapping[str, Any]:
        """What `followed` finds, {} where that is no mapping."""
        found = self.followed(value)
        return found if isinstance(found, Mapping) else {}

    def schema(self, value: Any, depth: int = 4, within: tuple[int, ...] = ()) -> Any:
        """A schema with its references replaced by what they refer to, `depth` objects deep and no object within itself."""
        found = self.mapping(value)
        if depth == 0 or id(found) in within:
            return {}
        within = (*within, id(found))
        out: dict[str, Any] = {key: found[key] for key in ("description", "title", "enum") if key in found}
        for several in ("allOf", "anyOf", "oneOf"):
            if isinstance(found.get(several), list):
                out[several] = [self.schema(part, depth - 1, within) for part in found[several][:FOLLOWED]]
        if isinstance(found.get("items"), Mapping):
            out["items"] = self.schema(found["items"], depth - 1, within)
        if isinstance(found.get("properties"), Mapping):
            properties = list(found["properties"].items())[: 3 * FOLLOWED]
            out["properties"] = {str(name): self.schema(field, depth - 1, within) for name, field in properties}
        return out

    def _at(self, ref: str) -> Any:
        if not ref.startswith("#"):
            self.broken[ref] = "it refers to another document"
            return None
        value = self.root
        for step in ref[1:].lstrip("/").split("/") if ref not in ("#", "#/") else ():
            step = unquote(step).replace("~1", "/").replace("~0", "~")
            if isinstance(value, Mapping):
                value = value.get(step)
            elif isinstance(value, list) and step.isdecimal() and len(step) < 9 and int(step) < len(value):
                value = value[int(step)]
            else:
                value = None
            if value is None:
                self.broken[ref] = "there is nothing"
                return None
        return value
