"""What would another ranker have earned on the decisions that were logged? Counterfactual estimators.

The log holds, for each decision, the action taken, the probability pi_0 with which it was taken (its propensity) and
the reward r that followed; the target policy would have taken that action with probability pi. With w = pi / pi_0 and
predictions q of the reward by a model that has not seen these decisions, q_pi = sum_a pi(a) q(a):

    IPS           mean(w r)                                      Horvitz and Thompson, 1952
    clipped IPS   mean(min(w, c) r)                              Bottou et al., 2013; low where r >= 0 and a w exceeds c
    SNIPS         sum(w r) / sum(w)                              Swaminathan and Joachims, 2015
    DM            mean(q_pi)                                     as good as the predictions
    DR            mean(q_pi + w (r - q))                         Dudik, Langford and Li, 2011
    SWITCH-DR     mean(q_pi + w [w <= c] (r - q))                Wang, Agarwal and Dudik, 2017

Intervals are normal, from the influence of each decision. They hold where the log covers what the target does: a mean
weight far from 1, or a small effective sample size, says that it does not.
"""

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from .._types import Float64
from ..errors import InputError


@dataclass(frozen=True, slots=True, eq=False)
class LoggedDecisions:
    """A log in columns, checked: a bad decision is refused by its id.

    Attributes
    ----------
    decision_ids : m ids, each once
    propensity : (m,) probability in (0, 1] with which the logged action was taken
    reward : (m,) what followed, in any unit; every decision has one
    target_probability : (m,) probability in [0, 1] with which the target takes the logged action; of a deterministic
        target, whether it takes the same
    predicted_logged : (m,) predicted reward of the logged action, or None
    predicted_target : (m,) predicted reward of what the target does, sum_a pi(a) q(a), or None
    """

    decision_ids: Sequence[Hashable]
    propensity: Float64
    reward: Float64
    target_probability: Float64
    predicted_logged: Float64 | None = None
    predicted_target: Float64 | None = None

    def __post_init__(self) -> None:
        if not len(self.decision_ids):
            raise InputError("LoggedDecisions holds at least one decision")
        if len(set(self.decision_ids)) < len(self.decision_ids):
            twice = Counter(self.decision_ids).most_common(1)[0][0]
            raise InputError(f"decision {twice!r} is logged more than once")
        if (self.predicted_logged is None) != (self.predicted_target is None):
            raise InputError("predicted_logged and predicted_target come together")
        for name, rule in _RULES.items():
            if getattr(self, name) is not None:
                self._check(name, rule)

    def _check(self, name: str, rule: str) -> None:
        try:
            values = np.array(getattr(self, name), np.float64)  # None becomes NaN
        except (TypeError, ValueError):
            raise InputError(f"LoggedDecisions.{name} holds numbers") from None
        if values.shape != (len(self.decision_ids),):
            raise InputError(f"LoggedDecisions.{name} has shape ({len(self.decision_ids)},), not {values.shape}")
        bad = ~np.isfinite(values)
        if name == "propensity":
            bad |= ~((values > 0.0) & (values <= 1.0))
        elif name == "target_probability":
            bad |= ~((values >= 0.0) & (values <= 1.0))
        if bad.any():
            i = int(bad.argmax())
            raise InputError(f"decision {self.decision_ids[i]!r}: {name} {rule}, not {values[i]}")
        values.setflags(write=False)
        object.__setattr__(self, name, values)

    def __len__(self) -> int:
        return len(self.decision_ids)

    @property
    def weights(self) -> Float64:
        """(m,) w = pi / pi_0."""
        return np.asarray(self.target_probability / self.propensity)


_RULES = {
    "propensity": "lies in (0, 1]",
    "reward": "is a finite number: a decision without an outcome cannot be used",
    "target_probability": "lies in [0, 1]",
    "predicted_logged": "is finite",
    "predicted_target": "is finite",
}


