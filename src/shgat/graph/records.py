"""Tools and capabilities as records."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .._check import as_float32, number, text, texts, writable
from .._types import Float32
from ..errors import InputError


@dataclass(frozen=True, eq=False)
class Tool:
    """A vertex.

    Attributes
    ----------
    id, text, server : identifier, name and description as the encoder saw them, MCP server
    embedding : (d,) float32, or None where the catalogue has none yet
    """

    id: str
    text: str = ""
    server: str = ""
    embedding: Float32 | None = None

    @classmethod
    def from_record(cls, record: "Tool | Mapping[str, Any]") -> "Tool":
        """From a mapping with `id` and optional `text`, `server`, `embedding`; other keys are left alone."""
        if isinstance(record, Tool):
            return record
        key = _id(record, "tool")
        return cls(key, _optional(record, "text", key), _optional(record, "server", key), _embedding(record, key))


@dataclass(frozen=True, eq=False)
class Capability:
    """A hyperedge over tools and, in a superhypergraph, over other capabilities.

    Attributes
    ----------
    id, text : identifier and description
    tools, capabilities : ids of the direct members
    success_rate : share of successful executions, or None
    uses : number of executions behind the success rate
    embedding : (d,) float32, or None where the catalogue has none yet
    """

    id: str
    text: str = ""
    tools: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    success_rate: float | None = None
    uses: int = 0
    embedding: Float32 | None = field(default=None)

    @classmethod
    def from_record(cls, record: "Capability | Mapping[str, Any]") -> "Capability":
        """From a mapping with `id` and optional `text`, `tools`, `capabilities`, `success_rate`, `uses`, `embedding`."""
        if isinstance(record, Capability):
            return record
        key = _id(record, "capability")
        rate, uses = record.get("success_rate", _ABSENT), record.get("uses", 0)
        return cls(
            key,
            _optional(record, "text", key),
            tuple(texts(record.get("tools", ()), f"capability {key!r}: tools")),
            tuple(texts(record.get("capabilities", ()), f"capability {key!r}: capabilities")),
            None if rate is _ABSENT else number(rate, 0.0, 1.0, f"capability {key!r}: success_rate"),
            int(number(uses, 0, 2**53, f"capability {key!r}: uses")),
            _embedding(record, key),
        )


_ABSENT = object()


def _id(record: object, kind: str) -> str:
    if not isinstance(record, Mapping):
        raise InputError(f"a {kind} is a record with an id, not {type(record).__name__}")
    return text(record.get("id"), f"the id of a {kind}")


def _optional(record: Mapping[str, Any], name: str, key: str) -> str:
    value = record.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InputError(f"{key!r}: {name} is a string, not {value!r}")
    return writable(value, f"{key!r}: {name}")


def _embedding(record: Mapping[str, Any], key: str) -> Float32 | None:
    value = record.get("embedding")
    return None if value is None else as_float32(value, f"the embedding of {key!r}")
