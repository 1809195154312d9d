"""Reading an experiment: which of two rankers served better, and did the new one do harm?

The two-proportion and Welch tests are for one look at a size fixed beforehand (`required_sample_size`); `judge` may be
asked at any time, as it rests on confidence sequences alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, inf
from pathlib import Path
from statistics import NormalDist
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .. import _check
from .._files import read_jsonl
from .._types import Bool, Float64
from ..errors import InputError, MissingExtraError
from ..metrics.sequential import confidence_sequence, quantile_interval


@dataclass(frozen=True, slots=True)
class Difference:
    """Of means, treated minus control, with its interval and the two-sided p-value of none."""

    value: float
    ci_low: float
    ci_high: float
    p_value: float


def two_proportion_test(control: tuple[int, int], treated: tuple[int, int], *, confidence: float = 0.95) -> Difference:
    """Pooled z test of two proportions; the interval is Newcombe's (1998, method 10), good for rates near 0 and 1 too.

    Parameters
    ----------
    control, treated : (successes, trials)
    """
    for name, (successes, trials) in (("control", control), ("treated", treated)):
        if not 0 <= successes <= trials or trials < 1:
            raise InputError(f"{name} is (successes, trials) with at least one trial, not ({successes}, {trials})")
    (s_a, n_a), (s_b, n_b) = control, treated
    difference, pooled = s_b / n_b - s_a / n_a, (s_a + s_b) / (n_a + n_b)
    error = (pooled * (1.0 - pooled) * (1.0 / n_a + 1.0 / n_b)) ** 0.5
    p_value = 2.0 * NormalDist().cdf(-abs(difference) / error) if error > 0.0 else 1.0
    z = NormalDist().inv_cdf((1.0 + _checked_confidence(confidence)) / 2.0)
    (low_a, high_a), (low_b, high_b) = _wilson(s_a, n_a, z), _wilson(s_b, n_b, z)
    below = ((s_b / n_b - low_b) ** 2 + (high_a - s_a / n_a) ** 2) ** 0.5
    above = ((high_b - s_b / n_b) ** 2 + (s_a / n_a - low_a) ** 2) ** 0.5
    return Difference(difference, difference - below, difference + above, p_value)


def welch_test(control: ArrayLike, treated: ArrayLike, *, confidence: float = 0.95) -> Difference:
    """t test of two means of unequal variances (Welch, 1947); (m,) values each, at least two and not all alike."""
    try:
        from scipy import stats
    except ImportError:
        raise MissingExtraError("scipy", "eval") from None
    arms = np.asarray(control, np.float64), np.asarray(treated, np.float64)
    for name, values in zip(("control", "treated"), arms, strict=True):
        if values.ndim != 1 or values.size < 2 or not np.isfinite(values).all():
            raise InputError(f"{name} is two or more finite values in one dimension")
    squared = np.array([values.var(ddof=1) / values.size for values in arms])
    if not squared.any():
        raise InputError("neither control nor treated varies: there is nothing to test")
    error = float(squared.sum()) ** 0.5
    freedom = error**4 / float((squared**2 / [values.size - 1 for values in arms]).sum())
    difference = float(arms[1].mean() - arms[0].mean())
    reach = float(stats.t.ppf((1.0 + _checked_confidence(confidence)) / 2.0, freedom)) * error
    p_value = 2.0 * float(stats.t.sf(abs(difference) / error, freedom))
    return Difference(difference, difference - reach, difference + reach, p_value)


def required_sample_size(baseline: float, effect: float, *, alpha: float = 0.05, power: float = 0.8) -> int:
    """Trials per arm to tell baseline + effect from baseline by the two-sided z test (Fleiss, 1981; uncorrected).

    n = (z_(1 - alpha / 2) sqrt(2 m (1 - m)) + z_power sqrt(p (1 - p) + q (1 - q)))^2 / effect^2, m the mean of p and q.
    """
    p, q = baseline, baseline + effect
    if not (0.0 < p < 1.0 and 0.0 < q < 1.0) or effect == 0.0:
        raise InputError(f"baseline and baseline + effect lie in (0, 1) and differ, not {p} and {q}")
    if not 0.0 < alpha < power < 1.0:
        raise InputError(f"alpha and power are 0 < alpha < power < 1, not {alpha} and {power}")
    m, normal = (p + q) / 2.0, NormalDist()
    null = normal.inv_cdf(1.0 - alpha / 2.0) * (2.0 * m * (1.0 - m)) ** 0.5
    n: int = ceil(((null + normal.inv_cdf(power) * (p * (1.0 - p) + q * (1.0 - q)) ** 0.5) / effect) ** 2)
    return n


WATCHED = {"error": (0.0, 1.0), "fallback": (0.0, 1.0), "latency": (1e-9, 1e6)}  # what guardrails need, and its bounds


@dataclass(frozen=True, slots=True, eq=False)
class Experiment:
    """One row per answered intent, in order of time.

    Attributes
    ----------
    treated : (m,) bool, served by the new ranker
    success : (m,) in [0, 1]
    error, fallback : (m,) bool or in [0, 1], None where that was not logged
    latency : (m,) seconds, None where that was not logged
    """

    treated: Bool
    success: NDArray[Any]
    error: NDArray[Any] | None = None
    fallback: NDArray[Any] | None = None
    latency: NDArray[Any] | None = None

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """From JSON lines in order of time: `id`, `treated` (true or false), `success` (0 to 1, or true or false), and in every line
        or in none `error`, `fallback` (as success) and `latency` (seconds); InputError names the line and the id of the first fault."""
        path, seen, rows = Path(path), set[str](), list[list[Any]]()
        logged: dict[str, bool] = {}
        for number, record in read_jsonl(path):
            where = f"{path.name}, line {number}"
            if not isinstance(record, Mapping):
                raise InputError(f"{where}: an answered intent is a record, not {type(record).__name__}")
            key = _check.text(record.get("id"), f"{where}: the id")
            where = f"{where}: {key!r}"
            if key in seen:
                raise InputError(f"{where} is logged more than once")
            seen.add(key)
            if not isinstance(record.get("treated"), bool):
                raise InputError(f"{where}: treated is true or false, not {record.get('treated')!r}")
            logged = logged or {name: record.get(name) is not None for name in WATCHED}
            rows.append([record["treated"], _check.number(_as_number(record.get("success")), 0.0, 1.0, f"{where}: success")])
            for name, (low, high) in WATCHED.items():
                value = record.get(name)
                if (value is not None) is not logged[name]:
                    has, before = ("no", "one") if logged[name] else ("an", "none")
                    raise InputError(
                        f"{where} has {has} {name}, and the lines before it have {before}: log it in every line or in none"
                    )
                rows[-1].append(None if value is None else _check.number(_as_number(value), low, high, f"{where}: {name}"))
        if not rows:
            raise InputError(f"{path.name} holds no answered intent")
        treated, success, *watched = zip(*rows, strict=True)
        known = (np.array(values) if logged[name] else None for name, values in zip(WATCHED, watched, strict=True))
        return cls(np.array(treated), np.array(success), *known)


def _as_number(value: object) -> object:
    return float(value) if isinstance(value, bool) else value


@dataclass(frozen=True, slots=True, kw_only=True)
class Guardrails:
    """How much worse the new ranker may be: added rates, in [0, 1], and the ratio of 99th percentiles of latency."""

    error_rate: float = 0.01
    fallback_rate: float = 0.02
    p99_latency_ratio: float = 1.2

    def __post_init__(self) -> None:
        if not (0.0 <= self.error_rate < 1.0 and 0.0 <= self.fallback_rate < 1.0 and self.p99_latency_ratio >= 1.0):
            raise InputError(f"Guardrails allow rates in [0, 1) and a latency ratio of 1 or more, not {self}")


@dataclass(frozen=True, slots=True)
class Guardrail:
    """What is known of one: "held" and "broken" are shown by the whole interval, else it is still "open"."""

    name: str
    state: Literal["held", "broken", "open"]
    ci_low: float
    ci_high: float
    limit: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do now, why, and the difference of success rates that it rests on.

    "ship": better, all guardrails held. "stop": worse, or a guardrail broken. "continue": not known yet.

    Attributes
    ----------
    guardrails : those that the log has the figures for
    unwatched : names of the others, which nothing is known of
    """

    decision: Literal["ship", "stop", "continue"]
    reason: str
    success: Difference
    guardrails: tuple[Guardrail, ...]
    unwatched: tuple[str, ...] = ()


