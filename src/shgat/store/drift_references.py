"""What a version was made for, as bytes beside it; goes with the version."""

import time
from collections.abc import Callable

from sqlalchemy import select

from ..errors import DamagedError, StoreError
from .database import Database
from .schema import drift_references, model_versions


class DriftReferenceRows:
    """The part of a store that holds references of drift. What they are is said by `shgat.drift.reference`; they bring their own checksums."""

    database: Database
    clock: Callable[[], float] = time.time

    def put_drift_reference(self, version: int, data: bytes) -> None:
        """Keeps the reference of a version, in place of the one that it had.

        Raises
        ------
        StoreError
            where there is no such version.
        """
        row = {"version": version, "data": bytes(data), "created_at": self.clock()}
        insert = self.database.insert(drift_references).values(**row)
        with self.database.write() as connection:
            if connection.scalar(select(model_versions.c.version).where(model_versions.c.version == version)) is None:
                raise StoreError(f"{self.database.name}: model version {version}: there is no such version")
            connection.execute(insert.on_conflict_do_update(index_elements=["version"], set_=row))

    def drift_reference(self, version: int) -> bytes | None:
        """The reference of a version; None where none was kept."""
        with self.database.read() as connection:
            data = connection.scalar(select(drift_references.c.data).where(drift_references.c.version == version))
        if data is not None and not isinstance(data, bytes):
            raise DamagedError(f"{self.database.name}: the drift reference of model version {version} is damaged: keep another one")
        return data
