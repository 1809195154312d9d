"""Aliases of versions in a store, moved one at a time, and the log of every move."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from sqlalchemy import Connection, Row, func, select

from .._check import choice, storable_text
from ..errors import ConflictError, InputError
from .database import Database
from .schema import DEFAULT_USER, alias_moves, model_aliases

ALIASES = ("production", "staging", "shadow", "canary")
ACTIONS = ("deploy", "promote", "assign", "rollback", "clear")


class Anything(Enum):
    """Whatever an alias names now; see `AliasRows.move_alias`."""

    ANYTHING = "anything"


ANYTHING: Final = Anything.ANYTHING


@dataclass(frozen=True)
class Move:
    """One move of an alias.

    Attributes
    ----------
    alias : "production", "staging", "shadow" or "canary"
    number : 1 for the first move of the alias; no number is missing
    before, after : versions, None for none
    action : "deploy" (by a gateway that trained), "promote", "assign", "rollback" or "clear"
    who, why : in words
    forced : did it pass over a gate that said no?
    figures : the gate's, or a guardrail's, as JSON values
    created_at : seconds since the epoch
    back : number of the move whose state a rollback returns to, None where there is no way back
    """

    alias: str
    number: int
    before: int | None
    after: int | None
    action: str
    who: str
    why: str
    forced: bool
    figures: dict[str, Any] | None
    created_at: float
    back: int | None


class AliasRows:
    """The part of a store that holds aliases. A move is one transaction: whoever looks sees the version before or the one after it."""

    database: Database
    clock: Callable[[], float] = time.time

    def aliases(self, user_id: str = DEFAULT_USER) -> dict[str, int]:
        """alias -> version, of the aliases that name one."""
        query = select(model_aliases.c.alias, model_aliases.c.version).where(model_aliases.c.user_id == user_id)
        with self.database.read() as connection:
            found = {row.alias: int(row.version) for row in connection.execute(query)}
        return {alias: found[alias] for alias in ALIASES if alias in found}

    def alias_terms(self, alias: str, user_id: str = DEFAULT_USER) -> tuple[int, dict[str, Any]] | None:
        """The version that an alias names and the terms that it was given; None where it names none."""
        query = select(model_aliases.c.version, model_aliases.c.terms).where(*_named(alias, user_id))
        with self.database.read() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else (int(row.version), json.loads(row.terms or "{}"))

    def move_alias(
        self,
        alias: str,
        after: int | None,
        *,
        expected: int | Anything | None = ANYTHING,
        action: str = "assign",
        who: str = "shgat",
        why: str = "",
        forced: bool = False,
        figures: Mapping[str, Any] | None = None,
        terms: Mapping[str, Any] | None = None,
        restores: int | None = None,
        user_id: str = DEFAULT_USER,
    ) -> Move:
        """Lets an alias name another version, and writes that down, in one transaction.

        Whether there is such a version is for the caller to know; `move_model_alias` looks.

        Parameters
        ----------
        after : a version, None for none
        expected : what the alias has to name now, None for nothing
        figures, terms : JSON values
        restores : number of the move whose state this one returns to, 0 for how it was before the first

        Raises
        ------
        ConflictError
            the alias names another version than expected: somebody else was faster.
        """
        with self.database.write() as connection:
            return self._moved(
                connection, alias, after, expected=expected, action=action, who=who, why=why, forced=forced, figures=figures,
                terms=terms, restores=restores, user_id=user_id,
            )  # fmt: skip

    def moves(self, user_id: str = DEFAULT_USER, alias: str | None = None, limit: int | None = None) -> list[Move]:
        """The log, the latest move first."""
        table = alias_moves.c
        query = select(alias_moves).where(table.user_id == user_id)
        if alias is not None:
            query = query.where(table.alias == choice(alias, ALIASES, "alias"))
        query = query.order_by(table.created_at.desc(), table.number.desc(), table.alias).limit(limit)
        if alias is not None:
            query = query.order_by(None).order_by(table.number.desc())
        with self.database.read() as connection:
            return [_move(row) for row in connection.execute(query)]

    def move(self, alias: str, number: int, user_id: str = DEFAULT_USER) -> Move | None:
        """One move of an alias; None where it was never made, or has been pruned."""
        with self.database.read() as connection:
            row = connection.execute(_numbered(alias, number, user_id)).one_or_none()
        return None if row is None else _move(row)

    def _moved(
        self,
        connection: Connection,
        alias: str,
        after: int | None,
        *,
        expected: int | Anything | None,
        action: str,
        who: str,
        why: str,
        forced: bool = False,
        figures: Mapping[str, Any] | None = None,
        terms: Mapping[str, Any] | None = None,
        restores: int | None = None,
        user_id: str,
    ) -> Move:
        """`move_alias` within a transaction that writes."""
        choice(alias, ALIASES, "alias")
        choice(action, ACTIONS, "action")
        who, why = storable_text(who, "who"), storable_text(why, "why") if why else ""
        if after is None and alias == "production":
            raise InputError("production is never empty: name the version that serves instead")
        before = connection.scalar(select(model_aliases.c.version).where(*_named(alias, user_id)))
        if expected is not ANYTHING and expected != before:
            raise ConflictError(f"{alias} is {_shown(before)} and not {_shown(expected)}: it was moved meanwhile; look again")
        last = connection.scalar(
            select(func.max(alias_moves.c.number)).where(alias_moves.c.user_id == user_id, alias_moves.c.alias == alias)
        )
        back = last
        if restores is not None:
            back = connection.scalar(_numbered(alias, restores, user_id).with_only_columns(alias_moves.c.back))
        now = self.clock()
        move = Move(alias, (last or 0) + 1, before, after, action, who, why, forced, dict(figures) if figures else None, now, back)
        connection.execute(alias_moves.insert().values(**{**vars(move), "figures": _json(figures), "user_id": user_id}))
        if after is None:
            connection.execute(model_aliases.delete().where(*_named(alias, user_id)))
        else:
            row = {"user_id": user_id, "alias": alias, "version": after, "terms": _json(terms)}
            insert = self.database.insert(model_aliases).values(**row)
            connection.execute(insert.on_conflict_do_update(index_elements=["user_id", "alias"], set_=row))
        return move


def _named(alias: str, user_id: str) -> tuple[Any, Any]:
    return model_aliases.c.user_id == user_id, model_aliases.c.alias == alias


def _numbered(alias: str, number: int, user_id: str) -> Any:
    return select(alias_moves).where(alias_moves.c.user_id == user_id, alias_moves.c.alias == alias, alias_moves.c.number == number)


def _move(row: Row[Any]) -> Move:
    values = {name: value for name, value in row._mapping.items() if name != "user_id"}
    return Move(**{**values, "figures": None if row.figures is None else json.loads(row.figures)})


def _json(values: Mapping[str, Any] | None) -> str | None:
    try:
        return None if values is None else json.dumps(dict(values), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InputError(f"figures and terms of a move are JSON: {error}") from None


def _shown(version: object) -> str:
    return "none" if version is None else f"v{version}"
