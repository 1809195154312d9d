"""A catalogue: tools, capabilities and their embeddings, in memory and on disk.

On disk it is a folder with `tools.jsonl`, `capabilities.jsonl` and, row by row aligned with them, `tools.npy` and
`capabilities.npy` (n, d). A capability's `parent`, where a file has one, is a label for grouping and no membership: members are
listed in `tools` and `capabilities`.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import orjson

from .._check import LARGEST
from .._files import sha256
from .._types import Float32
from ..errors import CatalogError, InputError
from . import folder as folders
from .hierarchy import Hierarchy, cycles
from .incidence import Incidence
from .records import Capability, Tool

MIN_DIMENSION = 8
SMALLEST = 1e-10  # of an embedding's largest entry: below it, float32 products vanish
_Node = TypeVar("_Node", Tool, Capability)


@dataclass(frozen=True, eq=False)
class Catalog:
    """Tools and capabilities that hold together: ids unique, members known, no cycle, embeddings finite and of one dimension.

    Attributes
    ----------
    tools, capabilities : records, in the order of their files
    tool_embeddings : (n_tools, d) float32, or None where the catalogue has no embeddings
    capability_embeddings : (n_capabilities, d) float32, or None
    """

    tools: tuple[Tool, ...]
    capabilities: tuple[Capability, ...]
    tool_embeddings: Float32 | None
    capability_embeddings: Float32 | None

    @classmethod
    def load(cls, folder: str | Path) -> "Catalog":
        """Reads a folder.

        Raises
        ------
        CatalogError
            with every fault that was found in `faults`.
        """
        faults: list[str] = []
        tools, capabilities = folders.read(Path(folder), faults)
        # Ids of records that could not be read are no unknown ids; where a line is not even JSON, any id may have stood there.
        excused_tools: Container[str] = tools.broken if tools.complete else _Anything()
        excused: Container[str] = capabilities.broken if capabilities.complete else _Anything()
        return cls._checked(tuple(tools.nodes), tuple(capabilities.nodes), faults, excused_tools, excused)

    def save(self, folder: str | Path) -> None:
        """Writes the folder that `load` reads, and creates it if need be; each file is replaced whole or left as it was."""
        folders.write(Path(folder), (self.tools, self.tool_embeddings), (self.capabilities, self.capability_embeddings))

    @classmethod
    def from_records(
        cls, tools: Iterable[Tool | Mapping[str, Any]], capabilities: Iterable[Capability | Mapping[str, Any]]
    ) -> "Catalog":
        """From records; raises CatalogError with every fault that was found."""
        faults: list[str] = []
        vertices = _records(tools, Tool.from_record, faults)
        hyperedges = _records(capabilities, Capability.from_record, faults)
        if faults:
            raise CatalogError(faults)
        return cls._checked(vertices, hyperedges, faults)

    @classmethod
    def _checked(
        cls,
        tools: tuple[Tool, ...],
        capabilities: tuple[Capability, ...],
        faults: list[str],
        excused_tools: Container[str] = (),
        excused: Container[str] = (),
    ) -> "Catalog":
        faults += [*_duplicates(tools, "tool"), *_duplicates(capabilities, "capability")]
        faults += _unknown(tools, capabilities, excused_tools, excused)
        column = {c.id: i for i, c in enumerate(capabilities)}
        members = Incidence.from_rows([column[m] for m in c.capabilities if m in column] for c in capabilities)
        faults += cycles(members, [c.id for c in capabilities])
        nodes: tuple[Tool | Capability, ...] = (*tools, *capabilities)
        dimension = next((len(n.embedding) for n in nodes if n.embedding is not None and n.embedding.ndim == 1), None)
        if dimension is not None and dimension < MIN_DIMENSION:
            faults.append(f"embeddings have {dimension} dimensions, at least {MIN_DIMENSION} are needed")
        rows = _stack(tools, "tool", dimension, faults)
        edges = _stack(capabilities, "capability", dimension, faults)
        if faults:
            raise CatalogError(faults)
        return cls(tools, capabilities, rows, edges)

    def with_isolated_tool(self, tool: Tool) -> "Catalog":
        """This catalogue with one more tool, in no capability; only what changes is computed."""
        assert self.tool_embeddings is not None
        assert tool.embedding is not None
        catalog = replace(
            self,
            tools=(*self.tools, tool),
            tool_embeddings=np.concatenate([self.tool_embeddings, tool.embedding[None]]),
        )
        catalog.__dict__["tool_column"] = {**self.tool_column, tool.id: len(self.tools)}
        catalog.__dict__["capability_column"] = self.capability_column
        catalog.__dict__["hierarchy"] = self.hierarchy.with_isolated_tool()
        return catalog

    def records(self) -> tuple[list[Tool], list[Capability]]:
        """Tools and capabilities with their embeddings, where there are any, as `from_records` takes them."""
        rows, edges = self.tool_embeddings, self.capability_embeddings
        return (
            [t if rows is None else replace(t, embedding=rows[i]) for i, t in enumerate(self.tools)],
            [c if edges is None else replace(c, embedding=edges[i]) for i, c in enumerate(self.capabilities)],
        )

    def without(self, item: str) -> "Catalog":
        """This catalogue without a tool or a capability, which leaves every capability that contains it too.

        Raises
        ------
        InputError
            for an id that is unknown, of a tool and of a capability at once, or all that there is.
        """
        is_tool, is_capability = item in self.tool_column, item in self.capability_column
        if is_tool and is_capability:
            raise InputError(f"{item!r} is the id of a tool and of a capability; give them ids of their own")
        if not is_tool and not is_capability:
            raise InputError(f"unknown tool or capability {item!r}")
        if len(self.tools) + len(self.capabilities) == 1:
            raise InputError(f"{item!r} is all that the catalogue holds")
        tools, capabilities = self.records()
        left = [
            replace(c, tools=tuple(t for t in c.tools if t != item), capabilities=tuple(m for m in c.capabilities if m != item))
            for c in capabilities
            if c.id != item
        ]
        return Catalog.from_records([t for t in tools if t.id != item], left)

    @property
    def dimension(self) -> int:
        """d of the embeddings; a catalogue without embeddings raises CatalogError."""
        if self.tool_embeddings is None or self.capability_embeddings is None:
            raise CatalogError("the catalogue has no embeddings: write tools.npy and capabilities.npy beside the jsonl files")
        return int(self.tool_embeddings.shape[1])

    @property
    def has_embeddings(self) -> bool:
        return self.tool_embeddings is not None and self.capability_embeddings is not None

    @cached_property
    def tool_column(self) -> dict[str, int]:
        return {t.id: i for i, t in enumerate(self.tools)}

    @cached_property
    def capability_column(self) -> dict[str, int]:
        return {c.id: i for i, c in enumerate(self.capabilities)}

    @cached_property
    def hierarchy(self) -> Hierarchy:
        tools_of = Incidence.from_rows([self.tool_column[t] for t in c.tools] for c in self.capabilities)
        capabilities_of = Incidence.from_rows([self.capability_column[m] for m in c.capabilities] for c in self.capabilities)
        return Hierarchy.build(len(self.tools), tools_of, capabilities_of, [c.id for c in self.capabilities])

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over ids and memberships: what a model or a checkpoint was made for."""
        digest = hashlib.sha256()
        for t in self.tools:
            digest.update(orjson.dumps(["t", t.id]))
        for c in self.capabilities:
            digest.update(orjson.dumps(["c", c.id, sorted(set(c.tools)), sorted(set(c.capabilities))]))
        return digest.hexdigest()

    @cached_property
    def checksum(self) -> str:
        """SHA-256 over everything: ids, texts, memberships, success rates and embeddings."""
        nodes = (*self.tools, *self.capabilities)
        records = [orjson.dumps([type(n).__name__, *(v for k, v in vars(n).items() if k != "embedding")]) for n in nodes]
        embeddings = [rows for rows in (self.tool_embeddings, self.capability_embeddings) if rows is not None]
        return sha256(*records, *(np.ascontiguousarray(rows).reshape(-1).view(np.uint8).data for rows in embeddings))


