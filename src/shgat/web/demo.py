"""Visitors of a demonstration: they ask what the sample's traces ask, run what those ran, and say how it went."""

import logging
import threading
from collections.abc import Callable, Sequence

import numpy as np

from ..errors import ShgatError
from ..serving import Ranker
from ..traces import Trace
from .learned import Curve

_log = logging.getLogger("shgat.web")
PER_SECOND = 4.0


class Visitors:
    """A thread that asks a ranker from time to time, as a gateway would: with embedding and text, and feedback afterwards.

    Parameters
    ----------
    traces : what is asked and run, in turn, again from the start at the end
    """

    def __init__(self, ranker: Ranker, curve: Curve, traces: Sequence[Trace], per_second: float = PER_SECOND) -> None:
        self._ranker, self._curve, self._traces, self._pause = ranker, curve, traces, 1.0 / per_second
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, name="shgat-visitors", daemon=True)

    def __enter__(self) -> "Visitors":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join()

    def visit(self, trace: Trace) -> None:
        """One of them: asks, runs what the trace ran, and tells."""
        answer = self._ranker.rank(trace.embedding, 10, text=trace.intent or None, context_tools=trace.context_tools)
        self._curve.shown(answer)
        self._ranker.feedback(answer.decision_id, tools=trace.tools, outcome=trace.outcome, duration_ms=trace.duration_ms)
        self._curve.executed(answer.decision_id, trace.tools, trace.outcome)

    def _work(self) -> None:
        rng, n = np.random.default_rng(0), 0
        wait: Callable[[], float] = lambda: float(rng.exponential(self._pause))  # noqa: E731
        while not self._ended.wait(wait()):
            try:
                self.visit(self._traces[n % len(self._traces)])
            except ShgatError as error:
                _log.warning("a visitor of the demonstration: %s", error)
            n += 1
