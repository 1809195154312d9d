"""Losses on z (B, n) with the targets of row i given as CSR: columns `indices`, weights y.

    info_nce_i  = sum_t y_it (log sum_n exp(z_in / tau) - z_it / tau)
    info_nce_apart_i: each target against what is no target, as if it were the only one
    push_down_i = sum_t y_it log(1 + exp(z_it / tau))                      = -log(1 - sigmoid(z / tau))

Each returns the loss of every row (B,), already times w_i, and its gradient d_z (B, n).
"""

from itertools import pairwise

import numpy as np


def dense(indptr, indices, y, shape):
    """The CSR rows as a matrix; an index that occurs twice counts twice."""
    rows = np.zeros(shape)
    np.add.at(rows, (np.repeat(np.arange(shape[0]), np.diff(indptr)), indices), y)
    return rows


def log_softmax(u):
    top = u.max(1, keepdims=True)
    return u - top - np.log(np.exp(u - top).sum(1, keepdims=True))


def info_nce(z, indptr, indices, y, w, tau):
    """loss (B,), d_z = w_i (p_in sum_t y_it - y_in) / tau, p_positive (B,) = softmax mass on the row's targets."""
    target = dense(indptr, indices, y, z.shape)
    log_p = log_softmax(z / tau)
    p = np.exp(log_p)
    loss = -w * (target * log_p).sum(1)
    d_z = w[:, None] * (p * target.sum(1, keepdims=True) - target) / tau
    p_positive = (p * dense(indptr, indices, np.ones(len(indices)), z.shape)).sum(1)
    return loss, d_z, p_positive


def info_nce_apart(z, indptr, indices, y, w, tau):
    """The sum over the entries of `info_nce` with one target among z without the row's other targets; p_positive as there."""
    loss, d_z = np.zeros(len(z)), np.zeros_like(z)
    for i, (lo, hi) in enumerate(pairwise(indptr)):
        others = np.setdiff1d(np.arange(z.shape[1]), indices[lo:hi])
        for e in range(lo, hi):
            columns = np.concatenate([[indices[e]], others])
            one = np.array([0, 1]), np.array([0]), y[e : e + 1], w[i : i + 1]
            part, d_part, _ = info_nce(z[i : i + 1, columns], *one, tau)
            loss[i] += part[0]
            d_z[i, columns] += d_part[0]
    return loss, d_z, info_nce(z, indptr, indices, y, w, tau)[2]


def push_down(z, indptr, indices, y, w, tau):
    """loss (B,), d_z = w_i y_it sigmoid(z_it / tau) / tau"""
    target = dense(indptr, indices, y, z.shape)
    u = z / tau
    loss = w * (target * np.logaddexp(0.0, u)).sum(1)
    return loss, w[:, None] * target * np.exp(-np.logaddexp(0.0, -u)) / tau