class _Anything(Container[str]):
    def __contains__(self, item: object) -> bool:
        return True


def _records(records: Iterable[Any], make: Callable[[Any], _Node], faults: list[str]) -> tuple[_Node, ...]:
    nodes = []
    for position, record in enumerate(records):
        try:
            nodes.append(make(record))
        except InputError as error:
            faults.append(f"record {position}: {error}")
    return tuple(nodes)


def _duplicates(nodes: Sequence[Tool] | Sequence[Capability], kind: str) -> list[str]:
    counts = Counter(node.id for node in nodes)
    return [f"{kind} id {key!r} occurs {count} times" for key, count in counts.items() if count > 1]


def _unknown(
    tools: Sequence[Tool], capabilities: Sequence[Capability], excused_tools: Container[str], excused: Container[str]
) -> list[str]:
    known_tools, known = {t.id for t in tools}, {c.id for c in capabilities}
    faults = []
    for c in capabilities:
        strangers = [t for t in c.tools if t not in known_tools and t not in excused_tools]
        faults += [f"capability {c.id!r} contains the unknown tool {t!r}" for t in strangers]
        strangers = [m for m in c.capabilities if m not in known and m not in excused]
        faults += [f"capability {c.id!r} contains the unknown capability {m!r}" for m in strangers]
    return faults


def _stack(nodes: Sequence[Tool] | Sequence[Capability], kind: str, d: int | None, faults: list[str]) -> Float32 | None:
    """(n, d) float32 of all embeddings; None where no node of the catalogue has one, or where not all fit."""
    without = [n.id for n in nodes if n.embedding is None]
    if d is None and len(without) == len(nodes):
        return None
    if without:
        names = ", ".join(map(repr, without[:5])) + (f" and {len(without) - 5} more" if len(without) > 5 else "")
        faults.append(f"no embedding, though others have one: {kind} {names}")
    found = [(n.id, n.embedding) for n in nodes if n.embedding is not None]
    odd = [(key, e.shape) for key, e in found if e.shape != (d,)]
    if odd and len({shape for _, shape in odd}) == 1 and len(odd) == len(found) > 1:
        faults.append(f"the embeddings of all {len(odd)} {kind} records have shape {odd[0][1]}, expected ({d},) as the first has")
        return None
    faults += [f"the embedding of {kind} {key!r} has shape {shape}, expected ({d},)" for key, shape in odd]
    if d is None or without or odd:
        return None
    array = np.array([e for _, e in found], np.float32).reshape(-1, d)
    peak = np.maximum(array.max(axis=1), -array.min(axis=1))  # (n,) NaN where a row has one
    for i in np.flatnonzero(~((peak >= SMALLEST) & (peak <= LARGEST))).tolist():
        faults.append(f"the embedding of {kind} {found[i][0]!r} {_trouble(float(peak[i]))}")
    return array


def _trouble(peak: float) -> str:
    if not np.isfinite(peak):
        return "holds NaN or infinity"
    if peak == 0.0:
        return "is zero everywhere"
    return f"has {peak:g} as its largest entry, expected between {SMALLEST:g} and {LARGEST:g}"
