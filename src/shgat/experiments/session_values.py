"""Are values right, and what would acting on them earn? Held-out sessions, their rewards and returns."""

from dataclasses import dataclass

import numpy as np

from .._types import Bool, Float64, Int64
from ..errors import InputError
from ..metrics.off_policy import Estimate
from ..metrics.off_policy_sessions import LoggedSessions, sequential_doubly_robust
from ..metrics.resampling import clustered_intervals
from ..traces.reward import Reward
from ..traces.session_columns import Sessions
from ..traces.sessions import Step
from .next_tool import NextTool, Values
from .pair import Mean

SHRINKAGE = 5.0  # steps that the mean of all counts for
BINS = 10


@dataclass(frozen=True, eq=False)
class ToolReturns:
    """What followed each tool in training, whatever the intent and the context: (sum of its returns + 5 mean) / (its steps + 5).

    mean : (n_tools,) float64
    """

    mean: Float64

    @classmethod
    def fit(cls, sessions: Sessions, reward: Reward, n_tools: int) -> "ToolReturns":
        """From the steps whose return is known."""
        returns = reward.returns(sessions)
        known = np.isfinite(returns)
        everything = float(returns[known].mean()) if known.any() else 0.0
        n = np.bincount(sessions.chosen[known], minlength=n_tools)
        total = np.bincount(sessions.chosen[known], returns[known], n_tools)
        return cls((total + SHRINKAGE * everything) / (n + SHRINKAGE))

    def values(self, step: Step) -> Float64:
        """The same at every step."""
        return self.mean


@dataclass(frozen=True)
class Bin:
    """Steps of about the same predicted value: how many, the mean prediction, and the mean return with its interval."""

    steps: int
    predicted: float
    returned: Mean


@dataclass(frozen=True)
class ValueCalibration:
    """Predicted values of what was chosen, beside the returns that followed.

    Attributes
    ----------
    bins : by rising prediction
    bias : mean prediction less mean return
    rmse : root of the mean squared error of single steps
    spread : the same for the mean return of all: what knowing nothing gives
    slope : of the return by the prediction, 1 where differences are as large as they are said to be; NaN where all predictions are one
    steps : whose return is known
    """

    bins: tuple[Bin, ...]
    bias: float
    rmse: float
    spread: float
    slope: float
    steps: int


@dataclass(frozen=True)
class PolicyReturn:
    """What would the best tool of an order, among what was offered, have earned?

    Attributes
    ----------
    logged : mean return of what was really chosen
    estimate : doubly robust, see `shgat.metrics.off_policy_sessions`
    left_out : sessions with a step without propensity, or whose tool was not offered
    """

    logged: Estimate
    estimate: Estimate
    left_out: int


def value_calibration(
    values: Values, test: Sessions, reward: Reward, rng: np.random.Generator, *, bins: int = BINS
) -> ValueCalibration:
    """The values of what was chosen beside what followed, on steps whose return is known: those of sessions that came to their end.

    Parameters
    ----------
    values : any object with `values(step)`
    rng : of resampling, of whole sessions
    bins : of about as many steps each; steps of one prediction stay in one
    """
    returns = reward.returns(test)
    rows = np.flatnonzero(np.isfinite(returns))
    if not len(rows):
        raise InputError(f"none of the {len(test)} sessions came to its end: no return is known")
    predicted, returned = _of_chosen(values, test, rows), returns[rows]
    edges = np.unique(np.quantile(predicted, np.linspace(0.0, 1.0, bins + 1)[1:-1], method="inverted_cdf"))
    at = np.searchsorted(edges, predicted, "left")
    found = []
    for i in np.unique(at).tolist():
        mine = at == i
        low, high = clustered_intervals(returned[mine, None], test.session[rows[mine]], rng=rng)[:, 0]
        found.append(
            Bin(int(mine.sum()), float(predicted[mine].mean()), Mean(float(returned[mine].mean()), float(low), float(high)))
        )
    error, moved = predicted - returned, predicted - predicted.mean()
    slope = float(moved @ returned / (moved @ moved)) if (moved @ moved) > 1e-12 * len(rows) else float("nan")
    return ValueCalibration(
        tuple(found), float(error.mean()), float(np.sqrt((error**2).mean())), float(returned.std()), slope, len(rows)
    )


def policy_return(order: NextTool, values: Values, test: Sessions, reward: Reward, *, clip: float = np.inf) -> PolicyReturn:
    """The return of the first of `order` among what was offered, from logged sessions with propensities.

    Parameters
    ----------
    order : whose first offered tool the policy takes
    values : predictions of returns; how good they are changes how wide the interval is, and not what it is of
    clip : bound of the weight of a step

    Raises
    ------
    InputError
        where no session has a propensity, and the chosen tool among what was offered, at every step.
    """
    usable = _usable(test)
    if not usable.any():
        raise InputError(
            f"no session of {len(test)} has `offered` and `propensity` at every step, with what ran among what was offered: log them, or "
            "read the store of a ranker"
        )
    log = test.take(np.flatnonzero(usable))
    every = np.arange(log.n_steps)
    scores = order.scores(log, every)
    taken = np.array([(of := log.offered.row(t))[int(np.argmax(scores[t, of]))] for t in every.tolist()], np.int64)
    worth = np.stack([np.asarray(values.values(step), np.float64) for step in log.steps])
    same = (taken == log.chosen).astype(np.float64)
    beyond = np.array(
        [0.0 if log.terminal[i] else float(np.max(values.values(s.after()))) for i, s in enumerate(log.sessions)], np.float64
    )
    names = [f"{s.principal}/{s.name}" if s.principal else s.name for s in log.sessions]
    rewards, chosen = reward.of(log), worth[every, log.chosen]
    target = LoggedSessions(names, log.indptr, log.propensity, rewards, same, chosen, worth[every, taken], beyond)
    itself = LoggedSessions(names, log.indptr, log.propensity, rewards, log.propensity, chosen, chosen, beyond)
    return PolicyReturn(
        sequential_doubly_robust(itself, gamma=reward.gamma), sequential_doubly_robust(target, gamma=reward.gamma, clip=clip),
        len(test) - len(log),
    )  # fmt: skip


def _of_chosen(values: Values, sessions: Sessions, rows: Int64) -> Float64:
    return np.array([values.values(sessions.steps[t])[sessions.chosen[t]] for t in rows.tolist()], np.float64)


def _usable(sessions: Sessions) -> Bool:
    """(S,) has every step of the session a propensity, and its tool among what was offered?"""
    good = np.isfinite(sessions.propensity)
    good &= np.array([int(sessions.chosen[t]) in sessions.offered.row(t) for t in range(sessions.n_steps)], bool)
    return np.logical_and.reduceat(good, sessions.indptr[:-1]) if len(sessions) else np.zeros(0, bool)
