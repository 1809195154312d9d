"""The value network and its backward, row by row as the formulas say.

a1_i = relu(base[owner_i] + parts[item_i]),  a2 = relu(a1 W2^T + b2),  a3 = relu(a2 W3^T + b3),  q = a3 w4 + b4
"""

import numpy as np


def forward(base, owner, parts, item, layers):
    """a1, a2, a3, q of `layers` = (w2, b2, w3, b3, w4, b4)."""
    w2, b2, w3, b3, w4, b4 = layers
    a1 = np.maximum(base[owner] + parts[item], 0.0)
    a2 = np.maximum(a1 @ w2.T + b2, 0.0)
    a3 = np.maximum(a2 @ w3.T + b3, 0.0)
    return a1, a2, a3, a3 @ w4 + b4


def backward(d_q, base, owner, parts, item, layers):
    """d_base, d_parts and the gradients of the layers, of sum_i d_q_i q_i."""
    w2, _, w3, _, w4, _ = layers
    a1, a2, a3, _ = forward(base, owner, parts, item, layers)
    d_a3 = d_q[:, None] * w4 * (a3 > 0.0)
    d_a2 = (d_a3 @ w3) * (a2 > 0.0)
    d_a1 = (d_a2 @ w2) * (a1 > 0.0)
    d_base, d_parts = np.zeros_like(base), np.zeros_like(parts)
    np.add.at(d_base, owner, d_a1)
    np.add.at(d_parts, item, d_a1)
    gradients = d_a2.T @ a1, d_a2.sum(0), d_a3.T @ a2, d_a3.sum(0), a3.T @ d_q, d_q.sum(keepdims=True)
    return d_base, d_parts, gradients


def accumulate(errors, decay):
    """sum_{k >= t} (prod_{t <= i < k} decay_i) errors_k, as it is written."""
    n = len(errors)
    return np.array([sum(np.prod(decay[t:k]) * errors[k] for k in range(t, n)) for t in range(n)])
