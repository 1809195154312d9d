"""A trace: what was executed for an intent, and how it went."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from .._check import Floats, number, storable_text, storable_texts, vector
from ..errors import InputError, TraceError

_LARGEST = 1e15  # of milliseconds, seconds and priorities


@dataclass(frozen=True, eq=False, kw_only=True)
class Trace:
    """One execution. Checked at construction.

    Attributes
    ----------
    intent : what was asked for
    embedding : (d,) float32 of the intent, or None
    tools : ids of the executed tools, in order
    capability : id of the executed capability, or None
    context_tools : ids of the tools that were at hand when the intent was ranked
    outcome : 0 (failed) to 1 (worked)
    duration_ms, error : milliseconds and message, or None
    decision_id : the decision this is the feedback to, or None; a decision has one trace
    parent_id : the trace this is a step of, or None; it may arrive later
    created_at : seconds since the epoch; None: when it is stored
    priority : worth of a replay; None until it has been trained on
    seq : its number in the store, 0 while it is in none
    """

    intent: str
    tools: tuple[str, ...] = ()
    outcome: float = 1.0
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    embedding: Floats | None = None
    capability: str | None = None
    context_tools: tuple[str, ...] = ()
    duration_ms: float | None = None
    error: str | None = None
    decision_id: str | None = None
    parent_id: str | None = None
    created_at: float | None = None
    priority: float | None = None
    seq: int = 0

    def __post_init__(self) -> None:
        try:
            self._check()
        except InputError as error:
            raise TraceError(str(error)) from None

    def _check(self) -> None:
        storable_text(self.id, "the id of a trace")
        what = f"trace {self.id!r}"
        storable_text(self.intent, f"{what}: intent")
        for name in ("capability", "decision_id", "parent_id", "error"):
            if getattr(self, name) is not None:
                storable_text(getattr(self, name), f"{what}: {name}")
        for name in ("tools", "context_tools"):
            object.__setattr__(self, name, storable_texts(getattr(self, name), f"{what}: {name}"))
        object.__setattr__(self, "outcome", number(self.outcome, 0.0, 1.0, f"{what}: outcome"))
        for name, low in (("duration_ms", 0.0), ("created_at", -_LARGEST), ("priority", 0.0)):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, number(getattr(self, name), low, _LARGEST, f"{what}: {name}"))
        if self.embedding is not None:
            object.__setattr__(self, "embedding", vector(self.embedding, np.size(self.embedding), f"{what}: embedding"))


@dataclass(frozen=True, eq=False)
class TraceBatch:
    """Traces as columns.

    Attributes
    ----------
    seqs : (n,) int64
    embeddings : (n, d) float32, zeros where `embedded` (n,) is false
    outcomes : (n,) float32
    priorities : (n,) float64, infinity for a trace that has not been trained on
    """

    seqs: npt.NDArray[np.int64]
    ids: list[str]
    intents: list[str]
    embeddings: npt.NDArray[np.float32]
    embedded: npt.NDArray[np.bool_]
    tools: list[tuple[str, ...]]
    capabilities: list[str | None]
    context_tools: list[tuple[str, ...]]
    outcomes: npt.NDArray[np.float32]
    priorities: npt.NDArray[np.float64]

    @classmethod
    def of(cls, traces: Sequence[Trace], dimension: int) -> "TraceBatch":
        """The columns of some traces."""
        embeddings = np.zeros((len(traces), dimension), np.float32)
        for row, trace in enumerate(traces):
            if trace.embedding is not None:
                embeddings[row] = trace.embedding
        return cls(
            seqs=np.array([t.seq for t in traces], np.int64),
            ids=[t.id for t in traces],
            intents=[t.intent for t in traces],
            embeddings=embeddings,
            embedded=np.array([t.embedding is not None for t in traces], np.bool_),
            tools=[t.tools for t in traces],
            capabilities=[t.capability for t in traces],
            context_tools=[t.context_tools for t in traces],
            outcomes=np.array([t.outcome for t in traces], np.float32),
            priorities=np.array([np.inf if t.priority is None else t.priority for t in traces], np.float64),
        )

    def __len__(self) -> int:
        return len(self.ids)
