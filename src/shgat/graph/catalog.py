"""A catalogue: tools, capabilities and their embeddings, in memory and on disk.

On disk it is a folder with `tools.jsonl`, `capabilities.jsonl` and, row by row aligned with them, `tools.npy` and
`capabilities.npy` (n, d). A capability's `parent`, where a file has one, is a label for grouping and no membership: members are
listed in `tools` and `capabilities`.
"""

import hashlib
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import orjson

from .._files import sha256
from .._types import Float32
from ..errors import CatalogError, InputError
from . import faults as rules
from . import folder as folders
from .growth import Growth
from .hierarchy import Hierarchy, cycles
from .incidence import Incidence
from .mending import mended
from .records import Capability, Tool
from .space import comparable
from .tables import records_of

_Node = TypeVar("_Node", Tool, Capability)


@dataclass(frozen=True, eq=False, repr=False)
class Catalog:
    """Tools and capabilities that hold together: ids unique, members known, no cycle, embeddings finite and of one dimension.

    Attributes
    ----------
    tools, capabilities : records, in the order of their files
    tool_embeddings : (n_tools, d) float32, or None where the catalogue has no embeddings
    capability_embeddings : (n_capabilities, d) float32, or None
    encoder : what made the embeddings, "" where nobody said; two that are known and of different spaces do not mix, see `space`
    left_out : what `strict=False` left out or put in place of something, one sentence each that names the item
    aliases : what tools were called before -> their ids; `tool_column` finds them by both, so that what was learned stays theirs
    """

    tools: tuple[Tool, ...]
    capabilities: tuple[Capability, ...]
    tool_embeddings: Float32 | None
    capability_embeddings: Float32 | None
    encoder: str = ""
    left_out: tuple[str, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def load(cls, folder: str | Path, *, strict: bool = True, embeddings: bool = True) -> "Catalog":
        """Reads a folder.

        Parameters
        ----------
        strict : whether one fault refuses the whole; else what is broken is left out, as `mending.mended` says, and named in `left_out`
        embeddings : False: the texts alone, whatever embeddings lie beside them

        Raises
        ------
        CatalogError
            with every fault that was found in `faults`; without `strict` only where `tools.jsonl` cannot be read at all.
        """
        faults: list[str] = []
        tools, capabilities, encoder = folders.read(Path(folder), faults, strict, embeddings)
        if not strict:
            if not tools.readable:
                raise CatalogError(faults)
            return cls._mended(tools.nodes, capabilities.nodes, encoder, faults)
        # Ids of records that could not be read are no unknown ids; where a line is not even JSON, any id may have stood there.
        excused_tools: Container[str] = tools.broken if tools.complete else _Anything()
        excused: Container[str] = capabilities.broken if capabilities.complete else _Anything()
        return cls._checked(tuple(tools.nodes), tuple(capabilities.nodes), encoder, faults, excused_tools, excused)

    def save(self, folder: str | Path) -> None:
        """Writes the folder that `load` reads, and creates it if need be; each file is replaced whole or left as it was."""
        both = (self.tools, self.tool_embeddings), (self.capabilities, self.capability_embeddings)
        folders.write(Path(folder), *both, self.encoder)

    @classmethod
    def from_records(
        cls,
        tools: Iterable[Tool | Mapping[str, Any]],
        capabilities: Iterable[Capability | Mapping[str, Any]] = (),
        *,
        encoder: str = "",
        strict: bool = True,
    ) -> "Catalog":
        """From records, or tables of them (pandas, polars, Arrow); an embedding may be a row of a sparse matrix.

        Parameters
        ----------
        encoder : what made the embeddings
        strict : as that of `load`

        Raises
        ------
        CatalogError
            with every fault that was found; without `strict` none is.
        """
        faults: list[str] = []
        vertices = _records(records_of(tools, "tools"), Tool.from_record, faults, strict)
        hyperedges = _records(records_of(capabilities, "capabilities"), Capability.from_record, faults, strict)
        if not strict:
            return cls._mended(vertices, hyperedges, encoder, faults)
        if faults:
            raise CatalogError(faults)
        return cls._checked(vertices, hyperedges, encoder, faults)

    @classmethod
    def _mended(cls, tools: Sequence[Tool], capabilities: Sequence[Capability], encoder: str, left_out: list[str]) -> "Catalog":
        found = cls._checked(*mended(tools, capabilities, left_out), encoder, [])
        return replace(found, left_out=tuple(left_out))

    @classmethod
    def _checked(
        cls,
        tools: tuple[Tool, ...],
        capabilities: tuple[Capability, ...],
        encoder: str,
        faults: list[str],
        excused_tools: Container[str] = (),
        excused: Container[str] = (),
    ) -> "Catalog":
        faults += [*rules.duplicates(tools, "tool"), *rules.duplicates(capabilities, "capability")]
        faults += rules.unknown_members(tools, capabilities, excused_tools, excused)
        column = {c.id: i for i, c in enumerate(capabilities)}
        members = Incidence.from_rows([column[m] for m in c.capabilities if m in column] for c in capabilities)
        faults += cycles(members, [c.id for c in capabilities])
        nodes: tuple[Tool | Capability, ...] = (*tools, *capabilities)
        dimension = next((len(n.embedding) for n in nodes if n.embedding is not None and n.embedding.ndim == 1), None)
        if dimension is not None and dimension < rules.MIN_DIMENSION:
            faults.append(rules.too_few(dimension))
        rows = rules.stack(tools, "tool", dimension, faults)
        edges = rules.stack(capabilities, "capability", dimension, faults)
        if faults:
            raise CatalogError(faults)
        return cls(tools, capabilities, rows, edges, encoder)

    def __repr__(self) -> str:
        embedded = f"d={self.dimension}" if self.has_embeddings else "texts only"
        made = f" by {self.encoder!r}" if self.encoder else ""
        missing = f", {len(self.left_out)} left out" if self.left_out else ""
        return f"Catalog({len(self.tools)} tools, {len(self.capabilities)} capabilities, {embedded}{made}{missing})"

    def with_isolated_tools(self, tools: Sequence[Tool]) -> "Catalog":
        """This catalogue with more tools, in no capability, all with embeddings (d,); only what changes is computed."""
        assert self.tool_embeddings is not None
        growth = self.__dict__.get("_growth") or Growth(self.tool_embeddings)
        growth, rows = growth.extended(self.tool_embeddings, np.array([t.embedding for t in tools], np.float32))
        bare = (replace(t, embedding=None) for t in tools)  # the matrix has it: no second copy
        catalog = replace(self, tools=(*self.tools, *bare), tool_embeddings=rows)
        n = len(self.tools)
        column = self.tool_column.copy()
        column.update((t.id, i) for i, t in enumerate(tools, n))
        catalog.__dict__["_growth"] = growth
        catalog.__dict__["tool_column"] = column
        catalog.__dict__["capability_column"] = self.capability_column
        catalog.__dict__["hierarchy"] = self.hierarchy.with_isolated_tools(len(tools))
        return catalog

    def check_encoder(self, encoder: str, whose: str) -> None:
        """CatalogError where the embeddings of `whose` cannot be compared with this catalogue's; "" is no known encoder."""
        if not comparable(self.encoder, encoder):
            raise CatalogError(
                f"the catalogue's embeddings were made by {self.encoder!r:.100}, those of {whose} by {encoder!r:.100}: "
                f"make both by one, or begin {whose} anew"
            )

    def records(self) -> tuple[list[Tool], list[Capability]]:
        """Tools and capabilities with their embeddings, where there are any, as `from_records` takes them."""
        rows, edges = self.tool_embeddings, self.capability_embeddings
        return (
            [t if rows is None else replace(t, embedding=rows[i]) for i, t in enumerate(self.tools)],
            [c if edges is None else replace(c, embedding=edges[i]) for i, c in enumerate(self.capabilities)],
        )

    def renamed(self, old: str, new: str) -> "Catalog":
        """This catalogue with another id for a tool, which is found by the old one too; of a tool that is there already under the new id
        only that is noted.

        Raises
        ------
        InputError
            where the old id is unknown, or both or another capability have the new one.
        """
        there, taken = any(t.id == old for t in self.tools), any(t.id == new for t in self.tools)
        if new in self.capability_column or there is taken:
            raise InputError(
                f"{old!r:.100} cannot be renamed {new!r:.100}: " + ("the id is taken" if taken else "there is no such tool")
            )
        aliases = {**{before: new if now == old else now for before, now in self.aliases.items() if before != new}, old: new}
        return replace(
            self,
            tools=tuple(replace(t, id=new) if t.id == old else t for t in self.tools),
            capabilities=tuple(replace(c, tools=tuple(new if t == old else t for t in c.tools)) for c in self.capabilities),
            aliases=aliases,
        )

    def with_those_of(self, other: "Catalog", tools: Container[str]) -> "Catalog":
        """This catalogue, then those of another one's tools that it does not have, and the capabilities over them."""
        mine, theirs = self.records(), other.records()
        more = [t for t in theirs[0] if t.id in tools and t.id not in self.tool_column and t.id not in self.capability_column]
        taken = {*self.tool_column, *self.capability_column, *(t.id for t in more)}
        known = {*self.tool_column, *(t.id for t in more)}
        groups = [c for c in theirs[1] if c.id not in taken]
        inside = {*self.capability_column, *(c.id for c in groups)}
        groups = [
            replace(c, tools=tuple(t for t in c.tools if t in known), capabilities=tuple(m for m in c.capabilities if m in inside))
            for c in groups
        ]
        if not more:
            return self
        found = Catalog.from_records([*mine[0], *more], [*mine[1], *groups], encoder=self.encoder)
        return replace(found, aliases=self.aliases)

    def without(self, *items: str) -> "Catalog":
        """This catalogue without some tools and capabilities, which leave every capability that contains them too.

        Raises
        ------
        InputError
            for an id that is unknown, of a tool and of a capability at once, or where nothing would be left.
        """
        gone = set(items)
        for item in items:
            is_tool, is_capability = item in self.tool_column, item in self.capability_column
            if is_tool and is_capability:
                raise InputError(f"{item!r} is the id of a tool and of a capability; give them ids of their own")
            if not is_tool and not is_capability:
                raise InputError(f"unknown tool or capability {item!r:.100}")
        if len(self.tools) + len(self.capabilities) == len(gone):
            raise InputError(f"{', '.join(map(repr, items[:5]))} is all that the catalogue holds")
        tools, capabilities = self.records()
        left = [
            replace(
                c, tools=tuple(t for t in c.tools if t not in gone), capabilities=tuple(m for m in c.capabilities if m not in gone)
            )
            for c in capabilities
            if c.id not in gone
        ]
        found = Catalog.from_records([t for t in tools if t.id not in gone], left, encoder=self.encoder)
        return replace(found, aliases=self.aliases)

    @property
    def dimension(self) -> int:
        """d of the embeddings; a catalogue without embeddings raises CatalogError."""
        if self.tool_embeddings is None or self.capability_embeddings is None:
            raise CatalogError(
                "the catalogue has no embeddings: write tools.npy and capabilities.npy beside the jsonl files, "
                "or take the words of its texts: shgat.features.embedded(catalog)"
            )
        return int(self.tool_embeddings.shape[1])

    @property
    def has_embeddings(self) -> bool:
        return self.tool_embeddings is not None and self.capability_embeddings is not None

    @cached_property
    def tool_column(self) -> dict[str, int]:
        """Id -> position, and for what a tool was called before too."""
        column = {t.id: i for i, t in enumerate(self.tools)}
        return {**{old: column[new] for old, new in self.aliases.items() if new in column and old not in column}, **column}

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
        """SHA-256 over everything: ids, texts, memberships, success rates, origins and embeddings."""
        nodes: tuple[Tool | Capability, ...] = (*self.tools, *self.capabilities)
        records = [orjson.dumps([type(n).__name__, *_said(n)]) for n in nodes]
        embeddings = [rows for rows in (self.tool_embeddings, self.capability_embeddings) if rows is not None]
        return sha256(*records, *(np.ascontiguousarray(rows).reshape(-1).view(np.uint8).data for rows in embeddings))


def _said(node: Tool | Capability) -> Iterable[Any]:
    """The fields of a node but its embedding; an origin that nobody said is none."""
    return (v for k, v in vars(node).items() if k != "embedding" and (k != "origin" or v is not None))


class _Anything(Container[str]):
    def __contains__(self, item: object) -> bool:
        return True


def _records(
    records: Iterable[Any], make: Callable[[Any, list[str] | None], _Node], faults: list[str], strict: bool
) -> tuple[_Node, ...]:
    nodes = []
    for position, record in enumerate(records):
        fields: list[str] = []
        try:
            nodes.append(make(record, None if strict else fields))
        except InputError as error:
            fields.append(str(error) if strict else f"{error}: left out")
        faults += [f"record {position}: {sentence}" for sentence in fields]
    return tuple(nodes)
