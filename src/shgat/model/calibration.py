"""From fused scores to the probability that a tool is right, and less of it for an intent that is far from everything.

    logit p_t = c + sum_j a_j r_j(s_t) - 2 max(0, (near - n) / spread),      s = log softmax of the fused scores,  a_j > 0

The ramps r_j split s at knots, so that the sum is a rising line with a bend at each. n, the nearness of an intent, is the mean of the
three highest cosines to remembered intents that worked and to the tools that rank first; `near` is what nine in ten intents of the traffic
have. What is subtracted is the same for all tools, so that their order stays.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .._kernels import channels as kernels
from .._types import Float32, Float64
from ..errors import InputError

FALL = 2.0  # of the logit for each `spread` that an intent is farther than `near`
CLOSEST = 3  # cosines that nearness is the mean of
LEADERS = 10  # tools that rank first
LEAST, MOST = 1e-30, 1.0 - 2.0**-24  # nothing is certain
NOTHING_NEAR = np.float32(-1.0)


@dataclass(frozen=True)
class Calibration:
    """A rising line with bends, and where the traffic ends.

    Attributes
    ----------
    slopes : at least one, positive, from left to right
    knots : log softmax where one slope gives way to the next, ascending; one less than there are slopes
    intercept : logit at the first knot, or at 0 where there is none
    near : nearness below which probabilities fall; None: they never do
    spread : nearness by which an intent is farther than `near` when its logits are 2 lower
    """

    slopes: tuple[float, ...] = (1.0,)
    knots: tuple[float, ...] = ()
    intercept: float = 0.0
    near: float | None = None
    spread: float = 1.0

    def __post_init__(self) -> None:
        if len(self.slopes) != len(self.knots) + 1:
            raise InputError(f"a calibration has one slope more than knots, not {len(self.slopes)} and {len(self.knots)}")
        numbers = np.array([*self.slopes, *self.knots, self.intercept, self.spread, self.near or 0.0], np.float64)
        if not np.isfinite(numbers).all() or min(self.slopes) < 0.0 or self.spread <= 0.0 or (np.diff(self.knots) <= 0.0).any():
            raise InputError(
                f"a calibration has finite numbers, slopes that do not fall, a positive spread and rising knots, not {self}"
            )

    def probability(self, log_shares: Float32, nearness: Float32 | None = None) -> Float32:
        """(B, n) probabilities, monotone within a row.

        Parameters
        ----------
        log_shares : (B, n) log softmax of the fused scores
        nearness : (B,) of the intents; None: near
        """
        start = np.full(len(log_shares), self.intercept, np.float32)
        if nearness is not None and self.near is not None:
            start -= fall(nearness, self.near, self.spread).astype(np.float32)
        out, (slopes, knots) = np.empty(log_shares.shape, np.float32), self._line
        kernels.probability(log_shares, slopes, knots, start, LEAST, MOST, out)
        return out

    @cached_property
    def _line(self) -> tuple[Float32, Float32]:
        return np.array(self.slopes, np.float32), np.array(self.knots, np.float32)


STRAIGHT = Calibration()


def ramps(s: Float32, knots: tuple[float, ...]) -> list[Float64]:
    """How far each value has come between two neighbouring knots: below the first one negative, else at least 0; they sum to s - knots[0]."""
    values = s.astype(np.float64)
    if not knots:
        return [values]
    ends = (*knots[1:], np.inf)
    return [np.minimum(values - knots[0], 0.0), *(np.clip(values, low, high) - low for low, high in zip(knots, ends, strict=True))]


def fall(nearness: Float32, near: float, spread: float) -> Float64:
    """(B,) what logits lose, at least 0."""
    return np.asarray(FALL * np.maximum(0.0, near - nearness.astype(np.float64)) / spread, np.float64)


def nearness(traces: Float32, leaders: Float32) -> Float32:
    """(B,) mean of the three highest of the cosines to traces (B, <= 3) and to leading tools (B, m); -1 where there are none of either."""
    k = min(CLOSEST, traces.shape[1] + leaders.shape[1])
    out = np.full(len(traces), NOTHING_NEAR, np.float32)
    if k:
        kernels.mean_of_highest(traces, leaders, np.empty(k, np.float32), out)
    return np.minimum(np.maximum(out, np.float32(-1.0)), np.float32(1.0))  # cosines round beyond 1
