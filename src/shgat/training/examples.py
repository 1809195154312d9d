"""Batches of traces: targets, weights and noise."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..graph import Catalog, Incidence
from ..traces.columns import Traces
from .objective import Batch
from .targets import CapabilityTargets, Targets, tool_targets

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Examples:
    """Traces with everything that training derives from them once.

    Attributes
    ----------
    capabilities : targets and support
    vouched : (N rows) -> capabilities the trace vouches for (support, transposed)
    """

    catalog: Catalog
    traces: Traces
    tools: Targets
    capabilities: CapabilityTargets
    vouched: Incidence

    @classmethod
    def build(cls, catalog: Catalog, traces: Traces) -> "Examples":
        capabilities = CapabilityTargets.build(traces, catalog)
        return cls(catalog, traces, tool_targets(traces), capabilities, capabilities.support.transpose(len(traces)))

    def batch(
        self, rows: Rows, weight: npt.NDArray[np.float32] | None = None, hidden: npt.NDArray[np.bool_] | None = None
    ) -> Batch:
        """The traces of `rows` as one batch; `weight` (B,) multiplies their own, no hidden capability is a target."""
        traces = self.traces
        own = traces.weight[rows]
        if hidden is None:
            hidden = np.zeros(len(self.catalog.capabilities), bool)
        return Batch(
            traces.vectors(rows), traces.context.take(rows), self.tools.take(rows), self.capabilities.visible(rows, hidden),
            traces.outcome[rows], own if weight is None else own * weight,
        )  # fmt: skip


def noisy(x: npt.NDArray[np.float32], noise: float, rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Intents (B, d) with noise on every coordinate, in units of 1 / sqrt(d) of their length, at their old length."""
    if not noise:
        return x
    norms = np.linalg.norm(x, axis=1, keepdims=True)
    shaken = x / np.maximum(norms, 1e-12) + rng.standard_normal(x.shape, dtype=np.float32) * np.float32(
        noise / math.sqrt(x.shape[1])
    )
    return np.ascontiguousarray(shaken * (norms / np.maximum(np.linalg.norm(shaken, axis=1, keepdims=True), 1e-12)), np.float32)


def kept(n: int, p: float, rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """(n, 1) factors of a dropout with probability p: 0, or 1 / (1 - p)."""
    return ((rng.random((n, 1)) >= p) / (1.0 - p)).astype(np.float32)
