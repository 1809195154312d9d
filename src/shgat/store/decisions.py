"""What was ranked for an intent: the record that feedback refers to and off-policy evaluation weighs."""

import contextlib
import hashlib
import logging
import shlex
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import Row, delete, func, select

from .. import _ids
from .._check import number, positive_integer, storable_text, storable_texts, text, vector
from .._types import Float32
from ..errors import DamagedError, InputError
from .database import Database
from .schema import DEFAULT_USER, decisions, traces

_log = logging.getLogger("shgat")
_PAGE = 1000


class Ranked(NamedTuple):
    """One answer: what, at which position (from 1), and with which probability the ranker put it there.

    Where places are drawn, `chances` has (position, probability) of each of them, and what was not drawn follows at position 0.
    """

    id: str
    position: int
    propensity: float = 1.0
    chances: tuple[tuple[int, float], ...] = ()

    @property
    def places(self) -> tuple[tuple[int, float], ...]:
        """(position, probability) of wherever it might have stood."""
        return self.chances or ((self.position, self.propensity),)

    def to_list(self) -> list[Any]:
        """As JSON values, without chances where there are none."""
        return [*self[:3], *([[list(pair) for pair in self.chances]] if self.chances else [])]


class Answers(NamedTuple):
    """How many answers, how many of them have feedback, and the sum of its outcomes."""

    n: int
    executed: int
    worked: float


@dataclass(frozen=True, eq=False, kw_only=True)
class Decision:
    """One answered request. Checked at construction.

    Attributes
    ----------
    ranked : what was shown, and behind it what was not drawn
    model_version : of the model that ranked
    intent : its text; None keeps only `intent_hash`, the SHA-256 of the text in hexadecimal
    embedding : (d,) float32 of the intent, or None
    context_tools : ids of the tools that the session had used before
    session : whose set only grows under the order "stable", or None
    user_id : whose model ranked
    principal : who asked, "" where nobody said
    created_at : seconds since the epoch; None: when it is stored
    seq : its number in the store, 0 while it is in none
    """

    ranked: tuple[Ranked, ...]
    model_version: str
    id: str = field(default_factory=_ids.new)
    intent: str | None = None
    intent_hash: str = ""
    embedding: Float32 | None = None
    context_tools: tuple[str, ...] = ()
    session: str | None = None
    created_at: float | None = None
    user_id: str = DEFAULT_USER
    principal: str = ""
    seq: int = 0

    def __post_init__(self) -> None:
        what = f"decision {storable_text(self.id, 'the id of a decision')!r}"
        for name in ("intent", "session"):
            if getattr(self, name) is not None:
                storable_text(getattr(self, name), f"{what}: {name}")
        storable_text(self.model_version, f"{what}: model_version")
        storable_text(self.user_id, f"{what}: user_id")
        if self.principal != "":
            storable_text(self.principal, f"{what}: principal")
        if self.intent is not None and not self.intent_hash:
            object.__setattr__(self, "intent_hash", hashlib.sha256(self.intent.encode()).hexdigest())
        text(self.intent_hash, f"{what}: intent_hash (or intent)")
        object.__setattr__(self, "context_tools", storable_texts(self.context_tools, f"{what}: context_tools"))
        object.__setattr__(self, "ranked", tuple([_ranked(item, what) for item in self.ranked]))
        if self.embedding is not None:
            object.__setattr__(self, "embedding", vector(self.embedding, None, f"{what}: embedding"))


def _ranked(item: Sequence[Any], what: str) -> Ranked:
    answer = item if type(item) is Ranked else Ranked(*item)
    if _is_plain(answer):
        return answer
    of = f"of {storable_text(answer.id, f'{what}: the id of an answer')!r}"
    if not (answer.chances and answer.position == 0):
        positive_integer(answer.position, f"{what}: the position {of}")
    propensity = number(answer.propensity, 0.0, 1.0, f"{what}: the propensity {of}")
    chances = [
        (positive_integer(place, f"{what}: a place {of}"), number(chance, 0.0, 1.0, f"{what}: a chance {of}"))
        for place, chance in answer.chances
    ]
    return answer._replace(propensity=propensity, chances=tuple(chances))


def _is_plain(item: Ranked) -> bool:
    """Is it as nearly all are: certain, with an id of ASCII? Then nothing is wrong with it, and no message has to be made."""
    key, place = item.id, item.position
    fits = type(key) is str and key != "" and key.isascii() and "\0" not in key and type(place) is int and place > 0
    return fits and type(item.propensity) is float and item.propensity == 1.0 and item.chances == ()


