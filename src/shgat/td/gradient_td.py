"""TD(lambda) with gradient correction: off-policy learning with a linear form that does not diverge.

    z <- rho (gamma lambda z + x),   delta = r + gamma w . x' - w . x
    w <- w + alpha (delta z - gamma (1 - lambda) (z . v) x')
    v <- v + beta (delta z - (v . x) x)

TDC (Sutton et al., 2009) with traces, GTD(lambda) (Maei, 2011). Ratios alone are not enough: they correct what follows an action, not how
often states are met, and semi-gradients then can grow without bound (Baird, 1995).
"""

import numpy as np

from .. import _check
from .._types import Float64


class GradientTD:
    """Learns linear values of a target policy from what another policy did.

    Parameters
    ----------
    weights : (n,) w, changed in place
    alpha, beta : step sizes of w and of v
    gamma, lam : discount and lambda

    Attributes
    ----------
    correction : (n,) v, an estimate of the expected error by features
    """

    def __init__(self, weights: Float64, *, alpha: float, beta: float, gamma: float, lam: float = 0.0) -> None:
        self.weights, self.correction = weights, np.zeros_like(weights)
        self.alpha, self.beta = (_check.number(v, 0.0, 1e3, name) for v, name in ((alpha, "alpha"), (beta, "beta")))
        self.gamma, self.lam = (_check.number(v, 0.0, 1.0, name) for v, name in ((gamma, "gamma"), (lam, "lambda")))
        self._z = np.zeros_like(weights)

    def begin(self) -> None:
        """A sequence begins."""
        self._z[...] = 0.0

    def step(self, x: Float64, reward: float, after: Float64 | None, ratio: float = 1.0) -> float:
        """One step from features x to `after`, None at a terminal end, whose action has the ratio pi / mu; returns delta."""
        then = np.zeros_like(x) if after is None else after
        w, v, z = self.weights, self.correction, self._z
        delta = float(reward + self.gamma * (w @ then) - w @ x)
        z *= self.gamma * self.lam
        z += x
        z *= ratio
        w += self.alpha * (delta * z - self.gamma * (1.0 - self.lam) * (z @ v) * then)
        v += self.beta * (delta * z - (v @ x) * x)
        return delta
