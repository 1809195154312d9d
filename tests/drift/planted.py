"""Windows of which one knows whether they drifted."""

import numpy as np

from shgat.drift import Window

D, TOOLS = 24, 8


def window(n, rng, *, shift=0.0, worked=0.9, failing=(), moved=0.0, scores=0.0, encoder="e 1"):
    """n executions of 24 dimensions and 8 tools, the first of which is chosen more often by `moved`."""
    x = rng.standard_normal((n, D)) * np.linspace(2.0, 0.3, D)
    x[:, 0] += shift
    first = rng.random(n) < moved
    tools = np.where(first, 0, rng.integers(0, TOOLS, n))
    chance = np.where(np.isin(tools, failing), 0.1, worked)
    chosen = tuple((f"t{t}",) for t in tools.tolist())
    return Window(x.astype(np.float32), rng.normal(scores, 1.0, n), chosen, rng.random(n) < chance, encoder)
