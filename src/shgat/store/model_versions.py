"""The versions of the trained parameters in a store, each under a SHA-256 that covers its bytes and its manifest."""

import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from sqlalchemy import func, select, update

from .._files import sha256
from ..errors import InputError, StoreError
from .database import DamagedError, Database
from .schema import DEFAULT_USER, parameters

_log = logging.getLogger("shgat")


@dataclass(frozen=True, eq=False)
class Parameters:
    """One version, verified.

    Attributes
    ----------
    data : a safetensors file
    manifest : its description, JSON
    created_at : seconds since the epoch
    damaged : newer versions that were found damaged and passed over
    """

    version: int
    data: bytes
    manifest: dict[str, Any]
    created_at: float
    damaged: tuple[int, ...] = ()


class ParameterVersion(NamedTuple):
    """A version without its bytes."""

    version: int
    active: bool
    size: int  # bytes
    created_at: float
    updated_at: float


class ParameterVersions:
    """The part of a store that holds parameters. Exactly one version of a user is active, once there is any."""

    database: Database
    clock: Callable[[], float] = time.time

    def put_parameters(
        self, data: bytes, manifest: Mapping[str, Any], *, user_id: str = DEFAULT_USER, activate: bool = True
    ) -> int:
        """Stores a new version, active unless told otherwise, and returns its number."""
        try:
            described = json.dumps(dict(manifest), allow_nan=False)
        except (TypeError, ValueError) as error:
            raise InputError(f"the manifest of parameters is JSON: {error}") from None
        now = self.clock()
        row = {
            "user_id": user_id,
            "data": bytes(data),
            "manifest": described,
            "sha256": _digest(data, described),
            "created_at": now,
            "updated_at": now,
        }
        with self.database.write() as connection:
            of_user = parameters.c.user_id == user_id
            active = activate or connection.scalar(select(func.count()).where(of_user)) == 0
            if active:
                connection.execute(update(parameters).where(of_user, parameters.c.active).values(active=False))
            row.update(active=active, activated_at=now if active else None)
            return int(connection.execute(parameters.insert().returning(parameters.c.version), row).scalar_one())

    def activate_parameters(self, version: int) -> None:
        """Makes a version the active one of its user: a promotion or a rollback. It has to be intact."""
        self.parameters(version)
        now = self.clock()
        with self.database.write() as connection:
            user = select(parameters.c.user_id).where(parameters.c.version == version).scalar_subquery()
            of_user = parameters.c.user_id == user
            connection.execute(update(parameters).where(of_user, parameters.c.active).values(active=False))
            values = {"active": True, "activated_at": now, "updated_at": now}
            connection.execute(update(parameters).where(parameters.c.version == version).values(**values))

    def latest_parameters(self, user_id: str = DEFAULT_USER) -> Parameters | None:
        """The active version, or the newest intact one before it where it is damaged; None where there is none at all.

        Raises
        ------
        StoreError
            every version is damaged.
        """
        served = parameters.c.user_id == user_id, parameters.c.activated_at.is_not(None)
        newest = parameters.c.active.desc(), parameters.c.activated_at.desc(), parameters.c.version.desc()
        with self.database.read() as connection:
            versions = connection.scalars(select(parameters.c.version).where(*served).order_by(*newest)).all()
        damaged: list[int] = []
        for version in versions:
            try:
                found = self.parameters(version)
            except DamagedError as error:
                _log.error("%s", error)
                damaged.append(version)
            else:
                return replace(found, damaged=tuple(damaged))
        if damaged:
            raise DamagedError(f"{self.database.name}: all {len(damaged)} versions of the parameters are damaged; train anew")
        return None

    def parameters(self, version: int) -> Parameters:
        """One version, verified; StoreError where there is none, or where it is damaged."""
        with self.database.read() as connection:
            row = connection.execute(select(parameters).where(parameters.c.version == version)).one_or_none()
        what = f"{self.database.name}: parameters version {version}"
        if row is None:
            raise StoreError(f"{what}: there is no such version")
        if not isinstance(row.data, bytes) or not isinstance(row.manifest, str):
            raise DamagedError(f"{what} is damaged: its columns hold other types; train anew or activate another version")
        if _digest(row.data, row.manifest) != row.sha256:
            raise DamagedError(f"{what} is damaged: its SHA-256 does not match; train anew or activate another version")
        return Parameters(version, row.data, json.loads(row.manifest), row.created_at)

    def parameter_versions(self, user_id: str = DEFAULT_USER) -> list[ParameterVersion]:
        """The versions of a user, oldest first."""
        table = parameters.c
        query = select(table.version, table.active, func.length(table.data), table.created_at, table.updated_at)
        with self.database.read() as connection:
            rows = connection.execute(query.where(table.user_id == user_id).order_by(table.version))
            return [ParameterVersion(*row) for row in rows]

    def active_parameters(self, user_id: str = DEFAULT_USER) -> int | None:
        """The number of the active version; None where there is none."""
        of_user = parameters.c.user_id == user_id, parameters.c.active
        with self.database.read() as connection:
            return connection.scalar(select(parameters.c.version).where(*of_user))

    def parameters_age(self, user_id: str = DEFAULT_USER) -> float | None:
        """Seconds since parameters were last stored or activated; None where there are none."""
        query = select(func.max(parameters.c.updated_at)).where(parameters.c.user_id == user_id)
        with self.database.read() as connection:
            updated = connection.scalar(query)
        return None if updated is None else max(0.0, self.clock() - updated)


def _digest(data: bytes, manifest: str) -> str:
    described = manifest.encode()
    return sha256(len(described).to_bytes(8, "big"), described, data)
