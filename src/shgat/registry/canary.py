"""A canary: which sessions it answers, and when it has to go."""

import hashlib
import threading
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

from .. import _check, _fork
from ..errors import InputError
from ..metrics.sequential import HarmTest

ALPHA = {"success rate": 0.04, "error rate": 0.005, "p99 latency": 0.005}  # 0.05 together
_FIRST = 500  # answers of production whose p99 is what the canary's are held against
_FOREVER = 1e11  # seconds


@dataclass(frozen=True, kw_only=True)
class Terms:
    """Under which terms a canary serves.

    Attributes
    ----------
    percent : of the sessions, above 0 and at most 50
    until : seconds since the epoch when it ends by itself
    harm : the loss in success rate that is looked for first; a larger one is found sooner, a smaller one later
    p99_latency_ratio : how much slower its slowest answers may be
    """

    percent: float = 5.0
    until: float = _FOREVER
    harm: float = 0.02
    p99_latency_ratio: float = 1.2

    def __post_init__(self) -> None:
        _check.number(self.percent, 0.1, 50.0, "canary: percent")
        _check.number(self.until, 0.0, _FOREVER, "canary: until")
        _check.number(self.harm, 1e-3, 0.5, "canary: harm")
        _check.number(self.p99_latency_ratio, 1.0, 1e3, "canary: p99_latency_ratio")

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """The inverse; what is missing has its default."""
        unknown = values.keys() - cls.__dataclass_fields__.keys()
        if unknown:
            raise InputError(f"a canary has no term {min(unknown)!r}")
        return cls(**values)


def answers(key: str, version: int, percent: float) -> bool:
    """Does a canary answer a session? The same in every process and at every time; another version has other sessions.

    Parameters
    ----------
    key : of the session
    percent : of all sessions; one that is answered at 5 is also answered at 10
    """
    digest = hashlib.blake2b(f"{version} {key}".encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big") < percent / 100.0 * 2.0**64


class Watch:
    """What is known of a canary beside production, from the answers of this process; constant in memory.

    A canary is worse where a sequential test says so of its success rate, of the share of its answers that fell back to something else than the
    model, or of the share that is slower than production's p99, times what is allowed. An equal one is called worse with probability 0.05
    at most, however long and however often one looks.
    """

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        m = max(1, int((100.0 - terms.percent) / terms.percent))
        harm = {"success rate": terms.harm, "error rate": 0.01, "p99 latency": 0.02}
        self._tests = {name: HarmTest(m, harm[name]) for name in ALPHA}
        self._first: list[float] = []
        self._limit = 0.0  # seconds, 0 while it is not known
        self._n = [0, 0]
        self._lock = threading.Lock()
        _fork.renew(self)

    def after_fork(self) -> None:
        """A thread of the parent may have held the lock."""
        self._lock = threading.Lock()

    def answered(self, canary: bool, seconds: float, failed: bool) -> None:
        """An answer went out."""
        with self._lock:
            self._n[canary] += 1
            self._tests["error rate"].add(canary, 0.0 if failed else 1.0)
            if self._limit:
                self._tests["p99 latency"].add(canary, float(seconds <= self._limit))
            elif not canary:
                self._first.append(seconds)
                if len(self._first) >= _FIRST:
                    self._limit = self.terms.p99_latency_ratio * float(np.quantile(self._first, 0.99))
                    self._first.clear()

    def executed(self, canary: bool, outcome: float) -> None:
        """Feedback to an answer came in: 0 (failed) to 1 (worked)."""
        with self._lock:
            self._tests["success rate"].add(canary, outcome)

    def harm(self) -> str:
        """In what the canary is worse than production, "" while nothing says so."""
        with self._lock:
            return ", ".join(name for name, test in self._tests.items() if test.p_value <= ALPHA[name])

    def figures(self) -> dict[str, Any]:
        """As JSON values."""
        with self._lock:
            tests = {
                name: {"p_value": t.p_value, "difference": t.difference if t.blocks else None, "outcomes": t.blocks}
                for name, t in self._tests.items()
            }
            return {"answers": {"production": self._n[0], "canary": self._n[1]}, **tests}
