"""Outages: while everything fails, whatever is chosen, a failure tells nothing of the tool that was run.

A failure counts as part of one where, among the 30 executions before it and the 30 after, those of other tools hardly ever work:

    (worked + 1) / (0.5 n + 1) < 0.5,   n executions of at least two other sets of tools

A tool that fails while its neighbours work, or that nobody compares with any other, is judged by its failures.
"""

from typing import TYPE_CHECKING

import numpy as np

from .._types import Bool, Float32, Float64
from ..graph import Incidence
from .record import SUCCESS

if TYPE_CHECKING:
    from .columns import Traces

WINDOW = 30  # executions to either side
OTHERS = 2  # sets of tools, beside the one that failed, that have to fail too
EXPECTED = 0.5  # share of executions that work at any ordinary time, at least


def outage(traces: "Traces") -> Bool:
    """(N,) is the trace a failure in a time when everything failed? In order of time where all traces have one, else as they stand."""
    return failures_of_outages(traces.tools, traces.outcome, traces.timestamp)


def failures_of_outages(tools: Incidence, outcome: Float32, timestamp: Float64) -> Bool:
    """`outage` for tools (N rows), outcomes (N,) and times (N,), NaN where unknown."""
    n = len(outcome)
    found = np.zeros(n, bool)
    failed = outcome < SUCCESS
    if not failed.any():
        return found
    order = np.arange(n) if np.isnan(timestamp).any() else np.argsort(timestamp, kind="stable")
    place = np.empty(n, np.int64)
    place[order] = np.arange(n)
    kinds, worked = tools.kinds[order].tolist(), (~failed[order]).tolist()
    for i in np.flatnonzero(failed).tolist():
        middle = int(place[i])
        around = range(max(0, middle - WINDOW), min(n, middle + WINDOW + 1))
        others = [j for j in around if kinds[j] != kinds[middle]]
        if len({kinds[j] for j in others}) >= OTHERS:
            found[i] = (sum(worked[j] for j in others) + 1.0) / (EXPECTED * len(others) + 1.0) < EXPECTED
    return found