class DecisionRows:
    """The part of a store that holds decisions."""

    database: Database
    dimension: int
    clock: Callable[[], float] = time.time

    def add_decision(self, decision: Decision) -> bool:
        """Adds a decision; False, and nothing changes, where its id is taken."""
        return self.add_decisions([decision])[0]

    def add_decisions(self, batch: Sequence[Decision]) -> list[bool]:
        """Adds decisions in one transaction; for each, whether it was new."""
        for decision in batch:
            if decision.embedding is not None and decision.embedding.shape != (self.dimension,):
                raise InputError(
                    f"decision {decision.id!r}: embedding has {decision.embedding.size} dimensions, the store has {self.dimension}"
                )
        if not batch:
            return []
        now = self.clock()
        with self.database.write() as connection:
            statement = self.database.insert(decisions).on_conflict_do_nothing().returning(decisions.c.id)
            added = dict.fromkeys(connection.execute(statement, [_row(decision, now) for decision in batch]).scalars(), True)
        return [added.pop(decision.id, False) for decision in batch]

    def decision(self, decision_id: str) -> Decision | None:
        """The decision of that id."""
        try:
            return self._of([decision_id]).get(decision_id)
        except DamagedError as error:
            raise error if "shgat db remove" in str(error) else _torn(decision_id, str(error)) from error

    def decisions_of(self, ids: Sequence[str]) -> dict[str, Decision]:
        """id -> decision, for the ids that the store knows; a damaged one is left out, with a line in the log."""
        found: dict[str, Decision] = {}
        for start in range(0, len(ids), _PAGE):
            page = ids[start : start + _PAGE]
            try:
                found |= self._of(page)
                continue
            except DamagedError:
                pass
            for key in page:
                try:
                    found |= self._of([key])
                except DamagedError as error:
                    _log.error("decision %s: %s", key, error)
        return found

    def _of(self, ids: Sequence[str]) -> dict[str, Decision]:
        with self.database.read() as connection:
            rows = connection.execute(select(decisions).where(decisions.c.id.in_(ids)))
            return {row.id: _decision(row, self.dimension) for row in rows}

    def shown(self, limit: int, user_id: str = DEFAULT_USER) -> list[tuple[str, str, tuple[str, ...]]]:
        """(principal, session, ids that it was shown, in their order) of the latest decisions of sessions, oldest first; one that is torn is
        left out."""
        query = select(decisions.c.principal, decisions.c.session, decisions.c.ranked).where(
            decisions.c.session.is_not(None), decisions.c.user_id == user_id
        )
        with self.database.read() as connection:
            rows = connection.execute(query.order_by(decisions.c.seq.desc()).limit(limit)).all()
        found = list[tuple[str, str, tuple[str, ...]]]()
        for row in reversed(rows):
            with contextlib.suppress(InputError, TypeError, ValueError):
                ids = tuple(item.id for item in (_ranked(r, "a decision") for r in row.ranked) if item.position)
                found.append((row.principal, row.session, ids))
        return found

    def answers_since(self, moment: float, user_id: str = DEFAULT_USER) -> dict[str, Answers]:
        """Name of a version -> what became of its answers after a moment, in seconds since the epoch."""
        joined = decisions.outerjoin(traces, traces.c.decision_id == decisions.c.id)
        counts = func.count(decisions.c.id), func.count(traces.c.id), func.coalesce(func.sum(traces.c.outcome), 0.0)
        query = select(decisions.c.model_version, *counts).select_from(joined)
        query = query.where(decisions.c.user_id == user_id, decisions.c.created_at > moment).group_by(decisions.c.model_version)
        with self.database.read() as connection:
            return {
                str(name): Answers(int(n), int(executed), float(worked)) for name, n, executed, worked in connection.execute(query)
            }

    def remove_decisions(self, ids: Sequence[str]) -> int:
        """Removes decisions, damaged ones too; returns how many there were. Their traces stay."""
        removed = 0
        with self.database.write() as connection:
            for start in range(0, len(ids), _PAGE):
                removed += connection.execute(delete(decisions).where(decisions.c.id.in_(ids[start : start + _PAGE]))).rowcount
        return removed

    def decisions(self, after: int | None = None, limit: int | None = None) -> Iterator[Decision]:
        """Decisions by rising `seq`, from the first whose `seq` exceeds `after`; read by pages."""
        seq, left = after or 0, limit
        while left is None or left > 0:
            query = select(decisions).where(decisions.c.seq > seq).order_by(decisions.c.seq)
            with self.database.read() as connection:
                rows = connection.execute(query.limit(_PAGE if left is None else min(_PAGE, left))).all()
            if not rows:
                return
            yield from (_decision(row, self.dimension) for row in rows)
            seq, left = rows[-1].seq, None if left is None else left - len(rows)


def _row(decision: Decision, now: float) -> dict[str, Any]:
    return {
        "id": decision.id,
        "intent_hash": decision.intent_hash,
        "intent": decision.intent,
        "embedding": decision.embedding,
        "ranked": [item.to_list() for item in decision.ranked],
        "model_version": decision.model_version,
        "context_tools": decision.context_tools,
        "session": decision.session,
        "created_at": now if decision.created_at is None else decision.created_at,
        "user_id": decision.user_id,
        "principal": decision.principal,
    }


def _decision(row: Row[Any], dimension: int) -> Decision:
    if row.embedding is not None and row.embedding.shape != (dimension,):
        raise _torn(row.id, f"its embedding has {row.embedding.size} dimensions")
    try:
        return Decision(**row._mapping)
    except (InputError, TypeError) as error:
        raise _torn(row.id, str(error)) from error


def _torn(key: str, what: str) -> DamagedError:
    return DamagedError(f"decision {key!r} is torn: {what}; remove it: shgat db remove --decision {shlex.quote(key)}")
