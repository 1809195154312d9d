"""What becomes of the channels' scores."""

import numpy as np


def log_softmax(z):
    """z - log sum exp z over the last axis."""
    shifted = z - z.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def route(z, columns, source, known, floor, n):
    """(B, n) log(floor + sum of softmax(z)_c over the entries (t, c)); what is not known has no share."""
    p = np.where(z > known, np.exp(log_softmax(z)), 0.0)
    dense = np.zeros((n, z.shape[1]))
    np.add.at(dense, (columns, source), 1.0)
    return np.log(floor + p @ dense.T)


def probability(s, slopes, knots, start, least, most):
    """sigmoid(start_i + a line with a bend at each knot), within [least, most]."""
    if len(knots):
        ends = [*knots[1:], np.inf]
        z = slopes[0] * np.minimum(s - knots[0], 0.0)
        z = z + sum(a * (np.clip(s, low, high) - low) for a, low, high in zip(slopes[1:], knots, ends, strict=True))
    else:
        z = slopes[0] * s
    return np.clip(0.5 * (1.0 + np.tanh(0.5 * (z + start[:, None]))), least, most)


def tally(alike, trace, place, count, good, n):
    """(B, n) sums over entries of alike times count, times how well they went, and of all."""
    worked, total = np.zeros((len(alike), n)), np.zeros((len(alike), n))
    for t, p, c, g in zip(trace, place, count, good, strict=True):
        worked[:, p] += alike[:, t] * c * g
        total[:, p] += alike[:, t] * c
    return worked, total


def mean_of_highest(x, y, k):
    """(B,) mean of the k highest numbers of both rows."""
    return np.sort(np.concatenate([x, y], axis=1), axis=1)[:, -k:].mean(axis=1)
