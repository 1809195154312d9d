"""The target policy: the best of what is offered, and with probability epsilon any of it."""

from dataclasses import dataclass

import numpy as np

from .._types import Bool, Float32, Float64, Int32, Int64
from ..errors import InputError
from ..graph import Incidence
from ..model.value_network import ValueNetwork
from .episodes import Episodes


@dataclass(frozen=True, eq=False)
class Judged:
    """What the network and the policy say of each step.

    Attributes
    ----------
    done : (n,) value of what was done
    expected : (n,) mean value of what was offered, under the policy
    probability : (n,) with which the policy would have done what was done
    greedy : (n,) row of the best tool
    """

    done: Float64
    expected: Float64
    probability: Float64
    greedy: Int32


def judged(
    network: ValueNetwork, episodes: Episodes, states: Float32, parts: Float32, epsilon: float, greedy: Int32 | None = None
) -> Judged:
    """Of every step.

    Parameters
    ----------
    states, parts : (n, s) before each step, and (n_tools, h1) of all tools
    epsilon : of the policy
    greedy : (n,) rows of what the policy takes for the best, another ranker's say; None: the best by the network
    """
    rows = _offered(episodes, len(parts))
    q = network.activations(network.base(states), rows.row_of_entry, parts, rows.indices).q.astype(np.float64)
    if not episodes.n_steps:
        return Judged(q, q, q, rows.indices)
    if greedy is None:
        best = np.maximum.reduceat(q, rows.indptr[:-1])
        greedy = rows.indices[_first(rows, q == best[rows.row_of_entry])]
    else:
        best = q[_first(rows, rows.indices == greedy[rows.row_of_entry])]
    done = q[_first(rows, rows.indices == episodes.actions[rows.row_of_entry])]
    mean = np.add.reduceat(q, rows.indptr[:-1]) / rows.degrees
    probability = epsilon / rows.degrees + (1.0 - epsilon) * (greedy == episodes.actions)
    return Judged(done, (1.0 - epsilon) * best + epsilon * mean, probability, greedy)


def _offered(episodes: Episodes, n_tools: int) -> Incidence:
    """What each step could choose from, at least one tool."""
    rows, n = episodes.offered, episodes.n_steps
    if rows is None:
        return Incidence(np.arange(n + 1, dtype=np.int32) * n_tools, np.tile(np.arange(n_tools, dtype=np.int32), n))
    if (rows.degrees == 0).any():
        raise InputError(f"step {int((rows.degrees == 0).argmax())} of the sessions was offered nothing")
    return rows


def _first(rows: Incidence, mask: Bool) -> Int64:
    """(n_rows,) the first entry of each row of which the mask says yes; InputError where there is none."""
    found = np.flatnonzero(mask)
    row, where = np.unique(rows.row_of_entry[found], return_index=True)
    if len(row) < rows.n_rows:
        raise InputError(
            f"step {int(np.setdiff1d(np.arange(rows.n_rows), row)[0])} of the sessions was not offered what is chosen in it"
        )
    return found[where]


def ratios(episodes: Episodes, probability: Float64) -> Float64:
    """(n,) pi / mu of what was done; InputError where nobody knows the propensities."""
    if episodes.propensity is None:
        raise InputError(
            "a correction needs the logged propensity of every step; without them take the correction none, or the rule sarsa"
        )
    return np.asarray(probability / episodes.propensity)
