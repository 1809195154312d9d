"""Textbook problems that TD(lambda) is checked on: the random walk of 19 states, and Baird's counterexample.

Random walk (Sutton and Barto, 2018, examples 7.1 and 12.1): from the middle of 19 states left or right with equal chance, reward -1 beyond
the left end and 1 beyond the right one; values are -0.9 to 0.9. The error is the root mean square over states, averaged over the first 10
episodes. Baird's counterexample (Baird, 1995; 11.2 there): 7 states, 8 weights, all rewards 0, so that all values are 0.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from .._types import Bool, Float64, Int64
from ..errors import InputError
from ..td import GradientTD, Linear, OnlineTD
from ..td.returns import Ends, lambda_returns

N_STATES = 19
TRUE_VALUES: Float64 = np.arange(1, N_STATES + 1) / 10.0 - 1.0
LAMBDAS = (0.0, 0.4, 0.8, 0.9, 0.95, 0.975, 0.99, 1.0)
ALPHAS = (0.0, 0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
EPISODES = 10
METHODS = ("off-line lambda-return", "true online TD(lambda)")
_EYE = np.eye(N_STATES)

Episode = tuple[Int64, Float64]  # states (T,) and rewards (T,)


@dataclass(frozen=True, eq=False)
class WalkErrors:
    """Root mean square errors of one method on the random walk.

    Attributes
    ----------
    lambdas, alphas : the grid
    errors : (runs, lambdas, alphas); infinite where the weights grew without bound
    """

    lambdas: tuple[float, ...]
    alphas: tuple[float, ...]
    errors: Float64

    @property
    def mean(self) -> Float64:
        """(lambdas, alphas) over runs."""
        return np.asarray(self.errors.mean(axis=0))

    @property
    def standard_error(self) -> Float64:
        """(lambdas, alphas) of that mean; infinite where an error is."""
        finite = np.isfinite(self.errors).all(axis=0)
        spread = np.where(np.isfinite(self.errors), self.errors, 0.0).std(axis=0, ddof=1) / len(self.errors) ** 0.5
        return np.asarray(np.where(finite, spread, np.inf))

    def best(self, row: int) -> tuple[float, float, float]:
        """(alpha, mean, standard error) at the minimum of one lambda."""
        column = int(self.mean[row].argmin())
        return self.alphas[column], float(self.mean[row, column]), float(self.standard_error[row, column])


def walk(rng: np.random.Generator) -> Episode:
    """One episode."""
    states, at = [], N_STATES // 2
    while 0 <= at < N_STATES:
        states.append(at)
        at += 1 if rng.random() < 0.5 else -1
    rewards = np.zeros(len(states))
    rewards[-1] = -1.0 if at < 0 else 1.0
    return np.array(states), rewards


def walk_errors(
    method: str,
    runs: int,
    rng: np.random.Generator,
    *,
    lambdas: Sequence[float] = LAMBDAS,
    alphas: Sequence[float] = ALPHAS,
    on_run: Callable[[int], None] | None = None,
) -> WalkErrors:
    """Errors of one of `METHODS` over a grid; every setting sees the same episodes.

    Raises
    ------
    InputError
        for another method.
    """
    if method not in METHODS:
        raise InputError(f"method is one of {', '.join(METHODS)}, not {method}")
    if runs < 2:
        raise InputError(f"at least 2 runs are needed for a standard error, not {runs}")
    lam, alpha = (axis.reshape(-1) for axis in np.meshgrid(lambdas, alphas, indexing="ij"))
    learn = _off_line if method == METHODS[0] else _true_online
    errors = np.zeros((runs, len(lam)))
    for run in range(runs):
        weights = np.zeros((len(lam), N_STATES))
        for _ in range(EPISODES):
            with np.errstate(over="ignore", invalid="ignore"):
                learn(weights, walk(rng), lam, alpha)
                error = np.sqrt(((weights - TRUE_VALUES) ** 2).mean(axis=1))
            errors[run] += np.nan_to_num(error, nan=np.inf, posinf=np.inf) / EPISODES
        if on_run is not None:
            on_run(run + 1)
    return WalkErrors(tuple(lambdas), tuple(alphas), errors.reshape(runs, len(lambdas), len(alphas)))


def _off_line(weights: Float64, episode: Episode, lam: Float64, alpha: Float64) -> None:
    """Targets of the whole episode with the weights at its begin; then an update a step."""
    states, rewards = episode
    n, T = len(weights), len(states)
    last = np.zeros(T, np.bool_)
    last[-1] = True
    ends = Ends(_times(last, n), np.ones(n * T, np.bool_))
    q = weights[:, states].reshape(-1)
    flat = lambda_returns(np.tile(rewards, n), q, ends.following(q), np.ones(n * T), np.repeat(lam, T), ends)
    targets = flat.reshape(n, T)
    for t, state in enumerate(states.tolist()):
        weights[:, state] += alpha * (targets[:, t] - weights[:, state])


def _times(mask: Bool, n: int) -> Bool:
    return np.tile(mask, n)


def _true_online(weights: Float64, episode: Episode, lam: Float64, alpha: Float64) -> None:
    learner = OnlineTD(Linear(weights, binary=True), alpha=alpha[:, None], gamma=1.0, lam=lam[:, None])
    states, rewards = episode
    learner.learn([([_EYE[s] for s in states.tolist()], rewards.tolist(), True)])


BAIRD_METHODS = ("semi-gradient TD(0)", "TD(0) with gradient correction")
BAIRD_GAMMA = 0.99
BAIRD_START: Float64 = np.array([1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 10.0, 1.0])
_N_BAIRD = 7


def baird_features() -> Float64:
    """(7, 8): the values of the states are 2 w_i + w_8 of the first six, and w_7 + 2 w_8 of the seventh."""
    features = np.zeros((_N_BAIRD, _N_BAIRD + 1))
    features[np.arange(6), np.arange(6)] = 2.0
    features[:6, 7] = 1.0
    features[6, 6:] = 1.0, 2.0
    return features


def baird(method: str, steps: int, rng: np.random.Generator, *, alpha: float, beta: float = 0.05) -> tuple[Float64, Float64]:
    """(weights (steps, 8) after each step, errors (steps,) root mean square of the projected Bellman error over states).

    The behaviour takes the dashed action 6 times in 7, which leads to one of the first six states, and the solid one, which leads to the
    seventh, else; the target policy always takes the solid one. Ratios of both are used by either method: they are not what corrects.

    Raises
    ------
    InputError
        for a method that is not of `BAIRD_METHODS`.
    """
    if method not in BAIRD_METHODS:
        raise InputError(f"method is one of {', '.join(BAIRD_METHODS)}, not {method}")
    features, weights = baird_features(), BAIRD_START.copy()
    plain = OnlineTD(Linear(weights), alpha=alpha, gamma=BAIRD_GAMMA, lam=0.0, kind="accumulating")
    corrected = GradientTD(weights, alpha=alpha, beta=beta, gamma=BAIRD_GAMMA)
    learner: OnlineTD | GradientTD = plain if method == BAIRD_METHODS[0] else corrected
    project = features @ np.linalg.pinv(features)  # onto what the features can say, all states alike
    kept, errors = np.empty((steps, len(weights))), np.empty(steps)
    state = int(rng.integers(_N_BAIRD))
    for step in range(steps):
        solid = rng.random() < 1.0 / _N_BAIRD
        after = 6 if solid else int(rng.integers(6))
        learner.step(features[state], 0.0, features[after], 7.0 if solid else 0.0)
        state = after
        kept[step] = weights
        values = features @ weights
        errors[step] = np.sqrt(((project @ (BAIRD_GAMMA * values[6] - values)) ** 2).mean())
    return kept, errors
