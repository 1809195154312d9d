"""Lambda-returns, forward view: what the steps after each step say it is worth.

    delta_t = r_t + gamma_t v_{t+1} - q_t
    G_t     = q_t + sum_{k >= t} (prod_{t < i <= k} gamma_{i-1} c_i) delta_k

gamma_t is gamma, and 0 where a session ended of itself (terminal). Where it was only cut off (truncated), nothing is known of what its
last step led to: that step has no error of its own, and the one before builds on its value.

    rule                          v_{t+1}                      c_i
    SARSA(lambda)                 q_{t+1}                      lambda
    expected SARSA(lambda)        sum_a pi(a) q(s_{t+1}, a)    lambda
    clipped                       the same                     lambda min(clip, rho_i)
    Retrace (Munos et al., 2016)  the same                     lambda min(1, rho_i)

rho_i = pi(a_i) / mu(a_i), mu the logged propensity. V-trace (Espeholt et al., 2018) corrects the values of
states, v_t = sum_a pi(a) q(s_t, a):

    V_t = v_t + sum_{k >= t} (prod_{t <= i < k} gamma_i c_i) rho'_k (r_k + gamma_k v_{k+1} - v_k)
    rho' = min(clip, rho),   c = lambda min(1, rho)
    G_t = r_t + gamma_t V_{t+1}
"""

from dataclasses import dataclass

import numpy as np

from .._kernels import value
from .._types import Bool, Float64, Int64
from .config import TDConfig


@dataclass(frozen=True, eq=False)
class Ends:
    """Where sequences of steps end, and how.

    Attributes
    ----------
    last : (n,) is it the last step of its sequence
    known : (n,) is it known what it led to; false for the last step of a truncated sequence
    """

    last: Bool
    known: Bool

    @classmethod
    def of(cls, indptr: Int64, terminal: Bool) -> "Ends":
        """Of sequences (m,) with their steps from indptr[i] to indptr[i + 1] that are terminal or truncated."""
        last = np.zeros(int(indptr[-1]), np.bool_)
        known = np.ones(int(indptr[-1]), np.bool_)
        some = np.diff(indptr) > 0
        last[indptr[1:][some] - 1] = True
        known[indptr[1:][some] - 1] = terminal[some]
        return cls(last, known)

    def following(self, values: Float64) -> Float64:
        """(n,) the value of the next step, 0 after the last."""
        after = np.append(values[1:], 0.0)
        return np.asarray(np.where(self.last, 0.0, after))


def accumulated(errors: Float64, carry: Float64) -> Float64:
    """(n,) sum of the errors from each step on, each weighted by the product of `carry` on its way; carry is 0 at ends."""
    out = np.empty(len(errors))
    value.accumulate(np.ascontiguousarray(errors), np.ascontiguousarray(carry), out)
    return out


def lambda_returns(rewards: Float64, q: Float64, following: Float64, gamma: Float64, coefficient: Float64, ends: Ends) -> Float64:
    """(n,) G_t.

    Parameters
    ----------
    rewards, q, following : (n,) r_t, q_t and v_{t+1}
    gamma : (n,) discounts; any number at ends
    coefficient : (n,) c_i of each step; that of a sequence's first step is not used
    """
    carry = np.where(ends.last, 0.0, gamma * np.append(coefficient[1:], 0.0))
    return q + accumulated(errors(rewards, q, following, gamma, ends), carry)


def errors(rewards: Float64, q: Float64, following: Float64, gamma: Float64, ends: Ends) -> Float64:
    """(n,) delta_t, 0 where it is not known what a step led to."""
    return np.asarray(np.where(ends.known, rewards + np.where(ends.last, 0.0, gamma * following) - q, 0.0))


def targets(config: TDConfig, rewards: Float64, q: Float64, expected: Float64, rho: Float64, ends: Ends) -> Float64:
    """(n,) what `config` lets each value be drawn to.

    Parameters
    ----------
    rewards, q : (n,)
    expected : (n,) mean value under the target policy where each step begins; of "sarsa" not used
    rho : (n,) pi / mu of each step; of "sarsa" not used
    """
    gamma = np.full(len(q), config.gamma)
    if config.rule == "sarsa":
        return lambda_returns(rewards, q, ends.following(q), gamma, np.full(len(q), config.lam), ends)
    if config.correction == "v-trace":
        return _v_trace(config, rewards, q, expected, rho, ends)
    return lambda_returns(rewards, q, ends.following(expected), gamma, config.lam * _cut(config, rho), ends)


def _cut(config: TDConfig, rho: Float64) -> Float64:
    if config.correction == "none":
        return np.ones_like(rho)
    return np.minimum(rho, 1.0 if config.correction == "retrace" else config.ratio_clip)


def _v_trace(config: TDConfig, rewards: Float64, q: Float64, expected: Float64, rho: Float64, ends: Ends) -> Float64:
    gamma = np.full(len(q), config.gamma)
    error = np.minimum(rho, config.ratio_clip) * errors(rewards, expected, ends.following(expected), gamma, ends)
    carry = np.where(ends.last, 0.0, config.gamma * config.lam * np.minimum(rho, 1.0))
    corrected = expected + accumulated(error, carry)
    return np.asarray(np.where(ends.known, rewards + config.gamma * ends.following(corrected), q))
