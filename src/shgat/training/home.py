"""Where the traffic of a model is: away from it, intents are left to cosine; see `Fusion.home`."""

from dataclasses import replace

import numpy as np

from .._types import Float32
from ..model import ModelState

ABROAD = 0.02  # share of the traces that may lie outside
SAME = 0.995  # cosine of two intents that say the same
MOST = 1000  # traces looked at
STEPS = 0.25, 0.5, 0.75, 1.0  # of the way from what has to be outside to the traffic


def homes(state: ModelState, outside: Float32, apart: bool = False) -> list[float]:
    """Cosines that tell the traffic from intents (n, d) that have to be outside, from those to the traffic.

    Traffic is where all but a fiftieth of the remembered intents see another one that does not say the same.

    Parameters
    ----------
    apart : none where what has to be outside is as near as the traffic's own outskirts, which would be shut out with it
    """
    assert state.learned is not None
    memory = state.learned.memory
    rows = np.flatnonzero(memory.worked & memory.vectors.any(axis=1))[-MOST:]
    if len(rows) < 2 or not len(outside):
        return []
    cosine = memory.vectors[rows] @ memory.vectors[rows].T
    cosine[cosine > SAME] = -1.0
    traffic, far = float(np.quantile(cosine.max(axis=1), ABROAD)), float(np.median(memory.nearest(outside)))
    return [] if apart and far >= traffic else [far + share * max(traffic - far, 0.0) for share in STEPS]


def staying(state: ModelState, home: float) -> ModelState:
    """The model with a home."""
    learned = state.learned
    assert learned is not None
    return replace(state, learned=replace(learned, fusion=replace(learned.fusion, home=home)))
