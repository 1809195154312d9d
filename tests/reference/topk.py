"""The k best by a stable sort."""

import numpy as np


def top_k(scores, k):
    """The k highest scores in descending order and where they stand; ties go to the lower index."""
    order = np.argsort(-scores, kind="stable")[:k]
    return scores[order], order
