"""What a store keeps: bounds by number, age and size, so that it does not grow for ever."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path

from sqlalchemy import ColumnElement, Table, and_, delete, exists, func, not_, select, text

from .._check import brief, number
from ..errors import InputError
from .archive import Archive
from .database import Database
from .schema import alias_moves, decisions, model_aliases, model_versions, principal_moves, priorities, traces

DAY = 86_400.0  # seconds
_PAGES = ("page_count", "freelist_count", "page_size")  # of SQLite
_BATCH = 2000  # rows of one deletion; nobody waits longer than that takes
_SPARE = 0.2  # of a file that may be free
_STEP = 200  # pages; SQLite takes 1 to 3 ms to give one back
_VACUUM = 5.0  # seconds at most; the rest follows the next time
_INCREMENTAL = 2  # PRAGMA auto_vacuum
_LEAST = 100  # rows of one step towards a size


@dataclass(frozen=True, kw_only=True)
class Retention:
    """What stays at most; None: no bound. Traces that were not trained on yet always stay, and so does a
    version of a model that an alias names, and the one that a rollback of production returns to.

    Attributes
    ----------
    decisions, traces : the newest so many
    models : the newest so many of each user
    moves : the newest so many of each alias, and of each principal, in the log
    unanswered : seconds that a decision without feedback stays
    size : bytes of what is in use; the oldest decisions go first, then the oldest traces
    archive : folder of Parquet files that what goes is written to before, None: it is gone
    """

    decisions: int | None = 200_000
    traces: int | None = 200_000
    models: int | None = 20
    moves: int | None = 10_000
    unanswered: float | None = 30 * DAY
    size: int | None = None
    archive: str | Path | None = None

    def __post_init__(self) -> None:
        if self.archive is not None and not isinstance(self.archive, str | Path):
            raise InputError(f"retention: archive is a folder, not {brief(self.archive)}")
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None and field.name != "archive":
                number(value, 0, 2**53, f"retention: {field.name}")


class RetentionRows:
    """The part of a store that removes rows."""

    database: Database
    dimension: int
    clock: Callable[[], float] = time.time

    def prune(
        self, *, keep_traces: int | None = None, keep_decisions: int | None = None, keep_models: int | None = None
    ) -> dict[str, int]:
        """Deletes all but the newest so many rows of a kind, where a number is given, trained on or not; returns how many went.

        Models are counted for each user; those that `Retention` lets stay do. A pruned trace takes along the memory that its decision has had
        its feedback.
        """
        given = {"keep_traces": keep_traces, "keep_decisions": keep_decisions, "keep_models": keep_models}
        for name, keep in given.items():
            if keep is not None:
                number(keep, 0, 2**53, f"prune: {name}")
        removed: dict[str, int] = {}
        for table, keep in zip((traces, decisions), (keep_traces, keep_decisions), strict=True):
            if keep is not None:
                removed[str(table.name)] = self._delete(table, _older(table, keep))
        if keep_models is not None:
            removed["model_versions"] = self._prune_models(keep_models)
        return removed

    def retain(self, policy: Retention) -> dict[str, int]:
        """Deletes what a policy does not keep, a few rows at a time, and gives their space back; returns how many rows went.

        Moves of aliases are not archived.

        On SQLite a file of which more than a fifth is free becomes smaller, for 5 s at a time, where it was created by this version or
        later; an older one reuses its space.
        """
        removed = {"decisions": 0, "traces": 0, "model_versions": 0}
        archive = None if policy.archive is None else Archive(policy.archive, self.dimension)
        if policy.decisions is not None:
            removed["decisions"] += self._delete(decisions, _older(decisions, policy.decisions), archive)
        if policy.unanswered is not None:
            old = decisions.c.created_at < self.clock() - policy.unanswered
            removed["decisions"] += self._delete(decisions, and_(old, _UNANSWERED), archive)
        if policy.traces is not None:
            removed["traces"] += self._delete(traces, and_(_older(traces, policy.traces), _LEARNED), archive)
        if policy.models is not None:
            removed["model_versions"] += self._prune_models(policy.models, archive)
        if policy.moves is not None:
            self._prune_moves(policy.moves)
        if policy.size is not None:
            for table, where in ((decisions, None), (traces, _LEARNED)):
                removed[str(table.name)] += self._shrink(table, where, policy.size, archive)
        if any(removed.values()):
            self._give_back()
        return removed

    def size(self) -> dict[str, int]:
        """Bytes of the database, of them in use, and the rows of what grows."""
        with self.database.read() as connection:
            counts = [select(func.count()).select_from(table).scalar_subquery() for table in (decisions, traces, model_versions)]
            n_decisions, n_traces, n_models = connection.execute(select(*counts)).one()
            if self.database.is_postgresql:
                whole = connection.scalar(text("SELECT pg_database_size(current_database())"))
                rows = "SELECT coalesce(sum(pg_column_size(t.*)), 0) FROM {} t"
                used = sum(connection.scalar(text(rows.format(t))) for t in ("decisions", "traces", "model_versions"))
            else:
                n, free, each = (connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in _PAGES)
                whole, used = n * each, (n - free) * each
        return {"bytes": whole, "used": used, "decisions": n_decisions, "traces": n_traces, "models": n_models}

    def _delete(self, table: Table, where: ColumnElement[bool], archive: Archive | None = None, most: float = math.inf) -> int:
        """Deletes the rows in batches, the oldest first, after they were archived."""
        (key,) = table.primary_key.columns
        removed = 0
        while removed < most:
            with self.database.read() as connection:
                oldest = select(key).where(where).order_by(key).limit(int(min(_BATCH, most - removed)))
                keys = connection.scalars(oldest).all()
            if not keys:
                break
            if archive is not None:
                archive.add(self.database, table, keys)
            with self.database.write() as connection:
                removed += connection.execute(delete(table).where(key.in_(keys), where)).rowcount  # as things are by now
        return removed

    def _prune_models(self, keep: int, archive: Archive | None = None) -> int:
        with self.database.read() as connection:
            users = connection.scalars(select(model_versions.c.user_id).distinct()).all()
        removed = 0
        for user in users:
            mine = model_versions.c.user_id == user
            removed += self._delete(model_versions, and_(mine, _older(model_versions, keep, mine), _UNNAMED), archive)
        return removed

    def _prune_moves(self, keep: int) -> None:
        with self.database.write() as connection:
            table, newer = alias_moves.c, alias_moves.alias()
            latest = select(func.max(newer.c.number)).where(newer.c.user_id == table.user_id, newer.c.alias == table.alias)
            connection.execute(delete(alias_moves).where(table.number <= latest.scalar_subquery() - max(keep, 1)))
            mine, later = principal_moves.c, principal_moves.alias()
            newest = select(func.count()).where(
                later.c.user_id == mine.user_id, later.c.principal == mine.principal, later.c.seq > mine.seq
            )
            connection.execute(delete(principal_moves).where(newest.scalar_subquery() >= max(keep, 1)))

    def _shrink(self, table: Table, where: ColumnElement[bool] | None, most: int, archive: Archive | None) -> int:
        """Deletes the oldest rows, a twentieth at a time, until the database uses no more bytes."""
        (key,) = table.primary_key.columns
        removed = 0
        while self.size()["used"] > most:
            with self.database.read() as connection:
                n = connection.scalar(select(func.count()).select_from(table)) or 0
            gone = self._delete(table, key > 0 if where is None else where, archive, max(_LEAST, n // 20))
            removed += gone
            if not gone:
                break
        return removed

    def _give_back(self) -> None:
        """Free pages of SQLite to the disk, some at a time, but for those that new rows will soon need; PostgreSQL's autovacuum does it."""
        until = time.monotonic() + _VACUUM
        while not self.database.is_postgresql and time.monotonic() < until:
            with self.database.write() as connection:
                n, free = (connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in _PAGES[:2])
                if free <= _SPARE * n or connection.exec_driver_sql("PRAGMA auto_vacuum").scalar_one() != _INCREMENTAL:
                    return
                steps = f"PRAGMA incremental_vacuum({min(_STEP, free)})"
                connection.connection.cursor().execute(steps).fetchall()  # a row a page


