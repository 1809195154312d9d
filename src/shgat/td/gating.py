"""Are values worth acting on? What sessions bring that are led by them, against what they bring without, on held-out sessions.

Both are doubly robust estimates over the same sessions, compared by the one gate.
"""

from dataclasses import dataclass

import numpy as np

from .._types import Float32, Int32
from ..errors import InputError
from ..metrics.gate import CONFIDENCE, Comparison, compare
from ..metrics.off_policy_sessions import session_values
from ..model.value_network import ValueNetwork
from .episodes import Episodes
from .policy_value import logged, seen_by

LEAST = 30  # sessions; an interval of fewer is none
AGAINST = "without values"


@dataclass(frozen=True, slots=True)
class ValueVerdict:
    """May values lead?

    Attributes
    ----------
    passed : is the whole interval of the difference above 0
    reason : in one sentence, with the figures
    comparison : means per session and the interval of their difference; None for too few sessions
    """

    passed: bool
    reason: str
    comparison: Comparison | None


def worth_it(
    network: ValueNetwork,
    episodes: Episodes,
    embeddings: Float32,
    ours: Int32,
    theirs: Int32,
    rng: np.random.Generator,
    *,
    gamma: float,
    epsilon: float = 0.05,
    confidence: float = CONFIDENCE,
) -> ValueVerdict:
    """By sessions that `network` has not learned from.

    Parameters
    ----------
    network : predicts values in the estimate; it favours nobody, whatever it predicts
    ours, theirs : (n_steps,) row of the tool that stands first with values and without them
    epsilon : share of steps in which either takes any of what was offered: the estimate has to be able to see what was logged
    confidence : of the interval

    Raises
    ------
    InputError
        without propensities.
    """
    if len(ours) != episodes.n_steps or len(theirs) != episodes.n_steps:
        raise InputError(f"there are {episodes.n_steps} steps, and {len(ours)} and {len(theirs)} choices")
    n = int((np.diff(episodes.indptr) > 0).sum())
    if n < LEAST:
        return ValueVerdict(
            False, f"{n} held-out sessions are too few to say whether values help, at least {LEAST} are needed", None
        )
    mine, without = (
        session_values(logged(episodes, seen_by(network, episodes, embeddings, epsilon, greedy)), gamma=gamma)
        for greedy in (ours, theirs)
    )
    found = compare(AGAINST, "all", mine, without, rng, confidence)
    assert found is not None
    passed = found.low > 0.0
    what = "bring more" if passed else "are not shown to bring more"
    figures = f"{found.ours:.3f} against {found.theirs:.3f} a session, difference [{found.low:.3f}, {found.high:.3f}], {n} sessions"
    return ValueVerdict(passed, f"values {what} than the ranking without them: {figures}", found)
