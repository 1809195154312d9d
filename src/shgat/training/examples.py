"""Traces with everything that training derives from them, once."""

from dataclasses import dataclass

import numpy as np

from .._types import Bool, Float32, Int64
from ..graph import Catalog, Incidence
from ..traces.columns import Traces
from .batch import Batch
from .targets import CapabilityTargets, Targets, tool_targets


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
