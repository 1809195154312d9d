"""Adam with decoupled decay (Kingma and Ba, 2015; Loshchilov and Hutter, 2019)."""

import numpy as np


def adam_step(p, g, m, v, step, *, lr, beta1, beta2, eps, decay, g_scale, anchor=None):
    """The p, m, v after one step; step counts from 1, anchor None is zero.

    m <- beta1 m + (1 - beta1) g,   v <- beta2 v + (1 - beta2) g^2,   on g_scale g
    p <- p - lr decay (p - anchor) - lr (m / (1 - beta1^step)) / (sqrt(v / (1 - beta2^step)) + eps)
    """
    g = g_scale * g
    m = beta1 * m + (1.0 - beta1) * g
    v = beta2 * v + (1.0 - beta2) * g**2
    m_hat, v_hat = m / (1.0 - beta1**step), v / (1.0 - beta2**step)
    toward = 0.0 if anchor is None else anchor
    return p - lr * decay * (p - toward) - lr * m_hat / (np.sqrt(v_hat) + eps), m, v
