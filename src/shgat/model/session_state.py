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


def facts(outcomes: Float64, seconds: Float64, indptr: Int64) -> Float32:
    """(n_steps, N_FACTS) before each step of each session.

    Parameters
    ----------
    outcomes, seconds : (n_steps,) of each step; what it took itself counts from the next one on
    indptr : (n_sessions + 1,) first step of each session
    """
    n = len(outcomes)
    first = _first(indptr)
    step = np.arange(n)
    done = step - first

    def before(values: Float64) -> Float64:
        total = np.concatenate([[0.0], np.cumsum(values)])
        return np.asarray(total[step] - total[first])

    failed = outcomes < _NEUTRAL
    worked = np.maximum.accumulate(np.concatenate([[0], np.where(failed, 0, step + 1)]))[:-1]  # step after the last that worked
    out = np.empty((n, N_FACTS), np.float32)
    out[:, 0] = np.log1p(done)
    out[:, 1] = np.where(done > 0, before(outcomes) / np.maximum(done, 1), _NEUTRAL)
    out[:, 2] = np.where(done > 0, np.concatenate([[_NEUTRAL], outcomes])[step], _NEUTRAL)
    out[:, 3] = np.log1p(step - np.maximum(worked, first))
    out[:, 4] = np.log1p(np.maximum(0.0, before(seconds)) / 60.0)
    return out


def states(intents: Float32, chosen: Float32, facts: Float32, indptr: Int64) -> Float32:
    """(n_steps, 3 d + N_FACTS) before each step of each session.

    Parameters
    ----------
    intents, chosen : (n_steps, d) intent of each step, embedding of what was used in it
    facts : (n_steps, N_FACTS)
    indptr : (n_sessions + 1,) first step of each session
    """
    n, d = intents.shape
    first = _first(indptr)
    done = (np.arange(n) - first)[:, None]
    out = np.empty((n, 3 * d + N_FACTS), np.float32)
    out[:, :d] = intents
    out[1:, d : 2 * d] = chosen[:-1]
    out[first[done[:, 0] == 0], d : 2 * d] = 0.0
    total = np.concatenate([np.zeros((1, d)), np.cumsum(chosen, axis=0, dtype=np.float64)])
    out[:, 2 * d : 3 * d] = (total[:-1] - total[first]) / np.maximum(done, 1)
    out[:, 3 * d :] = facts
    return out


def _first(indptr: Int64) -> Int64:
    """(n_steps,) the first step of the session of each step."""
    return np.asarray(np.repeat(indptr[:-1], np.diff(indptr)), dtype=np.int64)
