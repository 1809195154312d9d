"""Embeddings that tools inherit from the capabilities that list them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from .._types import Float32, Float64
from ..errors import CatalogError
from .records import Capability, Tool
from .tables import records_of

CANCELLED = 1e-6  # relative to its parts, below which a sum points nowhere


def with_mean_embeddings(tools: Iterable[Tool | Mapping[str, Any]] | None, capabilities: Sequence[Capability]) -> list[Tool]:
    """Tools without an embedding take the normalised mean of those capabilities that list them; no tools given: those that are listed."""
    records = [Tool.from_record(t) for t in records_of(() if tools is None else tools, "tools")]
    if tools is None:
        records = [Tool(name) for name in dict.fromkeys(t for c in capabilities for t in c.tools)]
    shape = next((c.embedding.shape for c in capabilities if c.embedding is not None), ())
    for c in capabilities:
        if c.embedding is not None and c.embedding.shape != shape:
            raise CatalogError(f"the embedding of capability {c.id!r} has shape {c.embedding.shape}, expected {shape}")
    inherited = means((c.embedding, c.tools) for c in capabilities)
    done = []
    for tool in records:
        if tool.embedding is None:
            if tool.id not in inherited:
                raise CatalogError(f"tool {tool.id!r} has no embedding, and no capability that has one contains it")
            tool = replace(tool, embedding=inherited[tool.id])
        done.append(tool)
    return done


def means(given: Iterable[tuple[Float32 | None, Sequence[str]]]) -> dict[str, Float32]:
    """id -> normalised mean of the embeddings that name it; none where they cancel each other out."""
    sums: dict[str, Float64] = {}
    largest: dict[str, float] = {}
    for row, ids in given:
        if row is not None:
            size = float(np.linalg.norm(row))
            for key in ids:
                sums[key] = sums[key] + row if key in sums else row.astype(np.float64)
                largest[key] = max(largest.get(key, 0.0), size)
    lengths = {key: float(np.linalg.norm(total)) for key, total in sums.items()}
    # NaN passes, so that it is named as what it is where embeddings are checked
    return {
        key: (total / lengths[key]).astype(np.float32)
        for key, total in sums.items()
        if not lengths[key] <= CANCELLED * largest[key]
    }
