"""What a step was worth: one number of how it went, how long it took, and what people said.

    r_t = outcome_t  -  c_step  -  c_second min(seconds_t, longest)  +  c_rating (rating_t - 3) / 2  +  [terminal end] c_end

outcome is 1 for success, 0 for failure, and a share between. What is not known counts 0: the outcome and the duration before the last tool of
a trace, a rating that nobody gave. The return of a step, discounted by gamma,

    G_t = r_t + gamma G_{t+1},     G_T = 0 after a terminal end,     G_T = the value of what would have followed after a truncated one.
"""

from dataclasses import dataclass, fields

import numpy as np

from .._check import number
from .._types import Float64
from ..errors import InputError
from .session_columns import Sessions

_MOST = 1e6


@dataclass(frozen=True, kw_only=True)
class Reward:
    """The constants of the reward.

    Attributes
    ----------
    step : c_step, cost of each step, in units of a success
    second : c_second, cost of a second
    longest : seconds that count at most
    rating : c_rating, worth of the best rating, and cost of the worst
    end : c_end, worth of a terminal end beside its step
    gamma : discount of a step, in [0, 1]
    """

    step: float = 0.02
    second: float = 0.001
    longest: float = 100.0
    rating: float = 0.5
    end: float = 0.0
    gamma: float = 0.99

    def __post_init__(self) -> None:
        for of in fields(self):
            low, high = {"gamma": (0.0, 1.0), "end": (-_MOST, _MOST)}.get(of.name, (0.0, _MOST))
            object.__setattr__(self, of.name, number(getattr(self, of.name), low, high, f"Reward.{of.name}"))

    @property
    def bounds(self) -> tuple[float, float]:
        """(least, most) that one step can be worth."""
        least = -self.step - self.second * self.longest - self.rating
        return least + min(0.0, self.end), 1.0 - self.step + self.rating + max(0.0, self.end)

    def of(self, sessions: Sessions) -> Float64:
        """(T,) r_t of every step.

        Raises
        ------
        InputError
            naming session and step, for an outcome outside [0, 1], a rating outside [1, 5] or a negative duration in columns that did not
            come from traces.
        """
        _check_range(sessions, "outcome", 0.0, 1.0)
        _check_range(sessions, "rating", 1.0, 5.0)
        _check_range(sessions, "duration_ms", 0.0, np.inf)
        seconds = np.minimum(np.nan_to_num(sessions.duration_ms) / 1000.0, self.longest)
        worth = np.nan_to_num(sessions.outcome.astype(np.float64)) - self.step - self.second * seconds
        worth += self.rating * np.nan_to_num((sessions.rating - 3.0) / 2.0)
        worth[sessions.indptr[1:][sessions.terminal] - 1] += self.end
        return worth

    def returns(self, sessions: Sessions, after: Float64 | None = None) -> Float64:
        """(T,) G_t of every step.

        Parameters
        ----------
        after : (S,) value of what would have followed each session; counts after truncated ends alone. None: NaN there, since the return is
            not known
        """
        if after is not None and np.shape(after) != (len(sessions),):
            raise InputError(f"after has one value a session, ({len(sessions)},), not {np.shape(after)}")
        worth = self.of(sessions)
        beyond = np.where(sessions.terminal, 0.0, np.nan if after is None else np.asarray(after, np.float64))
        for i in range(len(sessions)):
            follows = float(beyond[i])
            for t in range(int(sessions.indptr[i + 1]) - 1, int(sessions.indptr[i]) - 1, -1):
                worth[t] = follows = worth[t] + self.gamma * follows
        return worth


def _check_range(sessions: Sessions, name: str, low: float, high: float) -> None:
    values = getattr(sessions, name)
    bad = (values < low) | (values > high)
    if bad.any():
        t = int(bad.argmax())
        session = int(sessions.session[t])
        of, step = sessions.sessions[session].name, t - int(sessions.indptr[session])
        raise InputError(
            f"session {of!r:.100}, step {step}: {name} lies in [{low:g}, {high:g}], not {values[t]:g}: mend it, or leave it out"
        )
