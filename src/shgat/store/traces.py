"""The traces of a store."""

import math
import shlex
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

from sqlalchemy import Column, ColumnElement, Connection, Row, Select, bindparam, delete, func, select, update

from .._check import LARGEST
from .._kernels import readout
from ..errors import DamagedError, TraceError
from ..traces import Trace
from ..traces.record import LAST_STEP
from .database import Database
from .schema import DEFAULT_USER, IN_SESSION, priorities, traces

_PAGE = 1000  # rows of one read; no read holds a transaction longer
_IN_SESSION = cast(ColumnElement[bool], IN_SESSION)
_LISTS = ("tools", "context_tools", "offered")
_COLUMNS = [column for column in traces.c if column.name != "user_id"]
WITH_PRIORITY = select(*_COLUMNS, priorities.c.priority).outerjoin(priorities, priorities.c.trace_seq == traces.c.seq)


class TraceRows:
    """The part of a store that holds traces."""

    database: Database
    dimension: int
    clock: Callable[[], float] = time.time

    def add_trace(self, trace: Trace, user_id: str = DEFAULT_USER) -> bool:
        """Adds a trace; False, and nothing changes, where its id or its decision already has one."""
        return self.add_traces([trace], user_id)[0]

    def add_traces(self, batch: Sequence[Trace], user_id: str = DEFAULT_USER) -> list[bool]:
        """Adds traces that a user's model is to learn from, in one transaction; for each, whether it was new."""
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
            new = connection.execute(statement, [_row(trace, now, user_id) for trace in batch])
            added: dict[str, int] = {row.id: row.seq for row in new}
            fresh = [trace for trace in _first_of_each(batch) if trace.id in added]
            if fresh:
                rows = [priority_row(added[t.id], t.priority, now, user_id, t.principal) for t in fresh]
                connection.execute(priorities.insert(), rows)
                _number(connection, [(added[t.id], t) for t in fresh], user_id)
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

    def session(self, session: str, principal: str = "", user_id: str = DEFAULT_USER) -> list[Trace]:
        """The traces of a session, by step; see `shgat.traces.sessions_of`."""
        whose = _of_session(session, principal, user_id)
        return self._fetch(WITH_PRIORITY.where(*whose).order_by(traces.c.step, traces.c.seq))

    def steps(self, trace_id: str) -> list[Trace]:
        """The traces whose parent is `trace_id`, in the order in which they arrived."""
        return self._fetch(WITH_PRIORITY.where(traces.c.parent_id == trace_id).order_by(traces.c.seq))

    def traces(self, after: int | None = None, limit: int | None = None) -> Iterator[Trace]:
        """Traces by rising `seq`, from the first whose `seq` exceeds `after`; read by pages, whatever their number."""
        seq, left = after or 0, limit
        while left is None or left > 0:
            query = WITH_PRIORITY.where(traces.c.seq > seq).order_by(traces.c.seq)
            page = self._fetch(query.limit(_PAGE if left is None else min(_PAGE, left)))
            if not page:
                return
            yield from page
            seq, left = page[-1].seq, None if left is None else left - len(page)

    def traces_since(self, moment: float, limit: int, user_id: str = DEFAULT_USER, *, until: float | None = None) -> list[Trace]:
        """The latest traces of a user with a later time stamp, in the order in which they arrived.

        Parameters
        ----------
        moment, until : seconds since the epoch; None: whatever is later
        """
        query = WITH_PRIORITY.where(traces.c.user_id == user_id, traces.c.timestamp > moment)
        if until is not None:
            query = query.where(traces.c.timestamp <= until)
        return self._fetch(query.order_by(traces.c.seq.desc()).limit(limit))[::-1]

    def remove_traces(self, ids: Sequence[str]) -> int:
        """Removes traces, damaged ones too; returns how many there were. Their decisions may have feedback again."""
        removed = 0
        with self.database.write() as connection:
            for start in range(0, len(ids), _PAGE):
                removed += connection.execute(delete(traces).where(traces.c.id.in_(ids[start : start + _PAGE]))).rowcount
        return removed

    def _where(self, column: Column[Any], values: Sequence[str]) -> Iterator[Trace]:
        """The traces whose column has one of the values."""
        for start in range(0, len(values), _PAGE):
            yield from self._fetch(WITH_PRIORITY.where(column.in_(values[start : start + _PAGE])))

    def _fetch(self, query: Select[Any]) -> list[Trace]:
        """The traces of a query; DamagedError that names the first one that is no trace."""
        try:
            with self.database.read() as connection:
                return [trace_of(row, self.dimension) for row in connection.execute(query)]
        except DamagedError as error:
            if "shgat db remove" not in str(error):  # the database tells of a row, and not of which
                self._name_damaged(query)
            raise

    def _name_damaged(self, query: Select[Any]) -> None:
        with self.database.read() as connection:
            rows = connection.execute(query.with_only_columns(traces.c.id, traces.c.seq, maintain_column_froms=True)).all()
        for key, seq in rows:
            try:
                with self.database.read() as connection:
                    connection.execute(WITH_PRIORITY.where(traces.c.seq == seq)).all()
            except DamagedError as error:
                raise _damaged(key, str(error)) from error


