"""`$ref` within one document: followed without a network, without end in a circle, and never to another file."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

FOLLOWED = 20  # references one after the other
VISITS = 200  # schemas that one is made of


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

    def schema(self, value: Any, depth: int = 4) -> Any:
        """A schema with its references replaced by what they refer to, `depth` objects deep, none within itself, of 200 schemas at most."""
        return self._schema(value, depth, (), [VISITS])

    def _schema(self, value: Any, depth: int, within: tuple[int, ...], left: list[int]) -> Any:
        found = self.mapping(value)
        left[0] -= 1
        if depth == 0 or left[0] < 0 or id(found) in within:
            return {}
        within = (*within, id(found))
        out: dict[str, Any] = {key: found[key] for key in ("description", "title", "enum") if key in found}
        for several in ("allOf", "anyOf", "oneOf"):
            if isinstance(found.get(several), list):
                out[several] = [
                    self._schema(part, depth - 1, within, left) for part in found[several][: min(FOLLOWED, max(left[0], 0))]
                ]
        if isinstance(found.get("items"), Mapping):
            out["items"] = self._schema(found["items"], depth - 1, within, left)
        if isinstance(found.get("properties"), Mapping):
            properties = list(found["properties"].items())[: 3 * FOLLOWED]
            out["properties"] = {
                str(name): self._schema(field, depth - 1, within, left) if left[0] > 0 else {} for name, field in properties
            }
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
