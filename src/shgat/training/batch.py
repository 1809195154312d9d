"""One batch of traces, as a step sees it."""

import math
from dataclasses import dataclass

import numpy as np

from .._types import Float32
from ..graph import Incidence
from .targets import Targets


@dataclass(frozen=True, eq=False)
class Batch:
    """What one step sees. Targets of capabilities are columns in catalogue order.

    Attributes
    ----------
    intents : (B, d) float32
    context : (B rows) -> tool columns
    tools, capabilities : targets
    outcome, weight : (B,) float32
    ruled_out : (B rows) -> capability columns that are no candidates for the row
    """

    intents: Float32
    context: Incidence
    tools: Targets
    capabilities: Targets
    outcome: Float32
    weight: Float32
    ruled_out: Incidence | None = None


def noisy(x: Float32, noise: float, rng: np.random.Generator) -> Float32:
    """Intents (B, d) with noise on every coordinate, in units of 1 / sqrt(d) of their length, at their old length."""
    if not noise:
        return x
    norms = np.linalg.norm(x, axis=1, keepdims=True)
    shaken = x / np.maximum(norms, 1e-12) + rng.standard_normal(x.shape, dtype=np.float32) * np.float32(
        noise / math.sqrt(x.shape[1])
    )
    return np.ascontiguousarray(shaken * (norms / np.maximum(np.linalg.norm(shaken, axis=1, keepdims=True), 1e-12)), np.float32)


def dropout(n: int, p: float, rng: np.random.Generator) -> Float32:
    """(n, 1) factors of a dropout with probability p: 0, or 1 / (1 - p)."""
    return ((rng.random((n, 1)) >= p) / (1.0 - p)).astype(np.float32)
