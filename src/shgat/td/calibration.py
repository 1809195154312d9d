"""Are values what sessions then brought? Bins of values beside mean returns, and the line through them."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from .._types import Float64
from ..errors import InputError

_Z = 1.96


@dataclass(frozen=True, slots=True)
class ValueBin:
    """Steps with neighbouring values.

    Attributes
    ----------
    predicted, observed : mean value and mean return
    low, high : 95 % interval of the mean return
    n : steps
    """

    predicted: float
    observed: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class ValueCalibration:
    """How values stand to returns.

    Attributes
    ----------
    slope, intercept : return = slope q + intercept, least squares; 1 and 0 are right
    error : mean over steps of |predicted - observed| of their bin
    explained : share of the returns' variance that values explain, 1 - E (G - q)^2 / var G; below 0 where they are worse than the mean
    bins : of equal numbers of steps, by value
    """

    slope: float
    intercept: float
    error: float
    explained: float
    bins: tuple[ValueBin, ...]

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def value_calibration(q: Float64, returns: Float64, n_bins: int = 10) -> ValueCalibration:
    """Of values (n,) and returns (n,), of which NaN (sessions that were cut off) are left out.

    Raises
    ------
    InputError
        where fewer than two returns are known.
    """
    known = ~np.isnan(returns)
    q, returns = q[known], returns[known]
    if len(q) < 2:
        raise InputError(f"calibration needs at least 2 steps of sessions that came to their end, not {len(q)}")
    order = np.argsort(q, kind="stable")
    bins = tuple(_bin(q[rows], returns[rows]) for rows in np.array_split(order, min(n_bins, len(q))))
    spread, variance = float(q.var()), float(returns.var())
    slope = float(((q - q.mean()) * (returns - returns.mean())).mean()) / spread if spread > 0.0 else 0.0
    error = sum(b.n * abs(b.predicted - b.observed) for b in bins) / len(q)
    explained = 1.0 - float(((returns - q) ** 2).mean()) / variance if variance > 0.0 else 0.0
    return ValueCalibration(slope, float(returns.mean() - slope * q.mean()), error, explained, bins)


def _bin(q: Float64, returns: Float64) -> ValueBin:
    mean = float(returns.mean())
    reach = _Z * float(returns.std(ddof=1)) / len(q) ** 0.5 if len(q) > 1 else float("inf")
    return ValueBin(float(q.mean()), mean, mean - reach, mean + reach, len(q))
