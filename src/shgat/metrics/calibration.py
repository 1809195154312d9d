"""Calibration: from a score to the probability that it is right, learned on outcomes; and how good probabilities are. Monotone: rankings stay.

    Platt      p = sigmoid(slope * s + intercept), slope > 0
    isotonic   p = a rising polyline through the blocks of pool-adjacent-violators

Fit on rows that neither trained the model nor test it.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from numpy.typing import ArrayLike

from .._check import brief
from .._types import Float64, Int64
from ..errors import InputError

_LEAST_SLOPE = 1e-6  # a score that speaks against the outcome is made to say nothing, not turned round
_MOST_STEPS = 100


@dataclass(frozen=True, slots=True)
class PlattScaling:
    """p = sigmoid(slope s + intercept) (Platt, 1999)."""

    slope: float
    intercept: float

    def __post_init__(self) -> None:
        if not (np.isfinite(self.slope) and self.slope > 0.0 and np.isfinite(self.intercept)):
            raise InputError(f"PlattScaling has a positive slope and a finite intercept, not {self}")

    @classmethod
    def fit(cls, scores: ArrayLike, outcomes: ArrayLike) -> Self:
        """Maximum likelihood on Platt's smoothed targets, by Newton steps with halving (Lin, Lin and Weng, 2007).

        The targets (N+ + 1) / (N+ + 2) and 1 / (N- + 2) instead of 1 and 0 keep the slope finite on separable data.

        Parameters
        ----------
        scores : (m,) finite, in any unit
        outcomes : (m,) in [0, 1]; a fraction is a partial success
        """
        s, y = _checked_pair(scores, outcomes)
        positive, negative = y.sum(), (1.0 - y).sum()
        target = y * (positive + 1.0) / (positive + 2.0) + (1.0 - y) / (negative + 2.0)
        centre, spread = s.mean(), s.std() or 1.0
        x = np.stack([(s - centre) / spread, np.ones_like(s)])  # (2, m), of one size for Newton
        w = np.array([0.0, np.log((positive + 1.0) / (negative + 1.0))])
        loss = _cross_entropy(w @ x, target)
        for _ in range(_MOST_STEPS):
            p = sigmoid(w @ x)
            gradient = x @ (p - target)
            hessian = (x * (p * (1.0 - p))) @ x.T + 1e-10 * np.eye(2)
            step = np.linalg.solve(hessian, gradient)
            length = 1.0
            while (new := _cross_entropy((w - length * step) @ x, target)) > loss and length > 1e-10:
                length /= 2.0
            if loss - new <= 1e-12 * max(1.0, loss):
                break
            w, loss = w - length * step, new
        slope = float(w[0] / spread)
        if slope < _LEAST_SLOPE / spread:
            flat = float(np.log(target.mean() / (1.0 - target.mean())))
            slope = float(_LEAST_SLOPE / spread)
            return cls(slope, flat - slope * float(centre))
        return cls(slope, float(w[1] - slope * centre))

    def apply(self, scores: ArrayLike) -> Float64:
        """Probabilities of the scores' shape."""
        return sigmoid(self.slope * np.asarray(scores, np.float64) + self.intercept)

    def to_dict(self) -> dict[str, float]:
        """JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """From JSON values."""
        return cls(*_numbers(cls.__name__, values, ("slope", "intercept")))


@dataclass(frozen=True, slots=True)
class IsotonicRegression:
    """The best rising function in squared error; straight lines between its knots, constant outside.

    Attributes
    ----------
    scores : (k,) knots, strictly ascending
    probabilities : (k,) in [0, 1], never falling
    """

    scores: tuple[float, ...]
    probabilities: tuple[float, ...]

    def __post_init__(self) -> None:
        s, p = np.asarray(self.scores, np.float64), np.asarray(self.probabilities, np.float64)
        if s.ndim != 1 or s.shape != p.shape or not s.size:
            raise InputError(f"IsotonicRegression has as many probabilities as scores, not {p.shape} and {s.shape}")
        rising = np.isfinite(s).all() and (np.diff(s) > 0).all() and (np.diff(p) >= 0).all()
        if not rising or not (p[0] >= 0.0 and p[-1] <= 1.0):
            raise InputError("IsotonicRegression has ascending scores and probabilities that never fall, in [0, 1]")

    @classmethod
    def fit(cls, scores: ArrayLike, outcomes: ArrayLike) -> Self:
        """Pool adjacent violators (Ayer et al., 1955), equal scores averaged first.

        Parameters
        ----------
        scores : (m,) finite, in any unit
        outcomes : (m,) in [0, 1]; a fraction is a partial success
        """
        s, y = _checked_pair(scores, outcomes)
        knots, which, counts = np.unique(s, return_inverse=True, return_counts=True)
        values = np.bincount(which, y) / counts
        means: list[float] = []  # a stack of blocks: mean, weight, number of knots
        weights: list[float] = []
        lengths: list[int] = []
        for value, count in zip(values.tolist(), counts.tolist(), strict=True):
            mean, weight, length = value, float(count), 1
            while means and means[-1] >= mean:
                total = weights[-1] + weight
                mean = (means.pop() * weights[-1] + mean * weight) / total
                weights.pop()
                weight, length = total, length + lengths.pop()
            means.append(mean)
            weights.append(weight)
            lengths.append(length)
        fitted = np.clip(np.repeat(means, lengths), 0.0, 1.0)
        inside = np.zeros(knots.size, bool)  # a knot between equals says nothing
        inside[1:-1] = (fitted[:-2] == fitted[1:-1]) & (fitted[1:-1] == fitted[2:])
        return cls(tuple(knots[~inside].tolist()), tuple(fitted[~inside].tolist()))

    def apply(self, scores: ArrayLike) -> Float64:
        """Probabilities of the scores' shape."""
        x, knots, p = np.asarray(scores, np.float64), np.array(self.scores), np.array(self.probabilities)
        at = np.searchsorted(knots, x, "right")
        low, high = p[np.maximum(at - 1, 0)], p[np.minimum(at, len(p) - 1)]
        found: Float64 = np.clip(
            np.interp(x, knots, p), low, high
        )  # a line may round beyond its end, and the next one begins there
        return found

    def to_dict(self) -> dict[str, list[float]]:
        """JSON values."""
        return {"scores": list(self.scores), "probabilities": list(self.probabilities)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """From JSON values."""
        scores, probabilities = _fields(cls.__name__, values, ("scores", "probabilities"))
        for name, numbers in (("scores", scores), ("probabilities", probabilities)):
            if not isinstance(numbers, list) or not all(_is_number(x) for x in numbers):
                raise InputError(f"IsotonicRegression.{name} is a list of numbers")
        return cls(tuple(map(float, scores)), tuple(map(float, probabilities)))


@dataclass(frozen=True, slots=True, eq=False)
class ReliabilityBins:
    """Predicted against observed.

    Attributes
    ----------
    edges : (n_bins + 1,)
    count : (n_bins,) predictions in the bin
    predicted, observed : (n_bins,) means, NaN in an empty bin
    """

    edges: Float64
    count: Int64
    predicted: Float64
    observed: Float64


def reliability_bins(p: ArrayLike, outcome: ArrayLike, n_bins: int = 10) -> ReliabilityBins:
    """Bins of equal width over [0, 1], closed on the left, the last on both sides; p and outcome are (m,) in [0, 1]."""
    if n_bins < 1:
        raise InputError(f"n_bins is at least 1, not {n_bins}")
    p, outcome = _checked_probabilities(p, outcome)
    edges = np.linspace(0.0, 1.0, n_bins + 1)
    which = np.clip(np.searchsorted(edges, p, side="right") - 1, 0, n_bins - 1)
    count = np.bincount(which, minlength=n_bins)
    filled = np.where(count > 0, count, np.nan)
    predicted, observed = np.bincount(which, p, n_bins) / filled, np.bincount(which, outcome, n_bins) / filled
    return ReliabilityBins(edges, count, predicted, observed)


def expected_calibration_error(p: ArrayLike, outcome: ArrayLike, n_bins: int = 10) -> float:
    """ECE = sum_b (m_b / m) |mean outcome - mean p| over the bins (Naeini et al., AAAI 2015); NaN without data."""
    bins = reliability_bins(p, outcome, n_bins)
    total = int(bins.count.sum())
    return float(np.nansum(bins.count * np.abs(bins.observed - bins.predicted))) / total if total else float("nan")


def brier(p: ArrayLike, outcome: ArrayLike) -> float:
    """The mean of (p - outcome)^2 (Brier, 1950); NaN without data."""
    p, outcome = _checked_probabilities(p, outcome)
    return float(np.mean((p - outcome) ** 2)) if p.size else float("nan")


def sigmoid(z: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """1 / (1 + exp(-z)), of the type of z, without overflow at either end."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * z)))


def _cross_entropy(z: Float64, target: Float64) -> float:
    return float(np.sum(np.logaddexp(0.0, z) - target * z))


def _checked_pair(scores: ArrayLike, outcomes: ArrayLike) -> tuple[Float64, Float64]:
    s, y = np.asarray(scores, np.float64), np.asarray(outcomes, np.float64)
    if s.ndim != 1 or s.shape != y.shape or not s.size:
        raise InputError(f"calibration needs (m,) scores and (m,) outcomes, m at least 1, not {s.shape} and {y.shape}")
    for name, values, bad in (("scores", s, ~np.isfinite(s)), ("outcomes", y, ~((y >= 0.0) & (y <= 1.0)))):
        if bad.any():
            allowed = "finite" if name == "scores" else "in [0, 1]"
            raise InputError(f"{name}[{bad.argmax()}] has to be {allowed}, not {values[bad.argmax()]}")
    return s, y


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _fields(owner: str, values: Mapping[str, Any], names: tuple[str, ...]) -> list[Any]:
    if set(values) != set(names):
        raise InputError(f"{owner} is made of {', '.join(names)}, not {', '.join(sorted(map(str, values)))}")
    return [values[name] for name in names]


def _numbers(owner: str, values: Mapping[str, Any], names: tuple[str, ...]) -> list[float]:
    found = _fields(owner, values, names)
    for name, value in zip(names, found, strict=True):
        if not _is_number(value):
            raise InputError(f"{owner}.{name} is a number, not {brief(value)}")
    return [float(value) for value in found]


def _checked_probabilities(p: ArrayLike, outcome: ArrayLike) -> tuple[Float64, Float64]:
    pair = np.asarray(p, np.float64), np.asarray(outcome, np.float64)
    if pair[0].ndim != 1 or pair[0].shape != pair[1].shape:
        raise InputError(f"p and outcome are one-dimensional and of one length, not {pair[0].shape} and {pair[1].shape}")
    for name, values in zip(("p", "outcome"), pair, strict=True):
        bad = ~((values >= 0.0) & (values <= 1.0))
        if bad.any():
            raise InputError(f"{name}[{bad.argmax()}] lies in [0, 1], not {values[bad.argmax()]}")
    return pair
