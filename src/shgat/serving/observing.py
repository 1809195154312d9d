"""What a ranker did, told to whoever watches it: each answer with its stages, each execution, each write to the store."""

import threading
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from .. import _fork

_KEPT = 4096
STAGES = ("encode", "rank", "arrange", "record")


class Answered(NamedTuple):
    """One answer.

    Attributes
    ----------
    by : what ranked: "model", "words", "cosine", "lexical" or "catalogue"
    version : name of the version that answered
    degraded : was anything wrong?
    seconds : that it took
    encode, rank, arrange, record : seconds of its stages: from text to vector; ranking; rules, exploration and the order of the session; the
        decision on its way to the store
    """

    by: str
    version: str
    degraded: bool
    seconds: float
    encode: float
    rank: float
    arrange: float
    record: float


class Executed(NamedTuple):
    """One execution that feedback told of.

    Attributes
    ----------
    outcome : from 0, failed, to 1, worked
    seconds : that it took, None where nobody said
    """

    outcome: float
    seconds: float | None


Listener = Callable[[Answered | Executed], object]


class Observations:
    """Counts answers, keeps the latest 4096 durations, and tells listeners of everything.

    Attributes
    ----------
    answers : "all" of them, and those that were "degraded"
    """

    def __init__(self) -> None:
        self._seconds = np.zeros(_KEPT, np.float64)
        self._lock = threading.Lock()
        self._listeners: tuple[Listener, ...] = ()
        self.answers = {"all": 0, "degraded": 0}
        _fork.renew(self)

    def after_fork(self) -> None:
        """A thread of the parent may have held the lock."""
        self._lock = threading.Lock()

    def listen(self, listener: Listener) -> None:
        """Calls it with everything from now on, in the thread that answers: it must be quick, and must not raise."""
        self._listeners = (*self._listeners, listener)

    def answered(self, answer: Answered) -> None:
        with self._lock:
            self._seconds[self.answers["all"] % _KEPT] = answer.seconds
            self.answers["all"] += 1
            self.answers["degraded"] += answer.degraded
        for listener in self._listeners:
            listener(answer)

    def executed(self, outcome: float, seconds: float | None) -> None:
        told = Executed(outcome, seconds)
        for listener in self._listeners:
            listener(told)

    def percentiles(self) -> dict[str, float]:
        """p50 and p99 of answers in milliseconds; empty before the first answer."""
        known = self._seconds[: min(self.answers["all"], _KEPT)]
        if not len(known):
            return {}
        p50, p99 = np.percentile(known, (50, 99)).tolist()
        return {"p50": 1000 * p50, "p99": 1000 * p99}
