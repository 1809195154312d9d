"""Traces of one set of tools that are a great part of all: a habit, or a client that always names the same."""

from collections.abc import Sequence

import numpy as np

from .._types import Bool, Int64
from ..metrics.gate import compare
from ..metrics.ranking import criterion, per_query
from ..traces import Traces
from .selection import Candidate

MOST = 0.25  # of the traces, for one set of tools


def alike(traces: Traces) -> Int64:
    """(N,) how many traces ran the same tools."""
    kinds = traces.tools.kinds
    return np.asarray(np.bincount(kinds)[kinds], np.int64)


def dominated(traces: Traces) -> Bool:
    """(N,) are the trace's tools those of more than a quarter of all?"""
    return np.asarray(alike(traces) > MOST * len(traces))


def without(folds: Sequence[tuple[Int64, Int64]], left_out: Bool) -> list[tuple[Int64, Int64]]:
    """Folds without some traces, (N,), in the same order."""
    return [(training[~left_out[training]], held[~left_out[held]]) for training, held in folds]


def cost(whole: Candidate, alone: Candidate, shared: Bool, rng: np.random.Generator) -> str:
    """What the other traces lose by those that dominate, "" where nobody can tell.

    Parameters
    ----------
    whole, alone : the same variant, trained with them and without
    shared : (N,) which held-out intents of `whole` are those of `alone`, in the same order
    """
    ours, theirs = (criterion(per_query(c.fusion.combine(c.held.scores, c.held.unseen), c.held.wanted)) for c in (whole, alone))
    test = compare("without them", "other", ours[shared], theirs, rng)
    return "" if test is None or test.high >= 0.0 else f"{test.ours:.3f} against {test.theirs:.3f} on {test.n} other intents"
