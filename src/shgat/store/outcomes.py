"""What became of answers: each execution beside what its decision had shown."""

from typing import NamedTuple

from sqlalchemy import func, select

from ..errors import DamagedError
from .database import Database
from .schema import DEFAULT_USER, decisions, traces


class Outcome(NamedTuple):
    """One execution that followed a decision.

    Attributes
    ----------
    seq : of its trace: a cursor
    at : when it was executed, seconds since the epoch
    version : that answered
    tools : that ran
    place : from 1, at which the first of them that was shown stood; 0: none was
    outcome : 0 to 1
    seconds : that it took, None where nobody said
    rating : 1 to 5, of who was served; None where nobody said
    """

    seq: int
    at: float
    version: str
    tools: tuple[str, ...]
    place: int
    outcome: float
    seconds: float | None
    rating: float | None = None


class OutcomeRows:
    """The part of a store that says what became of answers."""

    database: Database

    def outcomes(self, after: int, moment: float, limit: int, user_id: str = DEFAULT_USER) -> list[Outcome]:
        """The latest executions of a user's decisions whose `seq` exceeds `after` and whose time is later than `moment`, seconds since the
        epoch, in the order in which they arrived; one that is torn is left out."""
        columns = traces.c.seq, traces.c.timestamp, traces.c.tools, traces.c.outcome, traces.c.duration_ms, traces.c.rating
        query = select(*columns, decisions.c.model_version, decisions.c.ranked).join(
            decisions, decisions.c.id == traces.c.decision_id
        )
        query = query.where(traces.c.seq > after, traces.c.timestamp > moment, traces.c.user_id == user_id)
        with self.database.read() as connection:
            rows = connection.execute(query.order_by(traces.c.seq.desc()).limit(limit)).all()
        found = list[Outcome]()
        for seq, at, tools, outcome, ms, rating, version, ranked in reversed(rows):
            try:
                place = _place(ranked, tools)
                seconds = None if ms is None else ms / 1000.0
                found.append(Outcome(seq, at, version, tuple(map(str, tools)), place, outcome, seconds, rating))
            except (TypeError, ValueError, IndexError, DamagedError):
                continue
        return found

    def last_seq(self) -> int:
        """Of the latest trace; 0 where there is none."""
        with self.database.read() as connection:
            return int(connection.execute(select(func.max(traces.c.seq))).scalar() or 0)


def _place(ranked: list[list[object]], tools: list[str]) -> int:
    ran = set(tools)
    places = [int(str(item[1])) for item in ranked if item[0] in ran]
    return min((place for place in places if place > 0), default=0)
