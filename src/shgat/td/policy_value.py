"""What a policy would earn in sessions that another one logged: the sequential doubly robust estimate (Jiang and Li, 2016).

    D_t = v_t + rho_t (r_t + gamma D_{t+1} - q_t),   value = mean over sessions of D_0

v_t = sum_a pi(a) q(s_t, a). Unbiased where the propensities are right and sessions came to their end, whatever q is; the better q, the
narrower the interval. q must not have learned from these sessions. Of a session that was cut off, q stands for what would have followed.
"""

from statistics import NormalDist

import numpy as np

from .. import _check
from .._types import Float32, Float64, Int64
from ..errors import InputError
from ..metrics.off_policy import Estimate, effective_sample_size
from ..model.value_network import ValueNetwork
from .episodes import Episodes
from .policy import judged, ratios
from .returns import accumulated


def policy_value(
    network: ValueNetwork, episodes: Episodes, embeddings: Float32, *, gamma: float, epsilon: float = 0.0, confidence: float = 0.95
) -> Estimate:
    """Of the policy that takes the best by the network of what is offered, and with probability epsilon any.

    Raises
    ------
    InputError
        without propensities.
    """
    said = judged(network, episodes, episodes.states(embeddings), network.parts(embeddings), epsilon)
    ratio = ratios(episodes, said.probability)
    return doubly_robust(episodes, said.expected, said.done, ratio, gamma=gamma, confidence=confidence)


def session_values(episodes: Episodes, expected: Float64, q: Float64, ratio: Float64, gamma: float) -> Float64:
    """(n,) D_0 of every session that has a step; arguments as those of `doubly_robust`."""
    ends = episodes.ends
    errors = expected + np.where(ends.known, ratio * (episodes.rewards - q), 0.0)
    carry = np.where(ends.last, 0.0, gamma * ratio)
    return accumulated(errors, carry)[_first(episodes)]


def _first(episodes: Episodes) -> Int64:
    """First step of every session that has one."""
    return episodes.indptr[:-1][np.diff(episodes.indptr) > 0]


def doubly_robust(
    episodes: Episodes, expected: Float64, q: Float64, ratio: Float64, *, gamma: float, confidence: float = 0.95
) -> Estimate:
    """Of any policy.

    Parameters
    ----------
    expected : (n_steps,) v_t
    q : (n_steps,) predicted value of what was done
    ratio : (n_steps,) rho_t = pi / mu of what was done

    Returns
    -------
    Estimate
        its weights are the products of the ratios over each session; sessions without a step are left out.

    Raises
    ------
    InputError
        where no session has a step.
    """
    _check.number(confidence, 1e-6, 1.0 - 1e-6, "confidence")
    if not episodes.n_steps:
        raise InputError("there is no session with a step: nothing says what a policy would earn")
    found = session_values(episodes, expected, q, ratio, gamma)
    weights = np.multiply.reduceat(np.where(episodes.ends.known, ratio, 1.0), _first(episodes))
    n, value = len(found), float(found.mean())
    error = float(found.std(ddof=1)) / n**0.5 if n > 1 else float("inf")
    reach = NormalDist().inv_cdf((1.0 + confidence) / 2.0) * error
    return Estimate(value, error, value - reach, value + reach, effective_sample_size(weights), float(weights.mean()), n)
