"""The versions of the model in a store: whole model files, each under a SHA-256 that covers its bytes and its manifest."""

import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from sqlalchemy import ColumnElement, and_, case, func, select, update

from .._files import sha256
from ..errors import DamagedError, InputError, ModelFileError, StoreError
from .aliases import ANYTHING, AliasRows, Anything, Move
from .database import Database
from .schema import DEFAULT_USER, model_aliases, model_versions

_log = logging.getLogger("shgat")
_Content = TypeVar("_Content")


@dataclass(frozen=True, eq=False)
class ModelVersion:
    """One version, verified.

    Attributes
    ----------
    data : a model file
    manifest : its description, JSON
    created_at : seconds since the epoch
    """

    version: int
    data: bytes
    manifest: dict[str, Any]
    created_at: float


class ModelSummary(NamedTuple):
    """A version without its bytes."""

    version: int
    active: bool
    size: int  # bytes
    created_at: float
    updated_at: float


@dataclass(frozen=True, eq=False)
class Intact(Generic[_Content]):
    """What a version holds, and the newer versions that were found damaged and passed over."""

    version: int
    content: _Content
    damaged: tuple[int, ...] = ()


class ModelVersionRows(AliasRows):
    """The part of a store that holds models. A version is never changed; the one that serves a user is called "production"."""

    database: Database
    clock: Callable[[], float] = time.time

    def put_model(
        self,
        data: bytes,
        manifest: Mapping[str, Any],
        *,
        user_id: str = DEFAULT_USER,
        activate: bool = True,
        who: str = "shgat",
        why: str = "stored",
    ) -> int:
        """Stores a new version and returns its number. Unless told otherwise it is in production at once; `who` and `why` are of that move."""
        try:
            described = json.dumps(dict(manifest), allow_nan=False)
        except (TypeError, ValueError) as error:
            raise InputError(f"the manifest of a model is JSON: {error}") from None
        now = self.clock()
        row = {
            "user_id": user_id,
            "data": bytes(data),
            "manifest": described,
            "sha256": _digest(data, described),
            "created_at": now,
            "updated_at": now,
            "activated_at": now if activate else None,
        }
        with self.database.write() as connection:
            number = int(connection.execute(model_versions.insert().returning(model_versions.c.version), row).scalar_one())
            if activate:
                self._moved(connection, "production", number, expected=ANYTHING, action="deploy", who=who, why=why, user_id=user_id)
            return number

    def activate_model(self, version: int, *, who: str = "shgat", why: str = "activated") -> None:
        """Puts a version of any user into that user's production. It has to be intact."""
        with self.database.read() as connection:
            user = connection.scalar(select(model_versions.c.user_id).where(model_versions.c.version == version))
        self.move_model_alias("production", version, who=who, why=why, user_id=DEFAULT_USER if user is None else user)

    def move_model_alias(
        self,
        alias: str,
        version: int | None,
        *,
        expected: int | Anything | None = ANYTHING,
        user_id: str = DEFAULT_USER,
        **told: Any,
    ) -> Move:
        """`move_alias` to a version of this store, which has to be intact and the user's.

        Parameters
        ----------
        told : action, who, why, forced, figures, terms and restores, as `move_alias` takes them
        """
        told = {"action": "assign", "who": "shgat", "why": "", **told}
        if version is not None:
            self.model(version)
        mine = model_versions.c.version == version, model_versions.c.user_id == user_id
        with self.database.write() as connection:
            if version is not None and connection.scalar(select(model_versions.c.version).where(*mine)) is None:
                raise StoreError(f"{self.database.name}: model version {version}: {user_id!r} has no such version")
            if alias == "production":
                now = self.clock()
                connection.execute(update(model_versions).where(*mine).values(activated_at=now, updated_at=now))
            return self._moved(connection, alias, version, expected=expected, user_id=user_id, **told)

    def newest_model(self, read: Callable[[ModelVersion], _Content], user_id: str = DEFAULT_USER) -> Intact[_Content] | None:
        """The version in production, read; where it is damaged the one that served before it, and so on. None where there is none at all.

        This is the only way back from a damaged version.

        Parameters
        ----------
        read : makes of a version what the caller wants; a ModelFileError says that it is damaged

        Raises
        ------
        StoreError
            every version that ever served is damaged.
        """
        served = model_versions.c.user_id == user_id, model_versions.c.activated_at.is_not(None)
        newest = case((_serves(), 1), else_=0).desc(), model_versions.c.activated_at.desc(), model_versions.c.version.desc()
        with self.database.read() as connection:
            versions = connection.scalars(select(model_versions.c.version).where(*served).order_by(*newest)).all()
        damaged: list[int] = []
        for version in versions:
            try:
                return Intact(version, read(self.model(version)), tuple(damaged))
            except (DamagedError, ModelFileError) as error:
                _log.error("%s", error)
                damaged.append(version)
        if damaged:
            raise DamagedError(f"{self.database.name}: all {len(damaged)} versions of the model are damaged; train anew")
        return None

    def model(self, version: int) -> ModelVersion:
        """One version, verified; StoreError where there is none, or where it is damaged."""
        with self.database.read() as connection:
            row = connection.execute(select(model_versions).where(model_versions.c.version == version)).one_or_none()
        what = f"{self.database.name}: model version {version}"
        if row is None:
            raise StoreError(f"{what}: there is no such version")
        if not isinstance(row.data, bytes) or not isinstance(row.manifest, str):
            raise DamagedError(f"{what} is damaged: its columns hold other types; train anew or activate another version")
        if _digest(row.data, row.manifest) != row.sha256:
            raise DamagedError(f"{what} is damaged: its SHA-256 does not match; train anew or activate another version")
        return ModelVersion(version, row.data, json.loads(row.manifest), row.created_at)

    def model_versions(self, user_id: str = DEFAULT_USER) -> list[ModelSummary]:
        """The versions of a user, oldest first."""
        table = model_versions.c
        query = select(table.version, _serves(), func.length(table.data), table.created_at, table.updated_at)
        with self.database.read() as connection:
            rows = connection.execute(query.where(table.user_id == user_id).order_by(table.version))
            return [ModelSummary(row[0], bool(row[1]), *row[2:]) for row in rows]

    def manifests(self, user_id: str = DEFAULT_USER) -> dict[int, str]:
        """version -> manifest as it was written, of a user's versions, unverified: what is read to show many of them."""
        with self.database.read() as connection:
            query = select(model_versions.c.version, model_versions.c.manifest).where(model_versions.c.user_id == user_id)
            return {int(version): manifest for version, manifest in connection.execute(query)}

    def active_model(self, user_id: str = DEFAULT_USER) -> int | None:
        """The number of the version in production; None where there is none."""
        return self.aliases(user_id).get("production")

    def model_age(self, user_id: str = DEFAULT_USER) -> float | None:
        """Seconds since a version was last stored or activated; None where there is none."""
        query = select(func.max(model_versions.c.updated_at)).where(model_versions.c.user_id == user_id)
        with self.database.read() as connection:
            updated = connection.scalar(query)
        return None if updated is None else max(0.0, self.clock() - updated)


def _serves() -> ColumnElement[bool]:
    """Is a version in its user's production?"""
    mine = and_(model_aliases.c.user_id == model_versions.c.user_id, model_aliases.c.alias == "production")
    return select(model_aliases.c.version).where(mine, model_aliases.c.version == model_versions.c.version).exists()


def _digest(data: bytes, manifest: str) -> str:
    described = manifest.encode()
    return sha256(len(described).to_bytes(8, "big"), described, data)