def judge(experiment: Experiment, guardrails: Guardrails | None = None, *, alpha: float = 0.05) -> Verdict:
    """The verdict on the data so far, at any time and as often as one likes.

    The chance that a ranker no better is ever shipped, and for each guardrail the chance that one within its limit is
    ever called broken, is alpha at most.
    """
    e, limits = experiment, guardrails or Guardrails()
    found = confidence_sequence(e.treated, e.success, alpha=alpha)
    success = Difference(*(float(x[-1]) for x in (found.difference, found.lower, found.upper, found.p_value)))
    states, unwatched = [], []
    rates = (("error rate", e.error, limits.error_rate), ("fallback rate", e.fallback, limits.fallback_rate))
    for name, outcome, limit in rates:
        if outcome is None:
            unwatched.append(name)
            continue
        rate = confidence_sequence(e.treated, outcome, alpha=alpha)
        states.append(_guardrail(name, float(rate.lower[-1]), float(rate.upper[-1]), limit))
    if e.latency is None:
        unwatched.append("p99 latency ratio")
    else:
        ratio = _latency_ratio(e.treated, np.asarray(e.latency, np.float64), alpha)
        states.append(_guardrail("p99 latency ratio", *ratio, limits.p99_latency_ratio))
    decision, reason = _decided(success, states)
    return Verdict(decision, reason, success, tuple(states), tuple(unwatched))