_LEARNED = not_(exists().where(priorities.c.trace_seq == traces.c.seq, ~priorities.c.aside, priorities.c.priority == math.inf))
_RETURN, _LATEST = alias_moves.alias(), alias_moves.alias()
_OF_PRODUCTION = and_(_LATEST.c.alias == "production", _RETURN.c.alias == "production", _RETURN.c.user_id == _LATEST.c.user_id)
_NEWER = alias_moves.alias()
_IS_LATEST = (
    _LATEST.c.number
    == (select(func.max(_NEWER.c.number)).where(_NEWER.c.user_id == _LATEST.c.user_id, _NEWER.c.alias == _LATEST.c.alias))
    .correlate(_LATEST)
    .scalar_subquery()
)
_UNNAMED = and_(
    not_(exists().where(model_aliases.c.user_id == model_versions.c.user_id, model_aliases.c.version == model_versions.c.version)),
    not_(
        exists().where(
            _OF_PRODUCTION, _IS_LATEST, _LATEST.c.user_id == model_versions.c.user_id, _RETURN.c.number == _LATEST.c.back,
            _RETURN.c.after == model_versions.c.version,
        )
    ),
)  # fmt: skip
_UNANSWERED = not_(exists().where(traces.c.decision_id == decisions.c.id))


def _older(table: Table, keep: int, among: ColumnElement[bool] | None = None) -> ColumnElement[bool]:
    """The rows before the newest so many, among those of one user."""
    (key,) = table.primary_key.columns
    newest = select(key).order_by(key.desc()) if among is None else select(key).where(among).order_by(key.desc())
    return key <= newest.offset(keep).limit(1).scalar_subquery()
