"""What a policy that is led by values would earn in sessions that another one logged.

The estimate is `shgat.metrics.off_policy_sessions.sequential_doubly_robust`; predictions are the network's, which must not have learned from
these sessions. Of a session that was cut off nobody knows what its last step led to: the network's value stands for it.
"""

import numpy as np

from .._types import Float32, Int32
from ..metrics.off_policy import Estimate
from ..metrics.off_policy_sessions import LoggedSessions, sequential_doubly_robust
from ..model.value_network import ValueNetwork
from .episodes import Episodes
from .policy import Judged, judged, ratios


def policy_value(
    network: ValueNetwork, episodes: Episodes, embeddings: Float32, *, gamma: float, epsilon: float = 0.0, confidence: float = 0.95
) -> Estimate:
    """Of the policy that takes the best by the network of what is offered, and with probability epsilon any.

    Raises
    ------
    InputError
        without propensities, and without a session that has a step.
    """
    log = logged(episodes, seen_by(network, episodes, embeddings, epsilon))
    return sequential_doubly_robust(log, gamma=gamma, confidence=confidence)


def seen_by(network: ValueNetwork, episodes: Episodes, embeddings: Float32, epsilon: float, greedy: Int32 | None = None) -> Judged:
    """What the network says of each step, under the policy that takes `greedy` (n_steps,), None: the best by the network."""
    return judged(network, episodes, episodes.states(embeddings), network.parts(embeddings), epsilon, greedy)


def logged(episodes: Episodes, said: Judged) -> LoggedSessions:
    """The sessions that have a step, as the estimate takes them."""
    ratios(episodes, said.probability)  # are there propensities?
    assert episodes.propensity is not None
    some = np.flatnonzero(np.diff(episodes.indptr) > 0)
    done = np.where(episodes.ends.known, said.done, episodes.rewards)  # where nothing is known nothing is corrected
    return LoggedSessions(
        [str(i) for i in some.tolist()],
        np.append(episodes.indptr[some], episodes.n_steps),
        episodes.propensity,
        episodes.rewards,
        said.probability,
        done,
        said.expected,
        np.zeros(len(some)),
    )
