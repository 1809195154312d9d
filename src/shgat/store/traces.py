"""The traces of a store and their replay priorities."""

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Column, Connection, Row, Select, select

from .._check import LARGEST
from .._kernels import readout
from ..errors import InputError, TraceError
from ..traces import Trace
from .database import DamagedError, Database
from .schema import priorities, traces

_PAGE = 1000  # rows of one read; no read holds a transaction longer
_SELECT = select(traces, priorities.c.priority).outerjoin(priorities, priorities.c.trace_seq == traces.c.seq)


class TraceRows:
    """The part of a store that holds traces."""

    database: Database
    dimension: int
    clock: Callable[[], float] = time.time

    def add_trace(self, trace: Trace) -> bool:
        """Adds a trace; False, and nothing changes, where its id or its decision already has one."""
        return self.add_traces([trace])[0]

    def add_traces(self, batch: Sequence[Trace]) -> list[bool]:
        """Adds traces in one transaction; for each, whether it was new."""
        for trace in batch:
            if trace.embedding is not None and trace.embedding.shape != (self.dimension,):
                raise TraceError(
                    f"trace {trace.id!r}: embedding has {trace.embedding.size} dimensions, the store has {self.dimension}"
                )
        if not batch:
            return []
        now = self.clock()
        with self.database.write() as connection:
            statement = self.database.insert(traces).on_conflict_do_nothing().returning(traces.c.id, traces.c.seq)
            rows = connection.execute(statement, [_row(trace, now) for trace in batch])
            added: dict[str, int] = {row.id: row.seq for row in rows}
            fresh = [trace for trace in _first_of_each(batch) if trace.id in added]
            if fresh:
                connection.execute(priorities.insert(), [_priority(added[t.id], t.priority, now) for t in fresh])
        return [added.pop(trace.id, None) is not None for trace in batch]

    def trace(self, trace_id: str) -> Trace | None:
        """The trace of that id."""
        return self.traces_of([trace_id]).get(trace_id)

    def traces_of(self, ids: Sequence[str]) -> dict[str, Trace]:
        """id -> trace, for the ids that the store knows."""
        return {trace.id: trace for trace in self._where(traces.c.id, ids)}

    def feedback_to(self, decision_ids: Sequence[str]) -> dict[str, Trace]:
        """Decision id -> the trace that is its feedback, for decisions that have any."""
        return {str(trace.decision_id): trace for trace in self._where(traces.c.decision_id, decision_ids)}

    def steps(self, trace_id: str) -> list[Trace]:
        """The traces whose parent is `trace_id`, in the order in which they arrived."""
        with self.database.read() as connection:
            return self._fetch(connection, _SELECT.where(traces.c.parent_id == trace_id).order_by(traces.c.seq))

    def traces(self, after: int | None = None, limit: int | None = None) -> Iterator[Trace]:
        """Traces by rising `seq`, from the first whose `seq` exceeds `after`; read by pages, whatever their number."""
        seq, left = after or 0, limit
        while left is None or left > 0:
            query = _SELECT.where(traces.c.seq > seq).order_by(traces.c.seq)
            with self.database.read() as connection:
                page = self._fetch(connection, query.limit(_PAGE if left is None else min(_PAGE, left)))
            if not page:
                return
            yield from page
            seq, left = page[-1].seq, None if left is None else left - len(page)

    def traces_by_priority(self, n: int) -> list[Trace]:
        """The n traces most worth a replay: those never trained on, the newest first; then by falling priority."""
        first = (
            select(priorities.c.trace_seq).order_by(priorities.c.priority.desc(), priorities.c.trace_seq.desc()).limit(n).subquery()
        )
        query = _SELECT.join(first, first.c.trace_seq == traces.c.seq)
        with self.database.read() as connection:
            return self._fetch(connection, query.order_by(priorities.c.priority.desc(), traces.c.seq.desc()))

    def set_priorities(self, ids: Sequence[str], values: Iterable[float] | npt.NDArray[np.floating[Any]]) -> int:
        """Sets priorities in one transaction; returns how many traces were still there to take theirs."""
        numbers = np.asarray(values if isinstance(values, np.ndarray) else list(values), np.float64)
        if numbers.shape != (len(ids),):
            raise InputError(f"set_priorities: {len(ids)} ids and priorities of shape {numbers.shape}")
        if not (np.isfinite(numbers) & (numbers >= 0)).all():
            bad = int(np.argmin(np.isfinite(numbers) & (numbers >= 0)))
            raise InputError(f"set_priorities: the priority of {ids[bad]!r} is a finite number >= 0, not {numbers[bad]}")
        now, wanted = self.clock(), dict(zip(ids, numbers.tolist(), strict=True))
        unique = list(wanted)
        with self.database.write() as connection:
            rows = []
            for start in range(0, len(unique), _PAGE):
                known = select(traces.c.id, traces.c.seq).where(traces.c.id.in_(unique[start : start + _PAGE]))
                rows += [_priority(seq, wanted[key], now) for key, seq in connection.execute(known)]
            if rows:
                insert = self.database.insert(priorities)
                changed = {"priority": insert.excluded.priority, "updated_at": insert.excluded.updated_at}
                connection.execute(insert.on_conflict_do_update(index_elements=["trace_seq"], set_=changed), rows)
        return len(rows)

    def _where(self, column: Column[Any], values: Sequence[str]) -> Iterator[Trace]:
        """The traces whose column has one of the values."""
        for start in range(0, len(values), _PAGE):
            with self.database.read() as connection:
                rows = self._fetch(connection, _SELECT.where(column.in_(values[start : start + _PAGE])))
            yield from rows

    def _fetch(self, connection: Connection, query: Select[Any]) -> list[Trace]:
        return [_trace(row, self.dimension) for row in connection.execute(query)]


def _first_of_each(batch: Sequence[Trace]) -> list[Trace]:
    return list({trace.id: trace for trace in reversed(batch)}.values())[::-1]


def _row(trace: Trace, now: float) -> dict[str, Any]:
    return {
        "id": trace.id,
        "parent_id": trace.parent_id,
        "decision_id": trace.decision_id,
        "intent": trace.intent,
        "embedding": trace.embedding,
        "tools": trace.tools,
        "capability": trace.capability,
        "context_tools": trace.context_tools,
        "outcome": trace.outcome,
        "duration_ms": trace.duration_ms,
        "error": trace.error,
        "weight": trace.weight,
        "timestamp": now if trace.timestamp is None else trace.timestamp,
    }


def _priority(seq: int, value: float | None, now: float) -> dict[str, Any]:
    return {"trace_seq": seq, "priority": math.inf if value is None else value, "updated_at": now}


def _trace(row: Row[Any], dimension: int) -> Trace:
    """A stored row. Its texts were checked when they were written; what a damaged page could do to a training is checked."""
    values = dict(row._mapping)
    embedding, priority = values["embedding"], values["priority"]
    if embedding is not None and (embedding.shape != (dimension,) or not readout.all_at_most(embedding, LARGEST)):
        raise DamagedError(f"trace {row.id!r} is damaged: its embedding is no finite vector of {dimension}; prune it")
    if not 0.0 <= values["outcome"] <= 1.0:
        raise DamagedError(f"trace {row.id!r} is damaged: its outcome is {values['outcome']!r}; prune it")
    values["priority"] = None if priority is None or priority == math.inf else priority
    values["tools"], values["context_tools"] = tuple(values["tools"]), tuple(values["context_tools"])
    trace = object.__new__(Trace)
    trace.__dict__.update(values)
    return trace