def _decided(success: Difference, states: list[Guardrail]) -> tuple[Literal["ship", "stop", "continue"], str]:
    """What to do, and why."""
    broken = [g.name for g in states if g.state == "broken"]
    unknown = [g.name for g in states if g.state == "open"]
    if broken:
        return "stop", f"guardrail broken: {', '.join(broken)}"
    if success.ci_high < 0.0:
        return "stop", "the new ranker succeeds less often"
    if success.ci_low > 0.0 and not unknown:
        return "ship", f"the new ranker succeeds more often and {'every guardrail held' if states else 'no guardrail was watched'}"
    waiting = unknown if success.ci_low > 0.0 else ["success rate", *unknown]
    return "continue", f"not known yet: {', '.join(waiting)}"


def _latency_ratio(treated: Bool, latency: Float64, alpha: float) -> tuple[float, float]:
    """Interval of treated p99 / control p99, each of them at alpha / 2."""
    if latency.shape != treated.shape or not np.isfinite(latency).all() or (latency <= 0.0).any():
        raise InputError("Experiment.latency holds seconds above 0, one for each row")
    if treated.all() or not treated.any():
        return 0.0, inf
    low_a, high_a = quantile_interval(latency[~treated], 0.99, alpha=alpha / 2.0)
    low_b, high_b = quantile_interval(latency[treated], 0.99, alpha=alpha / 2.0)
    return max(low_b, 0.0) / high_a, high_b / low_a if low_a > 0.0 else inf


def _guardrail(name: str, low: float, high: float, limit: float) -> Guardrail:
    return Guardrail(name, "held" if high <= limit else "broken" if low > limit else "open", low, high, limit)


def _checked_confidence(confidence: float) -> float:
    if not 0.0 < confidence < 1.0:
        raise InputError(f"confidence lies in (0, 1), not {confidence}")
    return confidence


def _wilson(successes: int, trials: int, z: float) -> tuple[float, float]:
    """Score interval of one proportion (Wilson, 1927)."""
    p, shrink = successes / trials, 1.0 + z * z / trials
    centre = (p + z * z / (2.0 * trials)) / shrink
    reach = z / shrink * (p * (1.0 - p) / trials + z * z / (4.0 * trials * trials)) ** 0.5
    return max(0.0, centre - reach), min(1.0, centre + reach)
