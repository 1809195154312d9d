"""Readout: queries against keys, z = kappa mean_h H cos_h, and its exact backward.

    q = (W_intent x + W_context mean(context tools)) W_q^T,   k_n = W_k X_n,   split into H heads
    cosine:  z_h = kappa H (q_h . k_h) / (|q| |k|),   dot:  z_h = q_h . k_h / sqrt(d_h),   z = mean_h z_h

Because z is a mean of heads that are linear in the keys, a whole catalogue is one product against cached keys.
"""

from dataclasses import dataclass

import numpy as np

from .._kernels import linear, readout
from .._types import Float32
from ..graph.incidence import Incidence
from .params import Gradient, Params


@dataclass(frozen=True, eq=False)
class Unit:
    """Rows and their norms: rows (n, D) of length 1 for cosine (as they are for dot), norms (n,)."""

    rows: Float32
    norms: Float32


@dataclass(frozen=True, eq=False)
class Queries:
    """Queries of a batch and what their backward needs: u (B, d) before W_q; context (B, d) or None; q (B, D)."""

    intents: Float32
    context: Float32 | None
    u: Float32
    q: Unit


def scale(params: Params, similarity: str) -> float:
    """The factor from the product of (unit) queries and keys to z."""
    if similarity == "cosine":
        return float(np.exp(np.float64(params["log_scale"][0])))
    return float(1.0 / (params.layout.n_heads * np.sqrt(params.layout.d_head)))


def keys(x: Float32, params: Params, similarity: str) -> Unit:
    """Keys of the nodes x (n, d)."""
    return _unit(product(x, params.w_k), similarity)


def queries(intents: Float32, context: Float32 | None, params: Params, similarity: str, identity: bool = False) -> Queries:
    """Queries of intents (B, d); context (B, d) is the mean final embedding of each intent's context tools.

    `identity` says that W_intent is the identity, so that its product can be left out.
    """
    u = intents.copy() if identity else product(intents, params["w_intent"])
    if context is not None:
        linear.project(context, params["w_context"], u, 1.0)
    return Queries(intents, context, u, _unit(product(u, params.w_q), similarity))


def scores(q: Float32, k: Float32, factor: float) -> Float32:
    """z (B, n) = factor q (B, D) k (n, D)^T"""
    z = product(q, k)
    z *= np.float32(factor)
    return z


def scores_backward(
    d_z: Float32,
    z: Float32,
    q: Float32,
    k: Float32,
    params: Params,
    gradient: Gradient,
    similarity: str,
    d_q: Float32,
    d_k: Float32,
) -> None:
    """Adds to the scale's gradient and to d_q (B, D), dL/d(unit queries); writes d_k (n, D), dL/d(unit keys). Scales d_z in place."""
    if similarity == "cosine":
        gradient["log_scale"][0] += np.vdot(d_z, z)
    d_z *= np.float32(scale(params, similarity))
    linear.project_backward_input(d_z, k, d_q, 1.0)
    linear.project_backward_weight(d_z, q, d_k)


def keys_backward(
    d_k: Float32, k: Unit, x: Float32, params: Params, gradient: Gradient, similarity: str, d_x: Float32 | None
) -> None:
    """From dL/d(unit keys) (overwritten): adds to the gradient of W_k and writes d_x (n, d), unless nobody asks for it."""
    if similarity == "cosine":
        readout.normalize_rows_backward(d_k, k.rows, k.norms, d_k)
    linear.project_backward_weight(d_k, x, gradient.w_k, gradient.beta("w_k"))
    if d_x is not None:
        linear.project_backward_input(d_k, params.w_k, d_x)


def queries_backward(
    d_q: Float32, seen: Queries, params: Params, gradient: Gradient, similarity: str, intent_map: bool
) -> Float32 | None:
    """From dL/d(unit queries) (overwritten): adds to W_q, W_context and, where `intent_map`, W_intent.

    Returns dL/d context (B, d), or None where there is no context.
    """
    if similarity == "cosine":
        readout.normalize_rows_backward(d_q, seen.q.rows, seen.q.norms, d_q)
    linear.project_backward_weight(d_q, seen.u, gradient.w_q, gradient.beta("w_q"))
    if seen.context is None and not intent_map:
        return None
    d_u = np.empty_like(seen.u)
    linear.project_backward_input(d_q, params.w_q, d_u)
    if intent_map:
        linear.project_backward_weight(d_u, seen.intents, gradient["w_intent"], gradient.beta("w_intent"))
    if seen.context is None:
        return None
    linear.project_backward_weight(d_u, seen.context, gradient["w_context"], gradient.beta("w_context"))
    d_context = np.empty_like(seen.context)
    linear.project_backward_input(d_u, params["w_context"], d_context)
    return d_context


def context_mean(x: Float32, context: Incidence) -> Float32:
    """(B, d) mean of the rows of x that each row of `context` names; zero where it names none."""
    mean = np.zeros((context.n_rows, x.shape[1]), np.float32)
    np.add.at(mean, context.row_of_entry, x[context.indices])
    mean /= np.maximum(context.degrees, 1)[:, None].astype(np.float32)
    return mean


def context_mean_backward(d_mean: Float32, context: Incidence, d_x: Float32) -> None:
    """Adds to d_x (n, d)."""
    share = d_mean / np.maximum(context.degrees, 1)[:, None].astype(np.float32)
    np.add.at(d_x, context.indices, share[context.row_of_entry])


def head_scores(q: Float32, k: Float32, factor: float, n_heads: int) -> Float32:
    """z_h (n, H) of one query q (D,) against keys k (n, D): H times each head's part of z."""
    parts = (k * q).reshape(len(k), n_heads, k.shape[1] // n_heads).sum(axis=2, dtype=np.float32)
    return np.asarray(parts * np.float32(factor * n_heads), np.float32)


def product(x: Float32, w: Float32) -> Float32:
    """x w^T (m, n) of x (m, k) and w (n, k), in a new array."""
    out = np.empty((len(x), len(w)), np.float32)
    linear.project(x, w, out)
    return out


def unit_rows(x: Float32) -> Float32:
    """The rows of x (m, k) divided by their lengths, zero where they are zero; a new array."""
    out = np.empty(x.shape, np.float32)
    readout.normalize_rows(x, out, np.empty(len(x), np.float32))
    return out


def _unit(rows: Float32, similarity: str) -> Unit:
    norms = np.ones(len(rows), np.float32)
    if similarity == "cosine":
        readout.normalize_rows(rows, rows, norms)
    return Unit(rows, norms)
