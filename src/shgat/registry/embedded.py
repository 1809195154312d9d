"""A registry whose versions are rows of the store that gateways serve from."""

import json
from collections.abc import Mapping
from typing import Any

from ..errors import StoreError
from ..store import ANYTHING, Anything, Move, Store
from .contract import Registry, Version


class StoreRegistry(Registry):
    """The versions of one user's model in a store. Gateways of that user take over what becomes production, shadow or canary.

    Parameters
    ----------
    store : of versions and aliases
    user_id : whose model
    """

    def __init__(self, store: Store, user_id: str = "local") -> None:
        super().__init__(store, user_id, user_id)

    def add(self, data: bytes, facts: Mapping[str, Any]) -> Version:
        return self.version(self.store.put_model(data, facts, user_id=self.user_id, activate=False))

    def versions(self) -> list[Version]:
        manifests = self.store.manifests(self.user_id)
        return [
            Version(v.version, v.created_at, v.size, _read(manifests.get(v.version)))
            for v in self.store.model_versions(self.user_id)
        ]

    def version(self, number: int) -> Version:
        found = self.store.model(self._mine(number))
        return Version(number, found.created_at, len(found.data), found.manifest)

    def data(self, number: int) -> bytes:
        return self.store.model(self._mine(number)).data

    def move(self, alias: str, number: int | None, *, expected: int | Anything | None = ANYTHING, **told: Any) -> Move:
        return self.store.move_model_alias(alias, number, expected=expected, user_id=self.user_id, **told)

    def _mine(self, number: int) -> int:
        if number not in {v.version for v in self.store.model_versions(self.user_id)}:
            raise StoreError(f"{self.store.url}: model version {number}: there is no such version of {self.user_id!r}")
        return number


def _read(manifest: object) -> dict[str, Any]:
    """What a row says; of one that is damaged nothing."""
    try:
        found = json.loads(manifest) if isinstance(manifest, str) else None
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {}
