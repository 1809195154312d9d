"""Sessions in columns of a catalogue: what learning and evaluation over sessions compute on."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _check
from .._types import Bool, Float32, Float64, Int32, Int64
from ..errors import TraceError
from ..graph import Catalog, Incidence
from ..graph.space import comparable
from .columns import Texts, Traces
from .files import read_traces
from .gathering import Fault, Faults, sessions_of
from .record import Trace
from .sessions import End, Session, Step


@dataclass(frozen=True, eq=False)
class Sessions:
    """S sessions of T steps, one after another, over the tools of one catalogue. Arrays of steps have T entries.

    Attributes
    ----------
    sessions : S of them
    indptr : (S + 1,) int64, the steps of session i are indptr[i] to indptr[i + 1]
    terminal : (S,) did it come to its end? Else it was broken off
    intents : (N, d) float32, one row a trace
    intent : (T,) int32 row of `intents`
    chosen : (T,) int32 column of the tool that was run
    succeeded : (T,) did its trace work?
    outcome : (T,) float32, NaN before the last tool of a trace
    duration_ms, rating, propensity, timestamp : (T,) float64, NaN where unknown; durations and ratings before the last tool of a trace too
    weight : (T,) float32, importance
    offered : (T rows) -> columns of what was offered; empty where nobody said
    path : (P,) int32 columns of all tools that sessions used, in order, with `went`, (P,) float32, NaN where unknown
    begin, until : (T,) int64: path[begin : until] was used before the step, the latest last
    skipped : faults of sessions that were left out
    without : traces of no session
    """

    sessions: Sequence[Session]
    indptr: Int64
    terminal: Bool
    intents: Float32
    intent: Int32
    chosen: Int32
    succeeded: Bool
    outcome: Float32
    duration_ms: Float64
    rating: Float64
    propensity: Float64
    timestamp: Float64
    weight: Float32
    offered: Incidence
    path: Int32
    went: Float32
    begin: Int64
    until: Int64
    skipped: list[Fault] = field(default_factory=list)
    without: int = 0

    @classmethod
    def of(
        cls, traces: Iterable[Trace | TraceError], catalog: Catalog, *, faults: Faults = "refuse", from_order: bool = False,
        unended: End = "terminal",
    ) -> "Sessions":  # fmt: skip
        """The sessions of traces over a catalogue; parameters and errors as `sessions_of`.

        A session that names an unknown tool, or has a step without an embedding of the catalogue's dimension and encoder, is a fault too.
        """
        gathered = sessions_of(traces, faults=faults, from_order=from_order, unended=unended)
        skipped = list(gathered.skipped)
        sound = []
        for session in gathered.sessions:
            fault = _unusable(session, catalog)
            if fault is None:
                sound.append(session)
            elif faults == "refuse":
                raise TraceError(f"{fault}; pass faults='skip' to leave such sessions out")
            else:
                skipped.append(fault)
        return replace(_columns(sound, catalog), skipped=skipped, without=gathered.without)

    def __len__(self) -> int:
        return len(self.sessions)

    @property
    def n_steps(self) -> int:
        """T."""
        return len(self.chosen)

    @cached_property
    def session(self) -> Int64:
        """(T,) the session that each step is of."""
        return np.repeat(np.arange(len(self)), np.diff(self.indptr))

    @cached_property
    def texts(self) -> list[str]:
        """N texts of the intents."""
        seen: dict[int, str] = {}
        for row, step in zip(self.intent.tolist(), self.steps, strict=True):
            seen[row] = step.intent
        return [seen[row] for row in range(len(self.intents))]

    @cached_property
    def steps(self) -> list[Step]:
        """T of them."""
        return [step for session in self.sessions for step in session.steps]

    def context(self, step: int) -> Int32:
        """Columns of what was used before a step, the latest last."""
        return self.path[self.begin[step] : self.until[step]]

    @cached_property
    def contexts(self) -> Incidence:
        """(T rows) -> columns of what was used before, in no order."""
        return Incidence.from_rows(self.context(t).tolist() for t in range(self.n_steps))

    @cached_property
    def started(self) -> Float64:
        """(S,) earliest time stamp of each session, NaN where one of its steps has none."""
        return np.array([self.timestamp[a:b].min() for a, b in zip(self.indptr[:-1], self.indptr[1:], strict=True)], np.float64)

    @cached_property
    def ended(self) -> Float64:
        """(S,) latest time stamp of each session, NaN where one of its steps has none."""
        return np.array([self.timestamp[a:b].max() for a, b in zip(self.indptr[:-1], self.indptr[1:], strict=True)], np.float64)

    def take(self, rows: npt.NDArray[np.integer] | Sequence[int]) -> "Sessions":
        """The given sessions, in the given order."""
        rows = np.asarray(rows, np.int64)
        length = np.diff(self.indptr)[rows]
        indptr = np.zeros(len(rows) + 1, np.int64)
        np.cumsum(length, out=indptr[1:])
        at = np.arange(indptr[-1]) + np.repeat(self.indptr[rows] - indptr[:-1], length)
        used, intent = np.unique(self.intent[at], return_inverse=True)
        of_step = {
            name: getattr(self, name)[at]
            for name in (
                "chosen",
                "succeeded",
                "outcome",
                "duration_ms",
                "rating",
                "propensity",
                "timestamp",
                "weight",
                "begin",
                "until",
            )
        }
        return Sessions(
            sessions=[self.sessions[i] for i in rows.tolist()], indptr=indptr, terminal=self.terminal[rows], intents=self.intents[used],
            intent=intent.astype(np.int32), offered=self.offered.take(at), path=self.path, went=self.went, **of_step,
        )  # fmt: skip

    def traces(self) -> Traces:
        """Each trace as it was run, to learn a ranking from: its tools, and as context what its session used before it."""
        first = np.array([t for t, step in enumerate(self.steps) if step.at == 0], np.int64)
        tools = [self.chosen[t : t + len(self.steps[t].trace.tools)].tolist() for t in first.tolist()]
        return self._as_traces(first, [self.steps[t].trace.id for t in first.tolist()], Incidence.from_rows(tools))

    @cached_property
    def asked(self) -> Traces:
        """Each step as a trace of its own, to ask a ranking with: its tool, for its intent, with what was used before it as context."""
        every = np.arange(self.n_steps)
        ids = [f"{step.trace.id}#{i}" for i, step in enumerate(self.steps)]
        return self._as_traces(every, ids, Incidence.from_rows([c] for c in self.chosen.tolist()))

    def _as_traces(self, at: Int64, ids: list[str], tools: Incidence) -> Traces:
        steps = [self.steps[t] for t in at.tolist()]
        return Traces(
            np.array(ids, dtype=np.str_), self.intents[self.intent[at]], Texts([step.intent for step in steps]), tools,
            np.full(len(at), -1, np.int32), np.array([step.trace.outcome for step in steps], np.float32), self.weight[at],
            self.timestamp[at], self.contexts.take(at),
        )  # fmt: skip


def load_sessions(
    path: str | Path, catalog: Catalog, *, faults: Faults = "refuse", from_order: bool = False, unended: End = "terminal"
) -> Sessions:
    """The sessions of a file of traces, see `shgat.traces.sessions_of` and `load_traces`.

    Parameters
    ----------
    path : .jsonl, .csv or .parquet
    faults : "refuse" raises at the first session that is none, "skip" leaves it out and names it in `Sessions.skipped`
    from_order : read traces of no session as sessions of their own, in the order of their tools
    unended : how sessions ended that do not say it

    Raises
    ------
    TraceError
        naming the file, session, step and remedy.
    """
    path = Path(path)
    _check.choice(faults, ("refuse", "skip"), "faults")
    try:
        traces = (_placed(path, n, trace) for n, trace in read_traces(path))
        return Sessions.of(traces, catalog, faults=faults, from_order=from_order, unended=unended)
    except TraceError as error:
        raise error if path.name in str(error) else TraceError(f"{path.name}: {error}") from None


def _placed(path: Path, number: int, trace: Trace | TraceError) -> Trace | TraceError:
    if isinstance(trace, Trace):
        return trace
    error = TraceError(f"{path.name}, {'line' if path.suffix == '.jsonl' else 'row'} {number}: {trace}")
    error.session = trace.session
    return error


def _unusable(session: Session, catalog: Catalog) -> Fault | None:
    known, d = catalog.tool_column, catalog.dimension
    what, number = "", None
    for i, step in enumerate(session.steps):
        trace = step.trace
        strange = next((t for t in (step.chosen, *trace.context_tools, *trace.offered) if t not in known), None)
        if strange is not None:
            what = f"trace {trace.id!r:.100} names the unknown tool {strange!r:.100}: bring the catalogue that it is of"
        elif trace.embedding is None:
            what = f"trace {trace.id!r:.100} has no embedding: make one, as `shgat embed` does"
        elif len(trace.embedding) != d:
            what = f"trace {trace.id!r:.100} has an embedding of {len(trace.embedding)} dimensions, expected {d}"
        elif not comparable(trace.encoder, catalog.encoder):
            what = f"trace {trace.id!r:.100} has an embedding by {trace.encoder!r:.60}, the catalogue has those of {catalog.encoder!r:.60}"
        if what:
            number = i if trace.step is None else trace.step
            break
    n = len({step.trace.id for step in session.steps})
    return Fault(session.name, session.principal, number, what, n) if what else None


def _columns(sessions: Sequence[Session], catalog: Catalog) -> Sessions:
    column: Mapping[str, int] = catalog.tool_column
    steps = [step for session in sessions for step in session.steps]
    indptr = np.zeros(len(sessions) + 1, np.int64)
    np.cumsum([len(session.steps) for session in sessions], out=indptr[1:])
    row: dict[str, int] = {}
    intent = np.array([row.setdefault(step.trace.id, len(row)) for step in steps], np.int32)
    embeddings = {step.trace.id: step.trace.embedding for step in steps}
    intents = np.zeros((len(row), catalog.dimension), np.float32)
    for key, i in row.items():
        intents[i] = embeddings[key]
    paths = [session.path for session in sessions]
    begins = np.zeros(len(sessions) + 1, np.int64)
    np.cumsum([len(path) for path in paths], out=begins[1:])
    begin = np.repeat(begins[:-1], np.diff(indptr))
    used = [tool for path in paths for tool in path]
    return Sessions(
        sessions=sessions, indptr=indptr, terminal=np.array([s.end == "terminal" for s in sessions], bool), intents=intents,
        intent=intent, chosen=np.array([column[step.chosen] for step in steps], np.int32),
        succeeded=np.array([step.succeeded for step in steps], bool), outcome=_numbers(steps, "outcome").astype(np.float32),
        duration_ms=_numbers(steps, "duration_ms"), rating=_numbers(steps, "rating"), propensity=_numbers(steps, "propensity"),
        timestamp=np.array([np.nan if s.trace.timestamp is None else s.trace.timestamp for s in steps], np.float64),
        weight=np.array([step.trace.weight for step in steps], np.float32),
        offered=Incidence.from_rows([column[t] for t in step.offered] for step in steps),
        path=np.array([column[tool.tool] for tool in used], np.int32),
        went=np.array([np.nan if tool.outcome is None else tool.outcome for tool in used], np.float32),
        begin=begin, until=begin + np.array([step.before for step in steps], np.int64).reshape(-1),
    )  # fmt: skip


def _numbers(steps: Sequence[Any], name: str) -> Float64:
    return np.array([np.nan if (value := getattr(step, name)) is None else value for step in steps], np.float64)
