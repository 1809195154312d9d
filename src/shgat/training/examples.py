"""Traces with everything that training derives from them, once."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from .._types import Bool, Float32, Int64
from ..graph import Catalog, Incidence
from ..model.wide import wide_catalog, wide_intents
from ..traces.columns import Traces
from .batch import Batch
from .targets import CapabilityTargets, Targets, tool_targets

BLOCK = 4096  # traces whose words are hashed at a time


@dataclass(frozen=True, eq=False)
class Examples:
    """Traces and their targets.

    Attributes
    ----------
    capabilities : targets and origins
    rise : (N rows) -> capabilities that the trace gave rise to (`Origins.needs`, transposed)
    """

    catalog: Catalog
    traces: Traces
    tools: Targets
    capabilities: CapabilityTargets
    rise: Incidence

    @cached_property
    def wide(self) -> "Examples":
        """The same with words beside the embeddings."""
        return replace(self, catalog=wide_catalog(self.catalog), traces=wide_traces(self.traces))

    @classmethod
    def build(cls, catalog: Catalog, traces: Traces) -> "Examples":
        capabilities = CapabilityTargets.build(traces, catalog)
        return cls(catalog, traces, tool_targets(traces), capabilities, capabilities.origins.needs.transpose(len(traces)))

    def batch(self, rows: Int64, weight: Float32 | None = None, hidden: Bool | None = None) -> Batch:
        """The traces of `rows` as one batch; `weight` (B,) multiplies their own, no hidden capability is a target."""
        traces = self.traces
        own = traces.weight[rows]
        if hidden is None:
            hidden = np.zeros(len(self.catalog.capabilities), bool)
        return Batch(
            traces.vectors(rows), traces.context.take(rows), self.tools.take(rows), self.capabilities.visible(rows, hidden),
            traces.outcome[rows], own if weight is None else own * weight,
        )  # fmt: skip


def wide_traces(traces: Traces) -> Traces:
    """The traces with words beside the embeddings of their intents, in blocks, as float16."""
    n = len(traces)
    parts = [
        wide_intents(traces.vectors(rows), [str(traces.texts[i]) for i in rows.tolist()]).astype(np.float16)
        for rows in np.array_split(np.arange(n), max(1, n // BLOCK))
    ]
    return replace(traces, intents=np.concatenate(parts))
