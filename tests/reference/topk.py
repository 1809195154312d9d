"""The k best by a stable sort, and their votes."""

import numpy as np


def top_k(scores, k):
    """The k highest scores in descending order and where they stand; ties go to the lower index."""
    order = np.argsort(-scores, kind="stable")[:k]
    return scores[order], order


def vote(rows, weights, fade, floor, incidence_rows, n):
    """(n,) log(floor + fade times the share of the weights whose incidence_rows[rows[i]] hold the column)."""
    votes = np.zeros(n)
    for row, weight in zip(rows, weights, strict=True):
        votes[incidence_rows[row]] += weight
    return np.log(floor + fade * votes / (np.sum(weights) + 1e-9))
