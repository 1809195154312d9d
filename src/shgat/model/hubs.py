"""Hubs: tools that are near to whatever is asked, not because they are right for it (Radovanovic et al., JMLR 2010).

How near a tool is to intents of every kind is its mean similarity to remembered ones. A tool that was never run for any of them may
come as near as the tools that were. What it has above the highest of these is taken off twice, since a hub is as near to an intent of
others as to its own. Tools that were run are left alone: many intents may really be theirs.
"""

import numpy as np

from .._types import Bool, Float32

FEWEST, MOST = 20, 256  # intents that say anything, and that are looked at
TIMES = 2.0


def excess(intents: Float32, items: Float32, unproven: Bool, scale: float) -> Float32 | None:
    """What is taken off each item's scores, (n,) at least 0; None where that is nothing.

    Parameters
    ----------
    intents : (m, D) queries
    items : (n, D)
    unproven : (n,) items that worked for no intent
    scale : from the product of an intent and an item to a score
    """
    if unproven.all() or not unproven.any():
        return None
    near = items @ intents.mean(axis=0, dtype=np.float32)
    above = np.where(unproven, np.maximum(near - near[~unproven].max(), np.float32(0.0)), np.float32(0.0))
    return np.float32(TIMES * scale) * above if above.any() else None
