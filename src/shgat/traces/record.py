"""A trace: what was executed for an intent, and how it went."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from .. import _ids
from .._check import choice, moment, number, seed, storable_text, storable_texts, vector
from .._types import Float32
from ..errors import InputError, TraceError

_LARGEST = 1e15  # of milliseconds and priorities
_RANGES = {
    "outcome": (0.0, 1.0),
    "weight": (0.0, 1e6),
    "duration_ms": (0.0, _LARGEST),
    "priority": (0.0, _LARGEST),
    "rating": (1.0, 5.0),
    "propensity": (0.0, 1.0),
}
ENDS = ("terminal", "truncated")
LAST_STEP = 2**31 - 1  # that columns hold


@dataclass(frozen=True, eq=False, kw_only=True)
class Trace:
    """One execution. Checked at construction; its fields are the columns of files and of the store.

    Attributes
    ----------
    id : unique among all traces
    intent : text that was asked for, "" where there is none
    tools : ids of the executed tools, in order
    outcome : 0 (failed) to 1 (worked)
    embedding : (d,) float32 of the intent, or None
    capability : id of the executed capability, or None
    context_tools : ids of the tools that the session had used before
    weight : importance in training
    duration_ms, error : milliseconds and message, or None
    decision_id : the decision this is the feedback to, or None; a decision has one trace
    parent_id : the trace this is a step of, or None; it may arrive later
    timestamp : seconds since 1970 (or a datetime, or ISO 8601, which become that); None: when it is stored
    priority : worth of a replay; None until it has been trained on
    principal : who asked for it, a team or a tenant or a person; "" where nobody said
    seq : its number in the store, 0 while it is in none
    encoder : what made the embedding, "" where nobody said; a store has one for all
    session : name of the session that this is a step of, a whole number too, "" where it is of none; those of two principals are two
    step : its number within the session, from 0; None: by the time, and in a store the next one
    end : "terminal" where the session came to its end with this step, "truncated" where it was broken off; "" where it goes on
    rating : what people said of it, 1 (bad) to 5 (good), or None
    offered : ids of the tools that were offered, best first, () where nobody said
    propensity : chance, above 0, with which what ran would be chosen among what was offered, or None
    """

    id: str = field(default_factory=_ids.new)
    intent: str = ""
    tools: tuple[str, ...] = ()
    outcome: float = 1.0
    embedding: Float32 | None = None
    capability: str | None = None
    context_tools: tuple[str, ...] = ()
    weight: float = 1.0
    duration_ms: float | None = None
    error: str | None = None
    decision_id: str | None = None
    parent_id: str | None = None
    timestamp: float | None = None
    priority: float | None = None
    seq: int = 0
    encoder: str = ""
    principal: str = ""
    session: str = ""
    step: int | None = None
    end: str = ""
    rating: float | None = None
    offered: tuple[str, ...] = ()
    propensity: float | None = None

    def __post_init__(self) -> None:
        try:
            self._check()
        except InputError as error:
            found = TraceError(str(error))
            if isinstance(self.session, str) and isinstance(self.principal, str) and self.session:
                found.session = self.principal, self.session
            raise found from None

    @classmethod
    def from_record(cls, record: "Trace | Mapping[str, Any]") -> "Trace":
        """From a mapping with an `id`; fields that are absent, or null where None is allowed, have their defaults, unknown ones are left alone.

        Raises
        ------
        TraceError
            for a record without an id, and for a value that a trace cannot have.
        """
        if isinstance(record, Trace):
            return record
        if not isinstance(record, Mapping):
            raise TraceError(f"a trace is a record, not {type(record).__name__}")
        if record.get("id") is None:
            raise TraceError("a trace has an id")
        values = {name: record[name] for name in (*COLUMNS, *SAID, "embedding") if name in record}
        return cls(**{name: value for name, value in values.items() if value is not None or name not in _NULL_IS_ABSENT})

    @property
    def succeeded(self) -> bool:
        """Did it work rather than fail?"""
        return self.outcome >= SUCCESS

    def _check(self) -> None:
        storable_text(self.id, "the id of a trace")
        if isinstance(self.session, int) and not isinstance(self.session, bool):
            vars(self)["session"] = str(self.session)
        what = f"trace {self.id!r}"
        if self.session:
            what += f" (session {self.session!r:.100}" + ("" if self.step is None else f", step {self.step!r:.20}") + ")"
        for name in ("intent", "encoder", "principal", "session"):
            if getattr(self, name) != "":
                storable_text(getattr(self, name), f"{what}: {name}")
        for name in ("capability", "decision_id", "parent_id", "error"):
            if getattr(self, name) is not None:
                storable_text(getattr(self, name), f"{what}: {name}")
        checked: dict[str, Any] = {}
        for name in ("tools", "context_tools", "offered"):
            checked[name] = storable_texts(getattr(self, name), f"{what}: {name}")
        for name, (low, high) in _RANGES.items():
            value = getattr(self, name)
            if value is not None or name in ("outcome", "weight"):
                checked[name] = number(value, low, high, f"{what}: {name}")
        self._check_step(checked, what)
        if self.timestamp is not None:
            checked["timestamp"] = moment(self.timestamp, f"{what}: timestamp")
        if self.embedding is not None:
            checked["embedding"] = vector(self.embedding, None, f"{what}: embedding")
        vars(self).update(checked)  # it is frozen for everybody else

    def _check_step(self, checked: dict[str, Any], what: str) -> None:
        """What it is in its session; `checked` has the numbers that lie in their range."""
        if self.step is not None:
            checked["step"] = seed(self.step, f"{what}: step")
            if checked["step"] > LAST_STEP:
                raise InputError(f"{what}: step is at most {LAST_STEP}, not {checked['step']}")
        if self.end != "":
            choice(self.end, ENDS, f"{what}: end")
        if checked.get("propensity") == 0.0:
            raise InputError(f"{what}: propensity is above 0: what ran could be chosen; leave it out where nobody knows it")


def of_dimension(trace: Trace | TraceError, dimension: int | None) -> Trace | TraceError:
    """The trace, or the error that its embedding is of another dimension; None: any will do. An error stays as it is."""
    if isinstance(trace, TraceError) or dimension is None or trace.embedding is None or len(trace.embedding) == dimension:
        return trace
    return TraceError(f"trace {trace.id!r}: embedding has {len(trace.embedding)} dimensions, expected {dimension}")


SUCCESS = 0.5  # the least outcome of an execution that worked rather than failed
OF_A_STEP = ("session", "step", "end", "rating", "offered", "propensity")
SAID = ("encoder", "principal", *OF_A_STEP)  # of a file too, where they say something
COLUMNS = tuple(f.name for f in fields(Trace) if f.name not in ("embedding", "seq", *SAID))  # of a file; the embedding stands apart
_NULL_IS_ABSENT = ("intent", "context_tools", *SAID)


def said(trace: Trace) -> dict[str, Any]:
    """Those of `SAID` that say something."""
    return {name: value for name in SAID if (value := getattr(trace, name)) not in ("", None, ())}
