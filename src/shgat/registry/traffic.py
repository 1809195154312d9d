"""Who answers which request: production, or for some sessions the canary; and the shadow that is asked besides."""

import logging
from collections.abc import Callable
from typing import Any

from ..errors import ConflictError, DamagedError, InputError, ModelFileError
from ..graph import Catalog
from ..store import Store
from .canary import Terms, Watch, answers
from .shadow import Rank, Shadow
from .slots import ROLES, ServedVersion, Slots
from .versions import Versions

_log = logging.getLogger("shgat")
GUARDRAILS = "guardrails"  # who takes a canary away, in the log of moves


class Traffic:
    """Splits the requests of a gateway between versions, as the aliases of its store say.

    Parameters
    ----------
    slots : where the versions stand
    versions : opens them
    clock : seconds since the epoch

    Attributes
    ----------
    watch : of the canary, None where there is none
    shadow : compares
    """

    def __init__(self, slots: Slots, versions: Versions, clock: Callable[[], float]) -> None:
        self.slots, self._versions, self._clock = slots, versions, clock
        self.watch: Watch | None = None
        self.shadow = Shadow()
        self._passed: dict[str, int] = {}  # role -> a version that cannot be opened here

    def of(self, key: str | None, production: ServedVersion) -> ServedVersion:
        """The version that answers a session, or a text that has none; without either it is production.

        So it is too while the catalogue has changed and the canary has not been moved to it yet.
        """
        canary, watch = self.slots.get("canary"), self.watch
        if canary is None or watch is None or key is None or self._clock() >= watch.terms.until:
            return production
        if not _same(canary.model.catalog, production.model.catalog):
            return production
        return canary if answers(key, canary.number, watch.terms.percent) else production

    def answered(
        self, served: ServedVersion, seconds: float, failed: bool, rank: Callable[[ServedVersion], Rank], ids: tuple[str, ...]
    ) -> None:
        """An answer is made; what it costs is counted, and the shadow is told.

        Parameters
        ----------
        failed : did something else than the model rank?
        rank : what a shadow would answer
        ids : what went out
        """
        watch, canary, shadow = self.watch, self.slots.get("canary"), self.slots.get("shadow")
        if watch is not None:
            watch.answered(served is canary, seconds, failed)
        if shadow is not None and _same(shadow.model.catalog, served.model.catalog):
            self.shadow.offer(shadow, rank(shadow), ids)

    def executed(self, version: str, outcome: float) -> None:
        """Feedback to an answer of a version, by its name."""
        watch, canary = self.watch, self.slots.get("canary")
        if watch is not None and canary is not None:
            watch.executed(version == canary.name, outcome)

    def follow(self, store: Store) -> None:
        """Puts in place what the aliases name now, and takes away a canary that is worse or whose time is over."""
        for role in ROLES[1:]:
            found = store.alias_terms(role, self._versions.user_id)
            present = self.slots.get(role)
            if found is None:
                self._clear(role)
            elif not self._stands(present, found[0]) and self._passed.get(role) != found[0]:
                self._put(role, store, *found)
        self._judge(store)

    def stats(self) -> dict[str, Any]:
        """As JSON values; None for what there is not."""
        canary, watch = self.slots.get("canary"), self.watch
        shadow = self.slots.get("shadow")
        return {
            "canary": None
            if canary is None or watch is None
            else {"version": canary.name, **watch.terms.to_dict(), **watch.figures()},
            "shadow": None if shadow is None else {**self.shadow.stats(), "version": shadow.name},
        }

    def close(self) -> None:
        """Ends the shadow's thread."""
        self.shadow.close()

    def _stands(self, present: ServedVersion | None, number: int) -> bool:
        """Is it this version, over the catalogue that is served by now?"""
        return present is not None and present.number == number and _same(present.model.catalog, self._versions.catalog)

    def _put(self, role: Any, store: Store, number: int, terms: dict[str, Any]) -> None:
        before, watch = self.slots.get(role), self.watch
        try:
            if role == "canary" and (before is None or before.number != number):
                watch = Watch(Terms.from_dict(terms))
            model = self._versions.open(store.model(number).data, f"model version {number}")
        except (DamagedError, ModelFileError, InputError) as error:
            _log.error("the %s does not serve: %s", role, error)
            self._passed[role] = number
            self._clear(role)
            return
        if role == "canary":
            self.watch = None  # nobody is counted for the one before any more
        self.slots.put(ServedVersion(f"v{number}", number, model, beside=True), role)
        if role == "canary":
            self.watch = watch

    def _clear(self, role: Any) -> None:
        if self.slots.get(role) is not None:
            self.slots.clear(role)
        if role == "canary":
            self.watch = None

    def _judge(self, store: Store) -> None:
        canary, watch = self.slots.get("canary"), self.watch
        if canary is None or watch is None:
            return
        harm = watch.harm()
        over = self._clock() >= watch.terms.until
        if not harm and not over:
            return
        why = f"worse than production: {harm}" if harm else "its time is over, and nothing says that it is worse than production"
        user = self._versions.user_id
        try:
            store.move_alias(
                "canary",
                None,
                expected=canary.number,
                action="clear",
                who=GUARDRAILS,
                why=why,
                figures={"harm": harm, **watch.figures()},
                user_id=user,
            )
            _log.warning("canary %s is taken away: %s", canary.name, why)
        except ConflictError:  # another gateway was faster, or somebody has put another one there
            pass
        self._clear("canary")


def _same(a: Catalog, b: Catalog) -> bool:
    return a is b or (a.checksum == b.checksum and a.aliases == b.aliases)
