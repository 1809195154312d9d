"""The k best by a stable sort, and their votes."""

import numpy as np


def top_k(scores, k):
    """The k highest scores in descending order and where they stand; ties go to the lower index."""
    order = np.argsort(-scores, kind="stable")[:k]
    return scores[order], order


def vote(rows, shares, incidence_rows, n):
    """(n,) the sum of shares[i] over the entries of each incidence_rows[rows[i]]."""
    votes = np.zeros(n)
    for row, share in zip(rows, shares, strict=True):
        votes[incidence_rows[row]] += share
    return votes
