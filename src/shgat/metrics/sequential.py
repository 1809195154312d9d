"""Confidence sequences: intervals that hold at every look at once: an experiment may be watched and stopped at will.

For outcomes x in [0, 1] of mean p, the product over time of (q_i / p)^x ((1 - q_i) / (1 - p))^(1 - x), where the bet
q_i = (s + 1/2) / (n + 1) is the mean so far, is a supermartingale that starts at 1, whatever p is (for 0 and 1 it is
the Beta(1/2, 1/2) mixture of Robbins, 1970; for fractions see Waudby-Smith and Ramdas, 2024). By Ville's inequality it
ever reaches 1 / alpha with probability alpha at most. The product of both arms' is one too (Kaufmann and Koolen, 2021),
and the differences that some pair (p, p + delta) below 1 / alpha explains are the confidence sequence. Exact at every
sample size and every split of the traffic; it takes the outcomes of an arm to share one mean.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .._types import Float64, Int64
from ..errors import InputError

_HALVINGS = 32  # of at most [-1, 1]: to 5e-10
_MARGIN = 1e-13  # rounding must not put p where a likelihood is 0
_TINY = 1e-300


@dataclass(frozen=True, slots=True, eq=False)
class ConfidenceSequence:
    """The difference of means, treated minus control, after each of k looks.

    Attributes
    ----------
    at : (k,) outcomes seen by then
    difference : (k,) NaN while an arm has none
    lower, upper : (k,) hold at all looks at once with probability 1 - alpha
    p_value : (k,) of no difference, valid whenever one stops; never rises
    """

    at: Int64
    difference: Float64
    lower: Float64
    upper: Float64
    p_value: Float64


def confidence_sequence(
    treated: ArrayLike, outcome: ArrayLike, *, alpha: float = 0.05, at: ArrayLike | None = None
) -> ConfidenceSequence:
    """Difference of the two arms' means, watched continuously.

    Parameters
    ----------
    treated : (m,) bool, in order of time
    outcome : (m,) in [0, 1]
    at : looks to report, numbers of outcomes from 1 to m; None: the last alone. The p-value minds every outcome.
    """
    arm, x = np.asarray(treated), np.asarray(outcome, np.float64)
    if arm.ndim != 1 or arm.dtype != np.bool_ or arm.shape != x.shape or not arm.size:
        raise InputError(f"treated is (m,) true or false and outcome (m,), m at least 1, not {arm.shape} and {x.shape}")
    bad = ~((x >= 0.0) & (x <= 1.0))
    if bad.any():
        raise InputError(f"outcome[{bad.argmax()}] lies in [0, 1], not {x[bad.argmax()]}")
    if not 0.0 < alpha < 1.0:
        raise InputError(f"alpha lies in (0, 1), not {alpha}")
    looks = np.array([arm.size]) if at is None else np.asarray(at, np.int64)
    if looks.ndim != 1 or (looks < 1).any() or (looks > arm.size).any():
        raise InputError(f"at holds numbers of outcomes from 1 to {arm.size}")
    # Successes and failures of each arm after each outcome, (m,), and the log of both arms' predictions.
    s_b, f_b = np.cumsum(arm * x), np.cumsum(arm * (1.0 - x))
    s_a, f_a = np.cumsum(~arm * x), np.cumsum(~arm * (1.0 - x))
    s, f = np.where(arm, s_b, s_a) - x, np.where(arm, f_b, f_a) - (1.0 - x)  # of its own arm, before it
    bet = np.cumsum(x * np.log((s + 0.5) / (s + f + 1.0)) + (1.0 - x) * np.log((f + 0.5) / (s + f + 1.0)))
    evidence = bet - _log_likelihood(s_a + s_b, f_a + f_b)  # of no difference, at the p that explains it best
    p_value = np.exp(-np.maximum.accumulate(np.maximum(evidence, 0.0)))
    i = looks - 1
    counts = np.stack([s_a[i], f_a[i], s_b[i], f_b[i]])
    n_a, n_b = counts[:2].sum(axis=0), counts[2:].sum(axis=0)
    both = (n_a > 0) & (n_b > 0)
    difference = np.where(both, counts[2] / np.maximum(n_b, 1.0) - counts[0] / np.maximum(n_a, 1.0), np.nan)
    least = bet[i] + np.log(alpha)  # log likelihoods above it explain the data well enough
    lower, upper = _edges(counts, np.where(both, difference, 0.0), least)
    return ConfidenceSequence(looks, difference, lower, upper, p_value[i])


def quantile_interval(values: ArrayLike, q: float, *, alpha: float = 0.05) -> tuple[float, float]:
    """Where the q-quantile lies, at every sample size at once; an end that the data do not bound is infinite.

    How many values are at most the quantile is a sum of Bernoulli(q) trials: the numbers that the mixture above does
    not refute are the order statistics between which it lies.
    """
    x = np.sort(np.asarray(values, np.float64))
    if x.ndim != 1 or not x.size or not np.isfinite(x).all():
        raise InputError("a quantile needs one or more finite values in one dimension")
    if not (0.0 < q < 1.0 and 0.0 < alpha < 1.0):
        raise InputError(f"q and alpha lie in (0, 1), not {q} and {alpha}")
    n = x.size
    below = np.arange(n + 1)  # 0 .. n values at most the quantile
    half = np.append(0.0, np.cumsum(np.log(np.arange(n) + 0.5)))  # log Gamma(k + 1/2) / Gamma(1/2)
    whole = float(np.log(np.arange(1, n + 1)).sum())  # log Gamma(n + 1)
    evidence = half[below] + half[n - below] - whole - below * np.log(q) - (n - below) * np.log1p(-q)
    possible = np.flatnonzero(evidence < -np.log(alpha))
    low, high = int(possible[0]), int(possible[-1])
    return (float(x[low - 1]) if low > 0 else -np.inf, float(x[high]) if high < n else np.inf)


def _log_likelihood(s: Float64, f: Float64) -> Float64:
    """max over p of s log p + f log(1 - p)."""
    n = np.maximum(s + f, _TINY)
    return np.asarray(s * np.log(np.maximum(s / n, _TINY)) + f * np.log(np.maximum(f / n, _TINY)))


def _edges(counts: Float64, inside: Float64, least: Float64) -> Float64:
    """The first differences below and above `inside` that no pair (p, p + difference) explains; (2, k)."""
    near = np.stack([inside, inside])
    far = np.stack([np.full_like(inside, -1.0), np.ones_like(inside)])
    counts = counts[:, None, :]
    for _ in range(_HALVINGS):
        middle = (near + far) / 2.0
        explained = _constrained(counts, middle) >= least
        near, far = np.where(explained, middle, near), np.where(explained, far, middle)
    return np.asarray(far)


def _constrained(counts: Float64, delta: Float64) -> Float64:
    """max over p of the log likelihood of p in control and p + delta in treated, elementwise.

    The root of a cubic in p, in closed form (Miettinen and Nurminen, 1985, appendix 1).
    """
    s_a, f_a, s_b, f_b = counts
    n_b, n, s = s_b + f_b, counts.sum(axis=0), s_a + s_b
    l2 = ((2.0 * n - n_b) * delta - n - s) / (3.0 * n)
    l1 = (((n - n_b) * delta - n - 2.0 * s_a) * delta + s) / n
    l0 = s_a * delta * (1.0 - delta) / n
    q = l2**3 - l1 * l2 / 2.0 + l0 / 2.0
    r = np.copysign(np.sqrt(np.maximum(l2**2 - l1 / 3.0, 1e-30)), q)
    p = 2.0 * r * np.cos((np.pi + np.arccos(np.clip(q / r**3, -1.0, 1.0))) / 3.0) - l2
    p = np.clip(p, np.maximum(0.0, -delta) + _MARGIN, np.minimum(1.0, 1.0 - delta) - _MARGIN)
    terms = ((s_a, p), (f_a, 1.0 - p), (s_b, p + delta), (f_b, 1.0 - p - delta))
    return np.asarray(sum(count * np.log(np.maximum(share, _TINY)) for count, share in terms))
