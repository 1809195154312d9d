"""What a sum tree answers, by cumulative sums."""

import numpy as np


def find(priorities, mass):
    """The slot in whose share [sum before, sum before + priority) each mass falls; empty slots have none."""
    return np.searchsorted(np.cumsum(priorities), mass, side="right")
