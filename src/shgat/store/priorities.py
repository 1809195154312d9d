"""What a user's model has yet to learn from: replay priorities, and the traces that nobody can learn from now."""

import math
import shlex
import time
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from sqlalchemy import ColumnElement, Select, and_, func, select, update

from ..errors import DamagedError, InputError
from ..traces import Trace
from .database import Database
from .schema import DEFAULT_USER, priorities, traces
from .traces import WITH_PRIORITY, priority_row, trace_of

_PAGE = 1000
_LONGEST = 500  # characters of a reason


class Reason(NamedTuple):
    """Why a trace is set aside, and what a catalogue has to hold for it to be of use; None: nothing helps."""

    text: str
    needs: str | None = None


class Backlog(NamedTuple):
    """Traces of a user that were never trained on, the time stamp of the first of them, and traces that were set aside."""

    untrained: int
    oldest: float | None
    aside: int


class PriorityRows:
    """The part of a store that holds priorities. A trace is learned from by one user's model, the one that its decision came from."""

    database: Database
    dimension: int
    clock: Callable[[], float] = time.time

    def traces_by_priority(self, n: int, user_id: str = DEFAULT_USER) -> list[Trace]:
        """The n traces of a user most worth a replay: those never trained on, the newest first; then by falling priority.

        Checked once more, as files are: what is damaged is set aside, and others take its place.
        """
        available = and_(priorities.c.user_id == user_id, ~priorities.c.aside)
        newest = priorities.c.priority.desc(), priorities.c.trace_seq.desc()
        while True:
            with self.database.read() as connection:
                seqs = connection.scalars(select(priorities.c.trace_seq).where(available).order_by(*newest).limit(n)).all()
            found, damaged = self._sound(list(seqs))
            if not damaged:
                return found
            self._put_aside(damaged)

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
                known = select(traces.c.id, traces.c.seq, traces.c.user_id, traces.c.principal)
                known = known.where(traces.c.id.in_(unique[start : start + _PAGE]))
                rows += [priority_row(seq, wanted[key], now, *whose) for key, seq, *whose in connection.execute(known)]
            if rows:
                insert = self.database.insert(priorities)
                changed = {"priority": insert.excluded.priority, "updated_at": insert.excluded.updated_at}
                connection.execute(insert.on_conflict_do_update(index_elements=["trace_seq"], set_=changed), rows)
        return len(rows)

    def set_aside(self, reasons: Mapping[str, Reason]) -> None:
        """Traces, by id, that are not to be read again until what they need is there; their priorities stay."""
        numbers: dict[int, Reason] = {}
        ids = list(reasons)
        for start in range(0, len(ids), _PAGE):
            known = select(traces.c.id, traces.c.seq).where(traces.c.id.in_(ids[start : start + _PAGE]))
            with self.database.read() as connection:
                numbers |= {seq: reasons[key] for key, seq in connection.execute(known)}
        self._put_aside(numbers)

    def take_back(self, known: Container[str], user_id: str = DEFAULT_USER) -> int:
        """Makes the traces of a user available that were set aside for something that is known now; returns how many."""
        of_user = priorities.c.user_id == user_id
        with self.database.read() as connection:
            needs = [found for found in connection.scalars(_each_need(of_user)) if found in known]
        if not needs:
            return 0
        back, n = {"aside": False, "needs": None, "reason": None}, 0
        with self.database.write() as connection:
            for start in range(0, len(needs), _PAGE):
                here = update(priorities).where(of_user, priorities.c.needs.in_(needs[start : start + _PAGE]))
                n += connection.execute(here.values(**back)).rowcount
        return n

    def aside(self, n: int, user_id: str = DEFAULT_USER) -> list[tuple[str, str]]:
        """(id, reason) of the n traces of a user that were set aside last."""
        query = select(traces.c.id, priorities.c.reason).join(traces, traces.c.seq == priorities.c.trace_seq)
        query = query.where(priorities.c.user_id == user_id, priorities.c.aside).order_by(priorities.c.updated_at.desc()).limit(n)
        with self.database.read() as connection:
            return [(key, reason or "") for key, reason in connection.execute(query)]

    def backlog(self, user_id: str = DEFAULT_USER) -> Backlog:
        """How much there is to learn from. Counts no trace that was learned, however many these are."""
        of_user = priorities.c.user_id == user_id
        new = and_(of_user, ~priorities.c.aside, priorities.c.priority == math.inf)
        first = select(func.min(priorities.c.trace_seq)).where(new).scalar_subquery()
        with self.database.read() as connection:
            untrained = connection.scalar(select(func.count()).where(new)) or 0
            since = connection.scalar(select(traces.c.timestamp).where(traces.c.seq == first))
            aside = connection.scalar(select(func.count()).where(of_user, priorities.c.aside)) or 0
        return Backlog(untrained, since, aside)

    def replayable(self, user_id: str = DEFAULT_USER) -> int:
        """How many traces of a user can be trained on, whether they were before or not."""
        with self.database.read() as connection:
            return connection.scalar(select(func.count()).where(priorities.c.user_id == user_id, ~priorities.c.aside)) or 0

    def _sound(self, seqs: list[int]) -> tuple[list[Trace], dict[int, Reason]]:
        """The traces of these numbers in this order, and what is wrong with the others. All at once; one by one where that fails."""
        found: dict[int, Trace] = {}
        damaged: dict[int, Reason] = {}
        for start in range(0, len(seqs), _PAGE):
            page = seqs[start : start + _PAGE]
            try:
                with self.database.read() as connection:
                    found |= {trace.seq: trace for trace in self._checked(connection.execute(_numbered(page)))}
                continue
            except DamagedError:
                pass
            for seq in page:
                try:
                    with self.database.read() as connection:
                        found |= {trace.seq: trace for trace in self._checked(connection.execute(_numbered([seq])))}
                except DamagedError as error:
                    damaged[seq] = Reason(str(error))
        return [found[seq] for seq in seqs if seq in found], damaged

    def _checked(self, rows: Iterable[Any]) -> Iterable[Trace]:
        for row in rows:
            trace = trace_of(row, self.dimension)
            try:
                trace.__post_init__()
            except InputError as error:
                raise DamagedError(f"{error}; remove it: shgat db remove --trace {shlex.quote(trace.id)}") from error
            yield trace

    def _put_aside(self, reasons: Mapping[int, Reason]) -> None:
        groups: dict[Reason, list[int]] = {}
        for seq, reason in reasons.items():
            groups.setdefault(Reason(reason.text[:_LONGEST], reason.needs), []).append(seq)
        now = self.clock()
        with self.database.write() as connection:
            for reason, seqs in groups.items():
                values = {"aside": True, "reason": reason.text, "needs": reason.needs, "updated_at": now}
                for start in range(0, len(seqs), _PAGE):
                    connection.execute(
                        update(priorities).where(priorities.c.trace_seq.in_(seqs[start : start + _PAGE])).values(**values)
                    )


def _numbered(seqs: Sequence[int]) -> Select[Any]:
    return WITH_PRIORITY.where(traces.c.seq.in_(seqs))


def _each_need(of_user: ColumnElement[bool]) -> Select[Any]:
    """Each distinct need of a user once, by one step through the index for each, however many rows have it."""
    lowest = select(func.min(priorities.c.needs).label("needs")).where(of_user)
    steps = lowest.cte("steps", recursive=True)
    following = select(func.min(priorities.c.needs)).where(of_user, priorities.c.needs > steps.c.needs).scalar_subquery()
    steps = steps.union_all(select(following).where(steps.c.needs.is_not(None)))
    return select(steps.c.needs).where(steps.c.needs.is_not(None))
