"""The k best by a stable sort, and their votes."""

import numpy as np


def top_k(scores, k):
    """The k highest scores in descending order and where they stand; ties go to the lower index."""
    order = np.argsort(-scores, kind="stable")[:k]
    return scores[order], order


def ranks(scores, rows):
    """For each row of scores (B, n) the 1-based ranks of the columns in rows[i], in one list; ties go to the lower column."""
    found = []
    for row, columns in zip(scores, rows, strict=True):
        order = np.argsort(-row, kind="stable").tolist()
        found += [1 + order.index(c) for c in columns]
    return found


def vote(rows, weights, fade, floor, incidence_rows, n):
    """(n,) log(floor + fade times the share of the weights whose incidence_rows[rows[i]] hold the column)."""
    votes = np.zeros(n)
    for row, weight in zip(rows, weights, strict=True):
        votes[incidence_rows[row]] += weight
    return np.log(floor + fade * votes / (np.sum(weights) + 1e-9))
