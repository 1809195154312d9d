"""The versions of a model over HTTP: what there is, what serves, and the two ways to change that."""

import contextlib
from typing import Any

from ..errors import ConflictError, InputError
from ..registry import StoreRegistry, Terms
from ..registry import promote as through_the_gate
from ..serving import Ranker
from ..store import Store
from ..store.aliases import ALIASES
from .problems import Problem

ATTEMPTS = 4  # to promote, where production moves meanwhile
MOVES = 50  # of the log, the latest
FIGURES = ("hit@1", "recall@5", "mrr", "n")


class VersionsOverHttp:
    """Reads and moves versions in the store that a ranker serves from. Every call may wait for the store: they belong into threads.

    Parameters
    ----------
    url : of the store
    user_id : whose model
    """

    def __init__(self, ranker: Ranker, url: str, user_id: str) -> None:
        self._ranker, self._url, self._user = ranker, url, user_id

    def listed(self) -> dict[str, Any]:
        """All versions, the latest first, the aliases, and the latest moves."""
        with Store.open(self._url) as store:
            registry = StoreRegistry(store, self._user)
            aliases = registry.aliases()
            rows = [{**v.summary(aliases), "validation": _figures(v.facts)} for v in reversed(registry.versions())]
            return {
                "serving": self._ranker.model_version,
                "versions": rows,
                "aliases": aliases,
                "moves": [vars(move) for move in registry.moves(limit=MOVES)],
            }

    def promote(
        self, name: str, alias: str, who: str, why: str, force: bool, percent: float | None, hours: float | None
    ) -> dict[str, Any]:
        """Lets an alias name a version; into production through the gate.

        Raises
        ------
        Problem
            not-found, where there is no such version.
        RefusedError
            the gate says no.
        """
        if alias != "production" and force:
            raise InputError("force goes with the alias production, which alone has a gate")
        if alias != "canary" and not (percent is None and hours is None):
            raise InputError("percent and hours go with the alias canary")
        if force and not why:
            raise InputError("force needs why: a promotion past the gate says so")
        with Store.open(self._url) as store:
            registry = StoreRegistry(store, self._user)
            number = _number(registry, name)
            if alias == "production":
                move = self._through_the_gate(registry, number, who=who, why=why, force=force)
            elif alias == "canary":
                until = store.clock() + 3600.0 * (24.0 if hours is None else hours)
                terms = Terms(percent=5.0 if percent is None else percent, until=until)
                move = registry.move(alias, number, who=who, why=why, terms=terms.to_dict())
            else:
                move = registry.move(alias, number, who=who, why=why)
        return self._moved(move)

    def _through_the_gate(self, registry: StoreRegistry, number: int, **told: Any) -> Any:
        """Compared again where a training brought something else into production meanwhile: that happens every few seconds."""
        for _ in range(ATTEMPTS - 1):
            with contextlib.suppress(ConflictError):
                return through_the_gate(registry, number, self._ranker.catalog, **told)
        return through_the_gate(registry, number, self._ranker.catalog, **told)

    def rollback(self, name: str, alias: str, who: str, why: str) -> dict[str, Any]:
        """Lets an alias that names a version name again what it named before: asked twice, it goes back once.

        Raises
        ------
        Problem
            not-found, where there is no such version; conflict, where the alias names another one or there is no way back.
        """
        with Store.open(self._url) as store:
            registry = StoreRegistry(store, self._user)
            number, now = _number(registry, name), registry.aliases().get(alias)
            if now != number:
                raise Problem(
                    "conflict", f"{alias} names {'none' if now is None else f'v{now}'}, not v{number}: nothing was changed"
                )
            if alias == "production" and not any(m.back is not None for m in registry.moves(alias, 1)):
                raise Problem("conflict", f"v{number} was the first in production: there is no way back")
            move = registry.rollback(alias, who=who, why=why)
        return self._moved(move)

    def _moved(self, move: Any) -> dict[str, Any]:
        self._ranker.refresh()
        return {"move": vars(move), "serving": self._ranker.model_version}


def _number(registry: StoreRegistry, name: str) -> int:
    """Of a version by number, as v7, or by an alias."""
    if name in ALIASES and name not in registry.aliases():
        raise Problem("not-found", f"the alias {name} names no version")
    try:
        number = registry.named(name)
    except InputError as error:
        raise Problem("not-found", str(error)) from None
    if number not in {version.number for version in registry.versions()}:
        raise Problem("not-found", f"there is no version v{number}")
    return number


def _figures(facts: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What its training said of it on held-out traces, and of cosine beside it."""
    measured = (facts.get("metrics") or {}).get("validation") or {}
    return {of: {name: parts.get("all", {}).get(name) for name in FIGURES} for of, parts in measured.items()}
