"""What a catalogue is: its size, its levels, and what in it deserves a second look."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from .._types import Float32
from .catalog import Catalog

COLLAPSED_ABOVE = 0.9  # mean cosine between different items, beyond which they can hardly be told apart


@dataclass(frozen=True)
class CatalogStatistics:
    """Counts and suspects of one catalogue; suspects are no faults.

    Attributes
    ----------
    n_tools, n_capabilities, n_memberships : vertices, hyperedges, direct memberships (of tools and of capabilities)
    dimension : d, or None where there are no embeddings
    capabilities_per_level : from level 0 upwards
    orphan_tools : tools in no capability
    empty_capabilities : capabilities without members
    duplicate_tools, duplicate_capabilities : groups of ids with the same embedding; they can only be told apart by their order
    declared, mined : capabilities that were declared, and that were mined from traces, where they say so
    mean_tool_cosine, mean_capability_cosine : between different items; None for fewer than two
    """

    n_tools: int
    n_capabilities: int
    n_memberships: int
    dimension: int | None
    capabilities_per_level: tuple[int, ...]
    orphan_tools: tuple[str, ...]
    empty_capabilities: tuple[str, ...]
    duplicate_tools: tuple[tuple[str, ...], ...]
    duplicate_capabilities: tuple[tuple[str, ...], ...]
    declared: int
    mined: int
    mean_tool_cosine: float | None
    mean_capability_cosine: float | None

    @classmethod
    def of(cls, catalog: Catalog) -> "CatalogStatistics":
        """Counts a catalogue."""
        hierarchy = catalog.hierarchy
        tools, capabilities = [t.id for t in catalog.tools], [c.id for c in catalog.capabilities]
        members = hierarchy.tools_of.degrees + hierarchy.capabilities_of.degrees
        return cls(
            len(tools),
            len(capabilities),
            int(members.sum()),
            catalog.dimension if catalog.has_embeddings else None,
            tuple(np.bincount(hierarchy.level_of).tolist()) if capabilities else (),
            tuple(tools[i] for i in np.flatnonzero(hierarchy.containing.degrees == 0).tolist()),
            tuple(capabilities[i] for i in np.flatnonzero(members == 0).tolist()),
            _duplicates(catalog.tool_embeddings, tools),
            _duplicates(catalog.capability_embeddings, capabilities),
            sum(c.origin == "declared" for c in catalog.capabilities),
            sum(c.origin not in ("declared", None) for c in catalog.capabilities),
            _mean_cosine(catalog.tool_embeddings),
            _mean_cosine(catalog.capability_embeddings),
        )

    @property
    def collapsed(self) -> tuple[str, ...]:
        """Which kinds of embeddings have collapsed into one direction."""
        means = (("tools", self.mean_tool_cosine), ("capabilities", self.mean_capability_cosine))
        return tuple(kind for kind, mean in means if mean is not None and mean > COLLAPSED_ABOVE)

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {**asdict(self), "collapsed": self.collapsed}


def _duplicates(rows: Float32 | None, ids: list[str]) -> tuple[tuple[str, ...], ...]:
    groups: dict[bytes, list[str]] = {}
    for key, row in zip(ids, [] if rows is None else rows, strict=rows is not None):
        groups.setdefault(row.tobytes(), []).append(key)
    return tuple(tuple(group) for group in groups.values() if len(group) > 1)


def _mean_cosine(rows: Float32 | None) -> float | None:
    """(|sum of unit vectors|^2 - n) / (n (n - 1))"""
    if rows is None or len(rows) < 2:
        return None
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    total = unit.sum(axis=0, dtype=np.float64)
    n = len(rows)
    return float((total @ total - n) / (n * (n - 1)))
