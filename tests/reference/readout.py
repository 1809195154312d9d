"""Unit rows, and the scores of one intent."""

import numpy as np


def normalize_rows(x):
    """out_i = x_i / |x_i| and norms (n,); a zero row stays zero."""
    norms = np.linalg.norm(x, axis=1)
    return x / np.where(norms > 0, norms, 1.0)[:, None], norms


def normalize_rows_backward(d_out, out, norms):
    """d_x_i = (d_out_i - out_i (out_i . d_out_i)) / |x_i|; zero where the row is zero: it has no direction."""
    along = (d_out * out).sum(1, keepdims=True)
    inverse = np.divide(1.0, norms, out=np.zeros_like(norms), where=norms > 0)
    return (d_out - out * along) * inverse[:, None]


def score_intent(x, w, keys, scale, unit):
    """z (n,) = scale keys (n, D) . q, q = w (D, d) x, divided by its norm where `unit`."""
    q = w @ x
    norm = np.linalg.norm(q)
    return scale * keys @ (q / norm if unit and norm > 0 else q)
