"""Confidence sequences and a test of harm: they hold at every look at once, so that an experiment may be watched and stopped at will.

For outcomes x in [0, 1] of mean p, the product over time of (q_i / p)^x ((1 - q_i) / (1 - p))^(1 - x), where the bet
q_i = (s + 1/2) / (n + 1) is the mean so far, is a supermartingale that starts at 1, whatever p is (for 0 and 1 it is
the Beta(1/2, 1/2) mixture of Robbins, 1970; for fractions see Waudby-Smith and Ramdas, 2024). By Ville's inequality it
ever reaches 1 / alpha with probability alpha at most. The product of both arms' is one too (Kaufmann and Koolen, 2021),
and the differences that some pair (p, p + delta) below 1 / alpha explains are the confidence sequence. Exact at every
sample size and every split of the traffic; it takes the outcomes of an arm to share one mean.
"""

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .._types import Float64, Int64
from ..errors import InputError

_HALVINGS = 32  # of at most [-1, 1]: to 5e-10
_MARGIN = 1e-13  # rounding must not put p where a likelihood is 0
_TINY = 1e-300
_WAITING = 1000  # blocks that one arm may be ahead of the other; what comes in beyond is not counted
_PRIOR = 9.0, 10.0  # sum and number: before anything is known nine of ten work
_STAKES = np.array([0.9, 0.1])
_LEAST = 1e-3  # of a mean that is bet on


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


class HarmTest:
    """Is the mean of a treated arm lower than that of the control? One-sided, fed an outcome at a time, in constant memory.

    A block is one treated outcome y and m of the control x_j. With a = the control's mean in earlier blocks, b = a - `harm` and
    c = (m a + b) / (m + 1), the block's factor (Turner, Ly and Gruenwald, 2024) is

        (1 - (y - c) (c - b) / (c (1 - c))) prod_j (1 + (x_j - c) (a - c) / (c (1 - c)))

    whose expectation is 1 at most where the treated arm is no worse, whatever the means are: (1 + e / m)^m (1 - e) <= 1. The product of the
    factors reaches 1 / alpha with probability alpha at most (Ville). It grows where the treated arm is worse, also by less than `harm`. A
    tenth of the bet is on ten times the harm, so that a disaster is found in few outcomes.

    Parameters
    ----------
    m : outcomes of the control for each treated one: the ratio of the traffic, rounded down
    harm : the difference that is bet on first, in (0, 1)

    Attributes
    ----------
    blocks : that were complete
    """

    def __init__(self, m: int, harm: float = 0.02) -> None:
        if m < 1 or not 0.0 < harm < 1.0:
            raise InputError(f"m is at least 1 and harm lies in (0, 1), not {m} and {harm}")
        self.m, self.harm, self.blocks = m, harm, 0
        self._control: deque[float] = deque(maxlen=_WAITING * m)
        self._treated: deque[float] = deque(maxlen=_WAITING)
        self._seen = np.array(_PRIOR)  # sum and number of the control's outcomes
        self._sums = [0.0, 0.0]  # of both arms in complete blocks
        self._bets = np.array([harm, min(10.0 * harm, 0.5)])
        self._logs = np.log(_STAKES)
        self._most = 0.0

    def add(self, treated: bool, outcome: float) -> None:
        """One outcome in [0, 1], in order of time."""
        if not 0.0 <= outcome <= 1.0:
            raise InputError(f"an outcome lies in [0, 1], not {outcome}")
        (self._treated if treated else self._control).append(outcome)
        while self._treated and len(self._control) >= self.m:
            self._take(self._treated.popleft(), np.array([self._control.popleft() for _ in range(self.m)]))

    @property
    def p_value(self) -> float:
        """Of "no worse", valid whenever one stops; never rises."""
        return float(np.exp(-self._most))

    @property
    def evidence(self) -> float:
        """Logarithm of the product, as of now."""
        return float(np.logaddexp(*self._logs))

    @property
    def difference(self) -> float:
        """Treated minus control in complete blocks, NaN before the first."""
        return self._sums[1] / self.blocks - self._sums[0] / (self.blocks * self.m) if self.blocks else float("nan")

    def _take(self, y: float, x: Float64) -> None:
        a = min(max(float(self._seen[0] / self._seen[1]), 2.0 * _LEAST), 1.0 - _LEAST)
        b = np.maximum(a - self._bets, _LEAST)
        c = (self.m * a + b) / (self.m + 1)
        v = c * (1.0 - c)
        self._logs += np.log1p(-(y - c) * (c - b) / v) + np.log1p((x[:, None] - c) * (a - c) / v).sum(axis=0)
        self._most = max(self._most, self.evidence)
        self._seen += (x.sum(), x.size)
        self._sums[0] += float(x.sum())
        self._sums[1] += y
        self.blocks += 1


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
