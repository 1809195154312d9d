"""What a gateway tells about an execution: careless values understood or refused, and a sign of what nobody can learn from."""

import threading
import uuid
from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from typing import Any, TypedDict

import numpy as np

from .. import _check, _fork
from ..errors import InputError
from ..traces.record import ENDS
from .request import identifier, listed, named

LONGEST_ERROR = 1000  # characters of an error's message that are kept
SHOWN_FOR = 600.0  # seconds


class OfStep(TypedDict, total=False):
    """What feedback says of the step that it is in a session, as `shgat.traces.Trace` has it; None: nothing."""

    session: str | int | uuid.UUID | None
    step: int | None
    end: str | None
    rating: float | None


@dataclass(frozen=True)
class Feedback:
    """What was executed after a decision and how it went.

    Attributes
    ----------
    decision_id : of the decision
    capability : its id, or None
    tools : ids of what was run, or None where the capability says it
    outcome : 0 (failed) to 1 (worked)
    error : one message, or None
    of_step : fields of the trace that say which step of which session it is, and what people said of it
    """

    decision_id: str
    capability: str | None
    tools: tuple[str, ...] | None
    outcome: float
    error: str | None
    of_step: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        decision_id: object,
        capability_id: object,
        tools: object,
        outcome: object,
        error: object,
        of_step: OfStep | None = None,
    ) -> "Feedback":
        """From what a gateway has at hand: UUIDs, booleans, and the exception that an execution ended with, as outcome or as error.

        Raises
        ------
        InputError
            for text where a list of tools is expected, ids that are no strings, an outcome outside [0, 1], a rating outside [1, 5], and a
            step or an end that is none.
        """
        if isinstance(outcome, BaseException):
            outcome, error = 0.0, outcome if error is None else error
        if isinstance(outcome, (bool, np.bool_)):
            outcome = float(outcome)
        what = "feedback: "
        return cls(
            decision_id.hex if isinstance(decision_id, uuid.UUID) else _check.text(decision_id, f"{what}decision_id"),
            None if capability_id is None else identifier(capability_id, f"{what}capability_id"),
            None if tools is None else tuple(identifier(t, f"{what}tools[{i}]") for i, t in enumerate(listed(tools, "tools"))),
            _check.number(outcome, 0.0, 1.0, f"{what}outcome"),
            message(error),
            _of_step(of_step or {}),
        )


def _of_step(given: OfStep) -> dict[str, Any]:
    found: dict[str, Any] = {"session": named(given.get("session"), "session")}
    if given.get("step") is not None:
        found["step"] = _check.seed(given["step"], "feedback: step")
    if given.get("end") is not None:
        found["end"] = _check.choice(given["end"], ENDS, "feedback: end")
    if given.get("rating") is not None:
        found["rating"] = _check.number(given["rating"], 1.0, 5.0, "feedback: rating")
    return {name: value for name, value in found.items() if value is not None}


def message(error: object) -> str | None:
    """An error as one message of at most 1000 characters that every store can hold; None where there was none."""
    if error is None or error is False or (isinstance(error, str) and not error):
        return None
    if isinstance(error, BaseException):
        error = f"{type(error).__name__}: {error}"
    if not isinstance(error, str):
        raise InputError(f"feedback: error is a message or an exception, not {type(error).__name__}")
    return error[:LONGEST_ERROR].encode("utf-8", "replace").decode().replace("\0", "\ufffd")


class Unlearnable:
    """Feedback that is kept, but that this catalogue cannot learn from: counted, and named for ten minutes.

    Attributes
    ----------
    count : such feedbacks
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._latest, self._at = "", -np.inf
        self.count = 0
        _fork.renew(self)

    def after_fork(self) -> None:
        """A thread of the parent may have held the lock."""
        self._lock = threading.Lock()

    def look(self, tools: Sequence[str], known: Set[str], now: float) -> str:
        """What is wrong with feedback that ran these tools, "" where nothing is; `now` in seconds."""
        strange = [t for t in tools if t not in known]
        if tools and not strange:
            return ""
        what = f"the catalogue does not know the tool {strange[0]!r:.80}" if strange else "it names no tool"
        with self._lock:
            self.count += 1
            self._latest, self._at = f"feedback that cannot be learned from: {what}", now
            return self._latest

    def trouble(self, now: float) -> str:
        """The latest, and how many there were; "" after ten minutes without any."""
        if not self.count or now - self._at > SHOWN_FOR:
            return ""
        return self._latest + (f" (and {self.count - 1} more since the start)" if self.count > 1 else "")
