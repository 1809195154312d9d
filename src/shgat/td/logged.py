"""From logged sessions and their reward to episodes."""

import numpy as np

from .._types import Bool
from ..graph import Incidence
from ..traces.reward import Reward
from ..traces.session_columns import Sessions
from .episodes import Episodes, Path


def episodes_of(sessions: Sessions, reward: Reward, n_tools: int, *, ids_alone: bool = False) -> Episodes:
    """The steps of sessions over a catalogue of n_tools tools.

    What is not known of something that was used counts as in a request that does not say it: it worked, and took no time. A step of which
    nobody said what it was offered could choose from all tools; what it ran counts as offered.

    Parameters
    ----------
    ids_alone : states hold what was used, and not how that went: as a request says it
    """
    known = np.isfinite(sessions.propensity).all()
    return Episodes(
        sessions.indptr,
        sessions.intents,
        sessions.intent,
        sessions.chosen,
        reward.of(sessions),
        np.nan_to_num(sessions.outcome.astype(np.float64), nan=1.0),
        np.nan_to_num(sessions.duration_ms) / 1000.0,
        sessions.terminal,
        sessions.propensity if known else None,
        _offered(sessions, n_tools),
        _path(sessions, ids_alone),
    )


def judging(sessions: Sessions) -> Bool:
    """(S,) does every step of a session say with what propensity its tool was chosen, and that it was offered?"""
    rows = sessions.offered
    offered = np.zeros(sessions.n_steps, np.bool_)
    offered[rows.row_of_entry[rows.indices == sessions.chosen[rows.row_of_entry]]] = True
    good = np.isfinite(sessions.propensity) & offered
    found = np.ones(len(sessions), np.bool_)
    np.logical_and.at(found, sessions.session, good)
    return found


def _path(sessions: Sessions, ids_alone: bool) -> Path:
    lengths = np.array([len(session.path) for session in sessions.sessions], np.int64)
    indptr = np.concatenate([[0], np.cumsum(lengths)])
    start = sessions.begin[sessions.indptr[:-1]]
    rows = np.arange(indptr[-1]) - np.repeat(indptr[:-1] - start, lengths)
    by = np.repeat(indptr[:-1] - start, np.diff(sessions.indptr))
    seconds = np.zeros(int(indptr[-1]))
    np.add.at(seconds, sessions.until + by, np.nan_to_num(sessions.duration_ms) / 1000.0)  # a step stands after what it had before
    if ids_alone:
        seconds[:] = 0.0
    outcomes = np.ones(len(rows)) if ids_alone else np.nan_to_num(sessions.went[rows].astype(np.float64), nan=1.0)
    return Path(indptr, sessions.path[rows], outcomes, seconds, sessions.begin + by, sessions.until + by)


def _offered(sessions: Sessions, n_tools: int) -> Incidence | None:
    said = sessions.offered
    if not said.nnz:
        return None
    every = range(n_tools)
    return Incidence.from_rows(
        {*said.row(t).tolist(), int(chosen)} if said.degrees[t] else every for t, chosen in enumerate(sessions.chosen.tolist())
    )