def _first_of_each(batch: Sequence[Trace]) -> list[Trace]:
    return list({trace.id: trace for trace in reversed(batch)}.values())[::-1]


def _row(trace: Trace, now: float, user_id: str) -> dict[str, Any]:
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
        "user_id": user_id,
        "principal": trace.principal,
        "session": trace.session,
        "step": trace.step,
        "end": trace.end,
        "rating": trace.rating,
        "offered": trace.offered,
        "propensity": trace.propensity,
    }


def _of_session(session: str, principal: str, user_id: str) -> tuple[ColumnElement[bool], ...]:
    return traces.c.session == session, traces.c.user_id == user_id, traces.c.principal == principal, _IN_SESSION


def _number(connection: Connection, fresh: Sequence[tuple[int, Trace]], user_id: str) -> None:
    """Gives the new traces (seq, trace) of sessions that do not say their step the next one, in the order in which they were stored."""
    following: dict[tuple[str, str], int] = {}
    steps = []
    for seq, trace in sorted((item for item in fresh if item[1].session and item[1].step is None), key=lambda item: item[0]):
        key = trace.principal, trace.session
        if key not in following:
            whose = _of_session(trace.session, trace.principal, user_id)
            latest = connection.scalar(select(func.max(traces.c.step)).where(*whose))
            following[key] = 0 if latest is None else latest + 1
        steps.append({"of": seq, "number": min(following[key], LAST_STEP)})
        following[key] += 1
    if steps:
        connection.execute(update(traces).where(traces.c.seq == bindparam("of")).values(step=bindparam("number")), steps)


def priority_row(seq: int, value: float | None, now: float, user_id: str, principal: str) -> dict[str, Any]:
    """A row of `priorities`; infinity where the trace has not been trained on."""
    priority = math.inf if value is None else value
    return {"trace_seq": seq, "priority": priority, "updated_at": now, "user_id": user_id, "principal": principal}


def trace_of(row: Row[Any], dimension: int) -> Trace:
    """A stored row. Its texts were checked when they were written; what a damaged page could do to a training is checked."""
    values = dict(row._mapping)
    embedding, priority, outcome = values["embedding"], values["priority"], values["outcome"]
    if embedding is not None and (embedding.shape != (dimension,) or not readout.all_at_most(embedding, LARGEST)):
        raise _damaged(row.id, f"its embedding is no finite vector of {dimension}")
    if not isinstance(outcome, float) or not 0.0 <= outcome <= 1.0:
        raise _damaged(row.id, f"its outcome is {outcome!r}")
    for name in _LISTS:
        if not isinstance(values[name], list):
            raise _damaged(row.id, f"its {name} are no list")
        values[name] = tuple(values[name])
    values["priority"] = None if priority is None or priority == math.inf else priority
    trace = object.__new__(Trace)
    trace.__dict__.update(values, encoder="")
    return trace


def _damaged(key: str, what: str) -> DamagedError:
    return DamagedError(f"trace {key!r} is damaged: {what}; remove it: shgat db remove --trace {shlex.quote(key)}")
