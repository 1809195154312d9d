"""Embeddings that tools inherit from the capabilities that list them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from .._types import Float32
from ..errors import CatalogError
from .records import Capability, Tool


def with_mean_embeddings(tools: Iterable[Tool | Mapping[str, Any]] | None, capabilities: Sequence[Capability]) -> list[Tool]:
    """Tools without an embedding take the normalised mean of those capabilities that list them; no tools given: those that are listed."""
    records = [Tool.from_record(t) for t in tools or ()]
    known = {t.id for t in records}
    if tools is None:
        named = dict.fromkeys(t for c in capabilities for t in c.tools)
        records += [Tool(name) for name in named if name not in known]
    sums: dict[str, Float32] = {}
    for c in capabilities:
        if c.embedding is None:
            continue
        for t in c.tools:
            if t in sums and sums[t].shape != c.embedding.shape:
                raise CatalogError(f"the embedding of capability {c.id!r} has shape {c.embedding.shape}, expected {sums[t].shape}")
            sums[t] = sums[t] + c.embedding if t in sums else c.embedding
    done = []
    for tool in records:
        if tool.embedding is None:
            if tool.id not in sums:
                raise CatalogError(f"tool {tool.id!r} has no embedding, and no capability that has one contains it")
            total = sums[tool.id]
            tool = replace(tool, embedding=np.asarray(total / max(float(np.linalg.norm(total)), 1e-12), np.float32))
        done.append(tool)
    return done
