"""Slots: which version answers requests, which one is only watched beside it, which one answers a few of them."""

import threading
from dataclasses import dataclass
from typing import Literal

from .. import _fork
from .._check import choice
from ..shgat import SHGAT

Role = Literal["production", "shadow", "canary"]
ROLES: tuple[Role, ...] = ("production", "shadow", "canary")


@dataclass(frozen=True, eq=False)
class ServedVersion:
    """A model as it serves: immutable, replaced as a whole.

    Attributes
    ----------
    name : "v7" for version 7 of the store, or "untrained"
    number : 7, or 0
    model : nobody changes it any more
    trouble : why it is not what it should be, "" where it is
    beside : does it stand beside production, as canary or shadow?
    """

    name: str
    number: int
    model: SHGAT
    trouble: str = ""
    beside: bool = False


class Slots:
    """One version a role. There is always one in production; the other roles may be empty.

    See `shgat.registry.traffic.Traffic` for who is asked.

    Readers need no lock: a version is swapped in as a whole, and with its index built, so that no request waits for it.

    Attributes
    ----------
    swaps : how often the version in production was replaced
    """

    def __init__(self, production: ServedVersion) -> None:
        production.model.index()
        self._versions: dict[Role, ServedVersion] = {"production": production}
        self._lock = threading.Lock()
        self.swaps = 0
        _fork.renew(self)

    def after_fork(self) -> None:
        """A thread of the parent may have held the lock."""
        self._lock = threading.Lock()

    @property
    def production(self) -> ServedVersion:
        """The version that answers requests."""
        return self._versions["production"]

    def get(self, role: Role) -> ServedVersion | None:
        """The version in a role, None where there is none."""
        return self._versions.get(choice(role, ROLES, "role"))

    def put(self, version: ServedVersion, role: Role = "production") -> None:
        """Puts a version into a role; requests that are under way are finished by the one before."""
        choice(role, ROLES, "role")
        version.model.index()
        with self._lock:
            self._versions = {**self._versions, role: version}
            self.swaps += role == "production"

    def clear(self, role: Literal["shadow", "canary"]) -> None:
        """Empties a role; InputError for the one that is never empty."""
        choice(role, ROLES[1:], "role")
        with self._lock:
            self._versions = {r: v for r, v in self._versions.items() if r != role}
