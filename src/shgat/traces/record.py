"""A trace: what was executed for an intent, and how it went."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from .. import _ids
from .._check import moment, number, storable_text, storable_texts, vector
from .._types import Float32
from ..errors import InputError, TraceError

_LARGEST = 1e15  # of milliseconds and priorities
_RANGES = {"outcome": (0.0, 1.0), "weight": (0.0, 1e6), "duration_ms": (0.0, _LARGEST), "priority": (0.0, _LARGEST)}


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
    seq : its number in the store, 0 while it is in none
    encoder : what made the embedding, "" where nobody said; a store has one for all
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

    def __post_init__(self) -> None:
        try:
            self._check()
        except InputError as error:
            raise TraceError(str(error)) from None

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
        values = {name: record[name] for name in (*COLUMNS, "embedding", "encoder") if name in record}
        return cls(**{name: value for name, value in values.items() if value is not None or name not in _NULL_IS_ABSENT})

    @property
    def succeeded(self) -> bool:
        """Did it work rather than fail?"""
        return self.outcome >= SUCCESS

    def _check(self) -> None:
        storable_text(self.id, "the id of a trace")
        what = f"trace {self.id!r}"
        for name in ("intent", "encoder"):
            if getattr(self, name) != "":
                storable_text(getattr(self, name), f"{what}: {name}")
        for name in ("capability", "decision_id", "parent_id", "error"):
            if getattr(self, name) is not None:
                storable_text(getattr(self, name), f"{what}: {name}")
        checked: dict[str, Any] = {}
        for name in ("tools", "context_tools"):
            checked[name] = storable_texts(getattr(self, name), f"{what}: {name}")
        for name, (low, high) in _RANGES.items():
            value = getattr(self, name)
            if value is not None or name in ("outcome", "weight"):
                checked[name] = number(value, low, high, f"{what}: {name}")
        if self.timestamp is not None:
            checked["timestamp"] = moment(self.timestamp, f"{what}: timestamp")
        if self.embedding is not None:
            checked["embedding"] = vector(self.embedding, None, f"{what}: embedding")
        vars(self).update(checked)  # it is frozen for everybody else


def of_dimension(trace: Trace, dimension: int | None) -> Trace | TraceError:
    """The trace, or the error that its embedding is of another dimension; None: any will do."""
    if dimension is None or trace.embedding is None or len(trace.embedding) == dimension:
        return trace
    return TraceError(f"trace {trace.id!r}: embedding has {len(trace.embedding)} dimensions, expected {dimension}")


SUCCESS = 0.5  # the least outcome of an execution that worked rather than failed
COLUMNS = tuple(
    f.name for f in fields(Trace) if f.name not in ("embedding", "seq", "encoder")
)  # of a file; the embedding stands apart
_NULL_IS_ABSENT = ("intent", "context_tools", "encoder")
