"""V->V: tools take in the tools they are used with.

    c_ij = cos(H_i, H_j) w_ij / T,   alpha = softmax_j c,   Y_i = normalize(H_i + beta sum_j alpha_ij H_j)

A tool without neighbours keeps its row. With unit rows e_i = H_i / |H_i|:

    dY -> dP_i = (dY_i - Y_i (Y_i . dY_i)) / |P_i|,   P_i = H_i + beta sum_j alpha_ij H_j
    d cos_ij -> dH_i += d cos_ij (e_j - cos_ij e_i) / |H_i|, and the same with i and j exchanged
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Cache:
    """What the backward needs: the inputs, norms and pre_norm (n,), cosine and alpha (nnz,), agg and y (n, d)."""

    h: np.ndarray
    indptr: np.ndarray
    indices: np.ndarray
    w: np.ndarray
    beta: float
    temperature: float
    norms: np.ndarray
    cosine: np.ndarray
    alpha: np.ndarray
    agg: np.ndarray
    pre_norm: np.ndarray
    y: np.ndarray


def mix(h, indptr, indices, w, beta, temperature):
    """y (n, d) and the cache; w (nnz,) beside indices. A zero row has the cosine 0 with every other."""
    norms = np.linalg.norm(h, axis=1)
    unit = h / np.where(norms > 0, norms, 1.0)[:, None]
    cosine, alpha, agg = np.zeros(len(indices)), np.zeros(len(indices)), np.zeros_like(h)
    pre_norm, y = np.ones(len(h)), h.copy()
    for i in range(len(h)):
        row = slice(indptr[i], indptr[i + 1])
        near = indices[row]
        if len(near) == 0:
            continue
        cosine[row] = unit[near] @ unit[i]
        c = cosine[row] * w[row] / temperature
        alpha[row] = np.exp(c - c.max())
        alpha[row] /= alpha[row].sum()
        agg[i] = alpha[row] @ h[near]
        pre = h[i] + beta * agg[i]
        pre_norm[i] = np.linalg.norm(pre)
        y[i] = pre / pre_norm[i] if pre_norm[i] > 0 else 0.0
    return y, Cache(h, indptr, indices, w, beta, temperature, norms, cosine, alpha, agg, pre_norm, y)


def mix_backward(d_y, cache):
    """d_h (n, d), d_beta, d_temperature"""
    c = cache
    inverse = np.divide(1.0, c.norms, out=np.zeros_like(c.norms), where=c.norms > 0)
    unit = c.h * inverse[:, None]
    d_h, d_beta, d_temperature = np.zeros_like(c.h), 0.0, 0.0
    for i in range(len(c.h)):
        row = slice(c.indptr[i], c.indptr[i + 1])
        near = c.indices[row]
        if len(near) == 0:
            d_h[i] += d_y[i]
            continue
        if c.pre_norm[i] == 0:
            continue
        d_pre = (d_y[i] - c.y[i] * (c.y[i] @ d_y[i])) / c.pre_norm[i]
        d_beta += d_pre @ c.agg[i]
        d_h[i] += d_pre
        np.add.at(d_h, near, c.beta * np.outer(c.alpha[row], d_pre))

        d_alpha = c.beta * c.h[near] @ d_pre
        d_c = c.alpha[row] * (d_alpha - c.alpha[row] @ d_alpha)
        d_temperature -= d_c @ (c.cosine[row] * c.w[row]) / c.temperature**2
        d_cosine, cosine = (d_c * c.w[row] / c.temperature)[:, None], c.cosine[row][:, None]
        d_h[i] += (d_cosine * (unit[near] - cosine * unit[i])).sum(0) * inverse[i]
        np.add.at(d_h, near, d_cosine * (unit[i] - cosine * unit[near]) * inverse[near][:, None])
    return d_h, d_beta, d_temperature
