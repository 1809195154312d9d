"""What would another policy have earned over whole sessions? The doubly robust estimate, step by step.

Of a session of n steps, each with reward r_t, weight w_t = pi(a_t) / pi_0(a_t), a prediction q_t of the return after the logged action and
v_t = sum_a pi(a) q(a) of the return under the target,

    V_t = v_t + w_t (r_t + gamma V_{t+1} - q_t),     V_n = the value of what would have followed, 0 after a terminal end,

and the estimate is the mean of V_0 over sessions (Jiang and Li, 2016): unbiased where propensities or predictions are right. With one step a
session it is `shgat.metrics.doubly_robust`. Intervals are normal, from the V_0 of each session.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from .._kernels import value
from .._types import Float64, Int64
from ..errors import InputError
from .off_policy import Estimate, effective_sample_size


@dataclass(frozen=True, slots=True, eq=False)
class LoggedSessions:
    """S logged sessions of T steps, one after another, in columns; a bad step is refused by its session and number.

    Attributes
    ----------
    names : of the sessions
    indptr : (S + 1,) the steps of session i are indptr[i] to indptr[i + 1], at least one
    propensity : (T,) in (0, 1]
    reward : (T,) in any unit
    target_probability : (T,) in [0, 1], with which the target takes the logged action
    predicted_logged : (T,) predicted return after the logged action
    predicted_target : (T,) predicted return under the target
    beyond : (S,) value of what would have followed each session
    """

    names: Sequence[str]
    indptr: Int64
    propensity: Float64
    reward: Float64
    target_probability: Float64
    predicted_logged: Float64
    predicted_target: Float64
    beyond: Float64

    def __post_init__(self) -> None:
        if not len(self.names):
            raise InputError("LoggedSessions holds at least one session")
        starts = np.asarray(self.indptr, np.int64)
        if starts.shape != (len(self.names) + 1,) or starts[0] != 0 or (np.diff(starts) < 1).any():
            raise InputError(f"LoggedSessions.indptr rises from 0, by at least one step for each of {len(self.names)} sessions")
        for name, rule in _RULES.items():
            values = np.asarray(getattr(self, name), np.float64)
            expected = (len(self.names),) if name == "beyond" else (int(starts[-1]),)
            if values.shape != expected:
                raise InputError(f"LoggedSessions.{name} has shape {expected}, not {values.shape}")
            bad = ~np.isfinite(values)
            if name == "propensity":
                bad |= (values <= 0.0) | (values > 1.0)
            elif name == "target_probability":
                bad |= (values < 0.0) | (values > 1.0)
            if bad.any():
                raise InputError(f"{self._place(name, int(bad.argmax()))}: {name} {rule}, not {values[bad.argmax()]}")

    def _place(self, name: str, i: int) -> str:
        if name == "beyond":
            return f"session {self.names[i]!r:.100}"
        session = int(np.searchsorted(self.indptr, i, "right")) - 1
        return f"session {self.names[session]!r:.100}, step {i - int(self.indptr[session])}"

    @property
    def weights(self) -> Float64:
        """(T,) w_t."""
        return np.asarray(self.target_probability / self.propensity)


_RULES = {
    "propensity": "lies in (0, 1]",
    "reward": "is a finite number",
    "target_probability": "lies in [0, 1]",
    "predicted_logged": "is finite",
    "predicted_target": "is finite",
    "beyond": "is finite",
}


def sequential_doubly_robust(log: LoggedSessions, *, gamma: float, clip: float = np.inf, confidence: float = 0.95) -> Estimate:
    """The value of the target over whole sessions.

    Parameters
    ----------
    gamma : discount of a step, in [0, 1]
    clip : bound of the weight of a step; below the largest one the estimate leans to the predictions

    Returns
    -------
    with the effective sample size and the mean of the product of each session's weights, unclipped: 1 where the log covers the target
    """
    if not 0.0 < confidence < 1.0:
        raise InputError(f"confidence lies in (0, 1), not {confidence}")
    values = session_values(log, gamma=gamma, clip=clip)
    whole = np.multiply.reduceat(log.weights, np.asarray(log.indptr[:-1], np.int64))
    n = len(values)
    error = float(values.std(ddof=1)) / n**0.5 if n > 1 else float("inf")
    reach = NormalDist().inv_cdf((1.0 + confidence) / 2.0) * error
    mean = float(values.mean())
    return Estimate(mean, error, mean - reach, mean + reach, effective_sample_size(whole), float(whole.mean()), n)


def session_values(log: LoggedSessions, *, gamma: float, clip: float = np.inf) -> Float64:
    """(S,) V_0 of each session, whose mean `sequential_doubly_robust` is; parameters as there."""
    if not 0.0 <= gamma <= 1.0:
        raise InputError(f"gamma lies in [0, 1], not {gamma}")
    if not clip > 0.0:
        raise InputError(f"clip is above 0, not {clip}")
    w, last = np.minimum(log.weights, clip), np.asarray(log.indptr[1:], np.int64) - 1
    errors = np.asarray(log.predicted_target + w * (log.reward - log.predicted_logged), np.float64)
    carry = gamma * w
    errors[last] += carry[last] * log.beyond
    carry[last] = 0.0
    found = np.empty(len(errors))
    value.accumulate(errors, carry, found)
    return found[np.asarray(log.indptr[:-1], np.int64)]
