"""Eligibility traces, backward view: how far each weight answers for the error of this step.

    accumulating   z <- decay z + g
    replacing      z <- g where g is not 0, decay z elsewhere          (features that are 0 or 1)
    dutch          z <- decay z + (1 - alpha decay z . g) g            (van Seijen and Sutton, 2014)

g is the gradient of the value, of a linear form its features; decay = gamma lambda.
"""

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from .. import _check
from .._types import Float64

Kind = Literal["accumulating", "replacing", "dutch"]
KINDS = ("accumulating", "replacing", "dutch")


class Eligibility:
    """One trace a weight.

    Leading axes hold variants side by side: step sizes and decays are then of shape (..., 1).

    Attributes
    ----------
    kind : "accumulating", "replacing" or "dutch"
    z : (..., n)
    """

    def __init__(self, kind: Kind, like: npt.NDArray[Any]) -> None:
        self.kind: Kind = _check.choice(kind, KINDS, "kind of traces")
        self.z = np.zeros_like(like)

    def begin(self) -> None:
        """A sequence begins: nothing answers for anything yet."""
        self.z[...] = 0.0

    def step(self, gradient: npt.NDArray[Any], decay: float | Float64, alpha: float | Float64) -> npt.NDArray[Any]:
        """Takes in the gradient (n,) of this step; returns z."""
        if self.kind == "replacing":
            self.z[...] = np.where(gradient != 0.0, gradient, decay * self.z)
            return self.z
        self.z *= decay
        if self.kind == "dutch":
            overlap = np.matmul(self.z, gradient)[..., None] if self.z.ndim > 1 else float(self.z @ gradient)
            self.z += (1.0 - alpha * overlap) * gradient
        else:
            self.z += gradient
        return self.z


def backward_view(gradients: Float64, errors: Float64, carry: Float64) -> Float64:
    """(n,) sum_t delta_t z_t, what traces add up to over sequences while the weights stay: the same as sum_t (G_t - q_t) g_t.

    Parameters
    ----------
    gradients : (T, n)
    errors : (T,) delta_t
    carry : (T,) gamma_t c_{t+1} of each step, 0 at ends
    """
    traces, total = Eligibility("accumulating", gradients[0]), np.zeros(gradients.shape[1])
    for t, (gradient, error) in enumerate(zip(gradients, errors, strict=True)):
        total += error * traces.step(gradient, carry[t - 1] if t else 0.0, 0.0)
    return total
