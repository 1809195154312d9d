"""One attention phase (Brody et al., ICLR 2022 for gatv2; Velickovic et al., ICLR 2018 for gat).

    gatv2:  u_ts = a . leaky(S'_s + T'_t)                  a (H, d_m)
    gat:    u_ts = a_1 . leaky(S'_s) + a_2 . leaky(T'_t)   a = [a_1; a_2] (2 H, d_m)
    alpha_ts = softmax_s u_ts,   agg_t = sum_s alpha_ts S'_s,   m_t = ELU(agg_t)
    out_t = (1 - g_t) X_t + g_t m_t,   g_t = rho sigmoid(A ln(1 + |N(t)|) + b),   gate = (rho, A, b)

A target without sources keeps its row. The gradient of the softmax is d_u = alpha (d_alpha - sum_s alpha d_alpha).
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Cache:
    """What the backward needs: the inputs, and alpha (nnz, H), agg (n_targets, d)."""

    s: np.ndarray
    t: np.ndarray
    a: np.ndarray
    indptr: np.ndarray
    indices: np.ndarray
    slope: float
    gate: np.ndarray
    x: np.ndarray
    alpha: np.ndarray
    agg: np.ndarray


def leaky(v, slope):
    return np.where(v > 0, v, slope * v)


def elu(v):
    return np.where(v > 0, v, np.expm1(np.minimum(v, 0.0)))


def sigmoid(v):
    return 1.0 / (1.0 + np.exp(-v))


def attend(s, t, a, indptr, indices, slope, gate, x, *, heads):
    """out (n_targets, d) and the cache; s (n_sources, d), t and x (n_targets, d), d = heads d_m."""
    n_targets, d = x.shape
    s_heads, t_heads = s.reshape(-1, heads, d // heads), t.reshape(-1, heads, d // heads)
    alpha, agg, out = np.zeros((len(indices), heads)), np.zeros_like(x), x.copy()
    for i in range(n_targets):
        row = slice(indptr[i], indptr[i + 1])
        members = indices[row]
        if len(members) == 0:
            continue
        if len(a) == heads:
            u = (a * leaky(s_heads[members] + t_heads[i], slope)).sum(-1)
        else:
            u = (a[:heads] * leaky(s_heads[members], slope)).sum(-1) + (a[heads:] * leaky(t_heads[i], slope)).sum(-1)
        alpha[row] = np.exp(u - u.max(0))
        alpha[row] /= alpha[row].sum(0)
        agg[i] = np.einsum("eh,ehj->hj", alpha[row], s_heads[members]).reshape(d)
        g = gate[0] * sigmoid(gate[1] * np.log1p(len(members)) + gate[2])
        out[i] = (1.0 - g) * x[i] + g * elu(agg[i])
    return out, Cache(s, t, a, indptr, indices, slope, gate, x, alpha, agg)


def attend_backward(d_out, cache):
    """d_s, d_t, d_a, d_gate, d_x"""
    c = cache
    n_targets, d = c.x.shape
    heads = c.alpha.shape[1]
    s, t = c.s.reshape(-1, heads, d // heads), c.t.reshape(-1, heads, d // heads)
    d_s, d_t, d_a, d_gate, d_x = np.zeros_like(s), np.zeros_like(t), np.zeros_like(c.a), np.zeros(3), d_out.copy()
    for i in range(n_targets):
        row = slice(c.indptr[i], c.indptr[i + 1])
        members = c.indices[row]
        if len(members) == 0:
            continue
        degree = np.log1p(len(members))
        opening = sigmoid(c.gate[1] * degree + c.gate[2])
        g = c.gate[0] * opening
        d_g = d_out[i] @ (elu(c.agg[i]) - c.x[i])
        d_gate += d_g * np.array([opening, g * (1 - opening) * degree, g * (1 - opening)])
        d_x[i] = (1.0 - g) * d_out[i]
        d_agg = (g * d_out[i] * np.where(c.agg[i] > 0, 1.0, np.exp(np.minimum(c.agg[i], 0.0)))).reshape(heads, -1)

        alpha = c.alpha[row]
        d_alpha = np.einsum("hj,ehj->eh", d_agg, s[members])
        np.add.at(d_s, members, alpha[:, :, None] * d_agg)
        d_u = (alpha * (d_alpha - (alpha * d_alpha).sum(0)))[:, :, None]
        if len(c.a) == heads:
            d_a_row, d_v = _leaky_dot_backward(d_u, s[members] + t[i], c.a, c.slope)
            d_a += d_a_row
            np.add.at(d_s, members, d_v)
            d_t[i] += d_v.sum(0)
        else:
            d_a_row, d_v = _leaky_dot_backward(d_u, s[members], c.a[:heads], c.slope)
            d_a[:heads] += d_a_row
            np.add.at(d_s, members, d_v)
            d_a_row, d_v = _leaky_dot_backward(d_u, np.broadcast_to(t[i], s[members].shape), c.a[heads:], c.slope)
            d_a[heads:] += d_a_row
            d_t[i] += d_v.sum(0)
    return d_s.reshape(c.s.shape), d_t.reshape(c.t.shape), d_a, d_gate, d_x


def _leaky_dot_backward(d_u, v, a, slope):
    """Of u_e = a . leaky(v_e): d_a = sum_e d_u_e leaky(v_e), d_v_e = d_u_e a leaky'(v_e)."""
    return (d_u * leaky(v, slope)).sum(0), d_u * a * np.where(v > 0, 1.0, slope)
