"""What every registry of versions does, wherever their files lie."""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import InputError, StoreError
from ..store import ANYTHING, Anything, Move, Store

_NUMBER = re.compile(r"v?(\d{1,18})")


@dataclass(frozen=True)
class Version:
    """One version: a model file that is never changed, and the facts about it.

    Attributes
    ----------
    number : 7 for "v7"
    created_at : when it was registered, seconds since the epoch
    size : bytes of the file
    facts : see `facts_of`; versions of before have fewer
    """

    number: int
    created_at: float
    size: int
    facts: dict[str, Any]

    @property
    def name(self) -> str:
        return f"v{self.number}"

    def summary(self, aliases: Mapping[str, int]) -> dict[str, Any]:
        """In a row, as JSON values; `aliases` says which of them name it."""
        metrics = self.facts.get("metrics") or {}
        return {
            "version": self.number,
            "aliases": [alias for alias, number in aliases.items() if number == self.number],
            "created_at": self.created_at,
            "trained_at": self.facts.get("trained_at"),
            "parent": self.facts.get("parent"),
            "bytes": self.size,
            "catalog": self.facts.get("catalog"),
            "encoder": self.facts.get("encoder"),
            "traces": metrics.get("n_traces"),
            "reason": self.facts.get("reason") or metrics.get("reason"),
        }


class Registry(ABC):
    """Versions, and the aliases that name them: "production", "staging", "shadow" and "canary".

    Aliases and the log of their moves are rows of a store, whoever keeps the files: what moves them compares and sets in one transaction.

    Parameters
    ----------
    store : of the aliases
    owner : whose aliases in that store
    user_id : whose model, and whose traces
    """

    def __init__(self, store: Store, owner: str, user_id: str) -> None:
        self.store, self.owner, self.user_id = store, owner, user_id

    @abstractmethod
    def add(self, data: bytes, facts: Mapping[str, Any]) -> Version:
        """Registers a model file. No alias names it yet."""

    @abstractmethod
    def versions(self) -> list[Version]:
        """All of them, oldest first."""

    @abstractmethod
    def version(self, number: int) -> Version:
        """One of them; StoreError where there is none, or where it is damaged."""

    @abstractmethod
    def data(self, number: int) -> bytes:
        """A version's file, verified; StoreError where there is none, or where it is damaged."""

    def aliases(self) -> dict[str, int]:
        """alias -> version, of the aliases that name one."""
        return self.store.aliases(self.owner)

    def terms(self, alias: str) -> tuple[int, dict[str, Any]] | None:
        """The version that an alias names, and under which terms; None where it names none."""
        return self.store.alias_terms(alias, self.owner)

    def moves(self, alias: str | None = None, limit: int | None = None) -> list[Move]:
        """The log, the latest move first."""
        return self.store.moves(self.owner, alias, limit)

    def move(self, alias: str, number: int | None, *, expected: int | Anything | None = ANYTHING, **told: Any) -> Move:
        """Lets an alias name another intact version, or none, and writes that down. Into production `promotion.promote` is the way.

        Parameters
        ----------
        expected, told : as `Store.move_alias` takes them

        Raises
        ------
        ConflictError
            the alias names another version than expected: somebody else was faster.
        StoreError
            there is no such version, or it is damaged.
        """
        if number is not None:
            self.data(number)
        return self.store.move_alias(alias, number, expected=expected, user_id=self.owner, **told)

    def rollback(self, alias: str = "production", *, who: str, why: str = "", figures: Mapping[str, Any] | None = None) -> Move:
        """Lets an alias name again what it named before, by the log; called again, what it named before that.

        What is damaged or gone is passed over. An alias that named nothing before names nothing again.

        Raises
        ------
        ConflictError
            it was moved meanwhile.
        StoreError
            production was never anything else that is still there.
        """
        latest = next(iter(self.moves(alias, 1)), None)
        now = None if latest is None else latest.after
        told: dict[str, Any] = {"expected": now, "action": "rollback", "who": who, "why": why, "figures": figures}
        at = latest
        while at is not None and at.back is not None:
            at = self.store.move(alias, at.back, self.owner)
            if at is not None and at.after != now and (at.after is None or self._intact(at.after)):
                return self.move(alias, at.after, restores=at.number, **told)
        if alias == "production" or now is None:
            raise StoreError(f"{self.store.url}: there is no earlier version that {alias} could go back to")
        return self.move(alias, None, restores=0, **told)

    def named(self, name: str | int) -> int:
        """The number that "v7", "7", 7 or an alias means; StoreError for an alias that names none."""
        if isinstance(name, int):
            return name
        if found := _NUMBER.fullmatch(name):
            return int(found[1])
        if name not in (known := self.aliases()):
            raise InputError(
                f"there is no version {name!r:.100}: give a number or one of: {', '.join(known) or '(no alias names one)'}"
            )
        return known[name]

    def _intact(self, number: int) -> bool:
        try:
            self.data(number)
        except StoreError:
            return False
        return True