@dataclass(frozen=True, slots=True)
class Estimate:
    """The value of the target policy.

    Attributes
    ----------
    value, standard_error : in units of the reward
    ci_low, ci_high : normal interval
    effective_sample_size : (sum w)^2 / sum w^2 of the weights that the estimator used; n for the direct method
    mean_weight : 1 in expectation where the log covers the target, before any clipping
    n : decisions
    """

    value: float
    standard_error: float
    ci_low: float
    ci_high: float
    effective_sample_size: float
    mean_weight: float
    n: int


def effective_sample_size(weights: ArrayLike) -> float:
    """(sum w)^2 / sum w^2 (Kish, 1965): how many decisions of the target's own would tell as much. 0: none."""
    w = np.asarray(weights, np.float64)
    top = w.max(initial=0.0)
    return float((w / top).sum() ** 2 / ((w / top) ** 2).sum()) if top > 0.0 else 0.0


def ips(log: LoggedDecisions, *, confidence: float = 0.95) -> Estimate:
    """Inverse propensity scoring: unbiased, of high variance where weights are large."""
    w = _matched_weights(log)
    return _estimate(log, w * log.reward, w, confidence)


def clipped_ips(log: LoggedDecisions, *, clip: float, confidence: float = 0.95) -> Estimate:
    """IPS with weights cut at `clip`: the interval is of the cut value, at most the true one for rewards >= 0."""
    w = np.minimum(_matched_weights(log), _positive("clip", clip))
    return _estimate(log, w * log.reward, w, confidence)


def snips(log: LoggedDecisions, *, confidence: float = 0.95) -> Estimate:
    """Self-normalised IPS: a weighted mean of the rewards, of bias 1 / n. Interval by the delta method."""
    w = _matched_weights(log)
    value = float(w @ log.reward / w.sum())
    return _estimate(log, value + w * (log.reward - value) / w.mean(), w, confidence)


def direct_method(log: LoggedDecisions, *, confidence: float = 0.95) -> Estimate:
    """The mean prediction. The interval counts the sampling of decisions, not the error of the model."""
    _, q_target = _predictions(log)
    return _estimate(log, q_target, np.ones(len(log)), confidence)


def doubly_robust(log: LoggedDecisions, *, confidence: float = 0.95) -> Estimate:
    """Direct method corrected by IPS of its errors: unbiased where propensities or predictions are right."""
    q, q_target = _predictions(log)
    return _estimate(log, q_target + log.weights * (log.reward - q), log.weights, confidence)


def switch_dr(log: LoggedDecisions, *, threshold: float, confidence: float = 0.95) -> Estimate:
    """Doubly robust where the weight is at most `threshold`, the direct method beyond it."""
    q, q_target = _predictions(log)
    w = np.where(log.weights <= _positive("threshold", threshold), log.weights, 0.0)
    return _estimate(log, q_target + w * (log.reward - q), w, confidence)


def _estimate(log: LoggedDecisions, influence: Float64, used: Float64, confidence: float) -> Estimate:
    """The mean of `influence` (m,) and its normal interval."""
    if not 0.0 < confidence < 1.0:
        raise InputError(f"confidence lies in (0, 1), not {confidence}")
    n = len(log)
    value = float(influence.mean())
    error = float(influence.std(ddof=1)) / n**0.5 if n > 1 else float("inf")
    reach = NormalDist().inv_cdf((1.0 + confidence) / 2.0) * error
    size, mean_weight = effective_sample_size(used), float(log.weights.mean())
    return Estimate(value, error, value - reach, value + reach, size, mean_weight, n)


def _matched_weights(log: LoggedDecisions) -> Float64:
    w = log.weights
    if not w.any():
        raise InputError(f"the target takes none of the {len(log)} logged actions: the log says nothing about it")
    return w


def _predictions(log: LoggedDecisions) -> tuple[Float64, Float64]:
    if log.predicted_logged is None or log.predicted_target is None:
        raise InputError("this estimator needs predicted_logged and predicted_target in the log")
    return log.predicted_logged, log.predicted_target


def _positive(name: str, value: float) -> float:
    if not value > 0.0:
        raise InputError(f"{name} is above 0, not {value}")
    return value
