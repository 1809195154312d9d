"""Where a session stands: the intent, what has been used in it so far, and how that went, as one vector.

    s = [x | e_last | mean of e_used | facts]          of 3 d + N_FACTS entries

Both embeddings are zero before the first step. The facts are
    log(1 + steps so far), mean outcome so far (1/2 before any), outcome of the last step (1/2 before any),
    log(1 + failures in a row up to now), log(1 + seconds so far / 60)
"""

from dataclasses import dataclass
from math import log1p

import numpy as np

from .. import _check
from .._types import Float32, Float64, Int64
from ..errors import InputError

N_FACTS = 5
_NEUTRAL = 0.5  # outcome of what has not been tried
_LONGEST = 1e11  # seconds


@dataclass(frozen=True, slots=True)
class SessionState:
    """The steps of one session so far.

    Attributes
    ----------
    used : rows of the tools that were used, in order
    outcomes : of each, in [0, 1]; empty: all worked
    seconds : since the session began
    """

    used: tuple[int, ...] = ()
    outcomes: tuple[float, ...] = ()
    seconds: float = 0.0

    def __post_init__(self) -> None:
        if len(self.outcomes) not in (0, len(self.used)):
            raise InputError(f"a session of {len(self.used)} steps has as many outcomes, not {len(self.outcomes)}")
        for outcome in self.outcomes:
            _check.number(outcome, 0.0, 1.0, "outcome of a step")
        _check.number(self.seconds, 0.0, _LONGEST, "seconds of a session")

    def facts(self) -> Float32:
        """(N_FACTS,) as `facts` gives them; written out, because a request waits for them."""
        outcomes = self.outcomes or (1.0,) * len(self.used)
        steps, failures = len(outcomes), 0
        if not steps:
            return np.array((0.0, _NEUTRAL, _NEUTRAL, 0.0, 0.0), np.float32)
        while failures < steps and outcomes[-1 - failures] < _NEUTRAL:
            failures += 1
        row = log1p(steps), sum(outcomes) / steps, outcomes[-1], log1p(failures), log1p(self.seconds / 60.0)
        return np.array(row, np.float32)


def facts(outcomes: Float64, seconds: Float64, begin: Int64, until: Int64) -> Float32:
    """(n, N_FACTS) of n states, each after some of what was used.

    Parameters
    ----------
    outcomes, seconds : (P,) of all that was used, in order, one session after the other
    begin, until : (n,) what was used from `begin` to before `until` came before the state
    """
    done = until - begin

    def before(values: Float64) -> Float64:
        total = np.concatenate([[0.0], np.cumsum(values)])
        return np.asarray(total[until] - total[begin])

    worked = np.where(outcomes < _NEUTRAL, 0, np.arange(1, len(outcomes) + 1))
    after_success = np.maximum.accumulate(np.concatenate([[0], worked]))
    out = np.empty((len(done), N_FACTS), np.float32)
    out[:, 0] = np.log1p(done)
    out[:, 1] = np.where(done > 0, before(outcomes) / np.maximum(done, 1), _NEUTRAL)
    out[:, 2] = np.where(done > 0, np.concatenate([[_NEUTRAL], outcomes])[until], _NEUTRAL)
    out[:, 3] = np.log1p(until - np.maximum(after_success[until], begin))
    out[:, 4] = np.log1p(np.maximum(0.0, before(seconds)) / 60.0)
    return out


def states(intents: Float32, used: Float32, facts: Float32, begin: Int64, until: Int64) -> Float32:
    """(n, 3 d + N_FACTS) of n states.

    Parameters
    ----------
    intents : (n, d)
    used : (P, d) embeddings of all that was used, in order
    facts : (n, N_FACTS)
    begin, until : (n,) as those of `facts`
    """
    n, d = intents.shape
    done = until - begin
    out = np.zeros((n, 3 * d + N_FACTS), np.float32)
    out[:, :d] = intents
    some = done > 0
    if some.any():
        out[some, d : 2 * d] = used[until[some] - 1]
        total = np.concatenate([np.zeros((1, d)), np.cumsum(used, axis=0, dtype=np.float64)])
        out[some, 2 * d : 3 * d] = (total[until[some]] - total[begin[some]]) / done[some, None]
    out[:, 3 * d :] = facts
    return out
