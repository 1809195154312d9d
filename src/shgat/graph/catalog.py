"""A catalogue: tools, capabilities and their embeddings, in memory and on disk.

On disk it is a folder with `tools.jsonl`, `capabilities.jsonl` and, row by row aligned with them, `tools.npy` and
`capabilities.npy` (n, d). A capability's `parent`, where a file has one, is a label for grouping and no membership: members are listed
in `tools` and `capabilities`.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import orjson

from .._files import load_matrix, read_jsonl
from ..errors import CatalogError, InputError
from .hierarchy import Hierarchy
from .incidence import Incidence
from .nodes import Capability, Tool

MIN_DIMENSION = 8
Embeddings = npt.NDArray[np.float32]


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
    tool_embeddings: Embeddings | None
    capability_embeddings: Embeddings | None

    @classmethod
    def load(cls, folder: str | Path) -> "Catalog":
        """Reads a folder.

        Raises
        ------
        CatalogError
            with every fault that was found in `faults`.
        """
        folder = Path(folder)
        faults: list[str] = []
        tools = _read(folder / "tools.jsonl", Tool.from_record, faults)
        capabilities = _read(folder / "capabilities.jsonl", Capability.from_record, faults)
        if not faults:
            tools = _with_embeddings(folder / "tools.npy", tools, faults)
            capabilities = _with_embeddings(folder / "capabilities.npy", capabilities, faults)
        if faults:
            raise CatalogError(faults)
        return cls.from_records(tools, capabilities)

    @classmethod
    def from_records(
        cls, tools: Iterable[Tool | Mapping[str, Any]], capabilities: Iterable[Capability | Mapping[str, Any]]
    ) -> "Catalog":
        """From records; raises CatalogError with every fault that was found."""
        tools = tuple(Tool.from_record(t) for t in tools)
        capabilities = tuple(Capability.from_record(c) for c in capabilities)
        faults = [*_duplicates(tools, "tool"), *_duplicates(capabilities, "capability"), *_unknown(tools, capabilities)]
        dimension = next((len(n.embedding) for n in (*tools, *capabilities) if n.embedding is not None), None)
        arrays: list[Embeddings | None] = []
        for nodes, kind in ((tools, "tool"), (capabilities, "capability")):
            arrays.append(_stack(nodes, kind, dimension, faults))
        if faults:
            raise CatalogError(faults)
        catalog = cls(tools, capabilities, arrays[0], arrays[1])
        _ = catalog.hierarchy  # raises where there is a membership cycle
        return catalog

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
        catalog.__dict__["hierarchy"] = self.hierarchy.with_isolated_tool()
        return catalog

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


_Node = TypeVar("_Node", Tool, Capability)


def _read(path: Path, make: Callable[[Any], _Node], faults: list[str]) -> list[_Node]:
    nodes: list[_Node] = []
    try:
        for number, value in read_jsonl(path):
            try:
                nodes.append(make(value))
            except InputError as error:
                faults.append(f"{path.name}, line {number}: {error}")
    except InputError as error:
        faults.append(str(error))
    return nodes


def _with_embeddings(path: Path, nodes: list[_Node], faults: list[str]) -> list[_Node]:
    if not path.exists():
        return nodes
    try:
        array = load_matrix(path).astype(np.float32)
    except InputError as error:
        faults.append(str(error))
        return nodes
    if len(array) != len(nodes):
        faults.append(f"{path.name} has {len(array)} rows, but {path.stem}.jsonl has {len(nodes)} lines")
        return nodes
    return [replace(node, embedding=row) for node, row in zip(nodes, array, strict=True)]


def _duplicates(nodes: Sequence[Tool] | Sequence[Capability], kind: str) -> list[str]:
    counts = Counter(node.id for node in nodes)
    return [f"{kind} id {key!r} occurs {count} times" for key, count in counts.items() if count > 1]


def _unknown(tools: Sequence[Tool], capabilities: Sequence[Capability]) -> list[str]:
    known_tools, known = {t.id for t in tools}, {c.id for c in capabilities}
    faults = []
    for c in capabilities:
        faults += [f"capability {c.id!r} contains the unknown tool {t!r}" for t in c.tools if t not in known_tools]
        faults += [f"capability {c.id!r} contains the unknown capability {m!r}" for m in c.capabilities if m not in known]
    return faults


def _stack(nodes: Sequence[Tool] | Sequence[Capability], kind: str, d: int | None, faults: list[str]) -> Embeddings | None:
    """(n, d) float32 of all embeddings; None where no node of the catalogue has one."""
    if d is None:
        return None
    if d < MIN_DIMENSION:
        faults.append(f"embeddings have {d} dimensions, at least {MIN_DIMENSION} are needed")
        return None
    array = np.zeros((len(nodes), d), np.float32)
    for i, node in enumerate(nodes):
        if node.embedding is None:
            faults.append(f"{kind} {node.id!r} has no embedding, others have")
        elif node.embedding.shape != (d,):
            faults.append(f"the embedding of {kind} {node.id!r} has shape {node.embedding.shape}, expected ({d},)")
        elif not np.isfinite(node.embedding).all():
            faults.append(f"the embedding of {kind} {node.id!r} holds NaN or infinity")
        elif not node.embedding.any():
            faults.append(f"the embedding of {kind} {node.id!r} is zero everywhere")
        else:
            array[i] = node.embedding
    return array
