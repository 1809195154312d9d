"""TD(lambda) step by step: it learns while a session goes on.

    delta = r + gamma V' - V
    accumulating, replacing   w <- w + alpha delta z
    dutch                     w <- w + alpha (delta + V - V_old) z - alpha (V - V_old) g,   V_old <- V'

With dutch traces and a linear form that is true online TD(lambda) (van Seijen and Sutton, 2014): at every step the weights are those of
the lambda-return truncated there. V is the value of a state, or of a state with the action taken, which makes it SARSA(lambda).
"""

from collections.abc import Iterable
from typing import Any

from .._types import Float64
from ..errors import InputError
from .approximation import Approximation
from .traces import Eligibility, Kind


class OnlineTD:
    """Learns an approximation from steps in the order in which they happen.

    Parameters
    ----------
    approximation : its weights are changed in place
    alpha, gamma, lam : step size, discount and lambda; arrays of shape (..., 1) where the weights have leading axes
    kind : of the traces

    Raises
    ------
    InputError
        for replacing traces of gradients that are not 0 or 1.
    """

    def __init__(
        self, approximation: Approximation, *, alpha: float | Float64, gamma: float, lam: float | Float64, kind: Kind = "dutch"
    ) -> None:
        if kind == "replacing" and not approximation.binary:
            raise InputError("replacing traces need features that are 0 or 1; take accumulating or dutch ones")
        self.approximation, self.alpha, self.gamma, self.lam = approximation, alpha, gamma, lam
        self.traces = Eligibility(kind, approximation.weights)
        self._old: Any = 0.0

    def begin(self) -> None:
        """A sequence begins."""
        self.traces.begin()
        self._old = 0.0

    def step(self, x: Any, reward: float, after: Any, ratio: float = 1.0) -> Any:
        """One step from x to `after`, None where the sequence ended of itself; returns delta.

        ratio : pi / mu of what was done, which weighs the trace; not for dutch ones
        """
        form, traces = self.approximation, self.traces
        now, then = form.value(x), form.value(after)
        delta = reward + self.gamma * then - now
        gradient = form.gradient(x)
        z = traces.step(gradient, self.gamma * self.lam, self.alpha)
        if traces.kind == "dutch":
            if ratio != 1.0:
                raise InputError("dutch traces are for what the policy itself did; take accumulating ones with ratios")
            changed = now - self._old
            weights = form.weights
            weights += _wide(self.alpha, delta + changed) * z
            weights -= _wide(self.alpha, changed) * gradient
            self._old = then
        else:
            z *= ratio
            weights = form.weights
            weights += _wide(self.alpha, delta) * z
        return delta

    def learn(self, sequences: Iterable[tuple[list[Any], list[float], bool]]) -> None:
        """Every sequence of (points, rewards, terminal), a point a reward; the last step of a truncated one teaches nothing."""
        for points, rewards, terminal in sequences:
            self.begin()
            for i, (x, reward) in enumerate(zip(points, rewards, strict=True)):
                last = i + 1 == len(points)
                if not last or terminal:
                    self.step(x, reward, None if last else points[i + 1])


def _wide(alpha: float | Float64, delta: Any) -> Any:
    """alpha delta, with the axis of the weights where there are variants."""
    return alpha * (delta[..., None] if getattr(delta, "ndim", 0) else delta)
