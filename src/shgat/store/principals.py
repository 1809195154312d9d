"""What a store knows of principals: what each ran last, what was decided of its own learning, and its part in what all learn from."""

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

from sqlalchemy import and_, case, func, select

from .._check import choice, storable_text
from ..errors import InputError
from ..traces import Trace
from .priorities import PriorityRows
from .schema import DEFAULT_USER, principal_moves, priorities, traces

NEED = "principal "  # what a trace needs that is beyond its principal's share, before the name
MODES = ("gated", "on", "off")
ACTIONS = ("pin", "reset", "undo")


class Portion(NamedTuple):
    """Traces of one principal: those that were learned from, those that were not yet, and those beyond its share, which are set aside."""

    learned: int
    waiting: int
    held: int = 0


@dataclass(frozen=True)
class PrincipalMove:
    """What was decided of a principal's own learning; the latest move counts.

    Attributes
    ----------
    number : of the move, rising over all principals; 0: nothing was ever decided
    action : "pin", "reset" or "undo"
    mode : "gated" (its own executions count where its gate says so), "on" or "off"
    since : seconds since the epoch; executions before that do not count
    who, why : in words
    created_at : seconds since the epoch
    """

    principal: str
    number: int = 0
    action: str = ""
    mode: str = "gated"
    since: float = 0.0
    who: str = ""
    why: str = ""
    created_at: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


class PrincipalRows(PriorityRows):
    """The part of a store that knows principals."""

    clock: Callable[[], float] = time.time

    def traces_of_principal(
        self, principal: str, since: float, limit: int, after: int = 0, user_id: str = DEFAULT_USER
    ) -> list[Trace]:
        """The latest traces of a principal from a moment on, in the order in which they arrived; damaged ones are left out.

        Parameters
        ----------
        since : seconds since the epoch
        after : the `seq` of the latest that is known already
        """
        table = traces.c
        named = and_(table.user_id == user_id, table.principal == principal, table.principal != "", table.seq > after)
        mine = and_(named, table.timestamp >= since)
        with self.database.read() as connection:
            seqs = connection.scalars(select(traces.c.seq).where(mine).order_by(traces.c.seq.desc()).limit(limit)).all()
        return self._sound(list(seqs)[::-1])[0]

    def move_principal(
        self, principal: str, action: str, *, mode: str | None = None, who: str, why: str, user_id: str = DEFAULT_USER
    ) -> PrincipalMove:
        """Decides of a principal's own learning, for all processes on the store.

        Parameters
        ----------
        action : "pin" sets the mode; "reset" lets its executions count from now on; "undo" returns to what was before the latest move, which,
            done twice, takes back the taking back
        mode : of "pin"
        who, why : in words

        Raises
        ------
        InputError
            for what means nothing, and where there is nothing to take back.
        """
        storable_text(principal, "principal")
        choice(action, ACTIONS, "action")
        said = {"who": storable_text(who, "who"), "why": storable_text(why, "why")}
        table, now = principal_moves.c, self.clock()
        latest = select(table.mode, table.since).where(table.user_id == user_id, table.principal == principal)
        with self.database.write() as connection:
            before = [tuple(row) for row in connection.execute(latest.order_by(table.seq.desc()).limit(2))]
            if action == "undo" and not before:
                raise InputError(f"nothing was decided of the principal {principal!r:.60}: there is nothing to take back")
            states = [*before, (MODES[0], 0.0)]
            of, since = states[1] if action == "undo" else states[0]
            found = PrincipalMove(
                principal, 0, action, choice(mode, MODES, "mode") if action == "pin" else of, now if action == "reset" else since, **said,
                created_at=now,
            )  # fmt: skip
            values = {name: value for name, value in asdict(found).items() if name != "number"}
            insert = principal_moves.insert().values(**values, user_id=user_id).returning(table.seq)
            return replace(found, number=connection.execute(insert).scalar_one())

    def principal_moves(self, principal: str, user_id: str = DEFAULT_USER) -> list[PrincipalMove]:
        """What was decided of a principal's own learning, the latest last."""
        table = principal_moves.c
        named = [column for column in table if column.name not in ("seq", "user_id")]
        query = select(table.seq.label("number"), *named).where(table.user_id == user_id, table.principal == principal)
        with self.database.read() as connection:
            return [PrincipalMove(**row._mapping) for row in connection.execute(query.order_by(table.seq))]

    def portions(self, user_id: str = DEFAULT_USER) -> dict[str, Portion]:
        """Principal -> its traces, "" for those of nobody in particular; empty where nobody was ever named."""
        table = priorities.c
        held = and_(table.aside, table.needs == NEED + table.principal)
        kinds = ~table.aside & (table.priority != math.inf), ~table.aside & (table.priority == math.inf), held
        counts = [func.sum(case((kind, 1), else_=0)) for kind in kinds]
        each = select(table.principal, *counts).where(table.user_id == user_id, table.principal != "").group_by(table.principal)
        with self.database.read() as connection:
            found = {name: Portion(*map(int, numbers)) for name, *numbers in connection.execute(each)}
        if not found:
            return {}
        nameless = self.replayable(user_id) - sum(p.learned + p.waiting for p in found.values())
        return {**found, "": Portion(nameless, 0)} if nameless else found
