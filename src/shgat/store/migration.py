"""Moving a store between revisions of its schema. Each move is one transaction under the write lock, on both databases."""

import threading
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, inspect, select, text

from ..errors import StoreError
from .database import Database
from .schema import REVISION, meta

VERSION_TABLE = "shgat_revision"  # not alembic's own name, which an application in the same database may use
_alembic_lock = threading.Lock()  # alembic.op is a global


def current_revision(connection: Connection) -> str | None:
    """The revision of the store, None where there is no store yet."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    revision = connection.scalar(text(f"SELECT version_num FROM {VERSION_TABLE}"))
    return None if revision is None else str(revision)


def stored_dimension(connection: Connection) -> int:
    """Dimension of the embeddings, fixed when the store was created."""
    value = connection.scalar(select(meta.c.value).where(meta.c.key == "dimension"))
    if value is None or not value.isdigit():
        raise StoreError(f"the store's meta table holds no dimension (found {value!r}); restore it from a backup")
    return int(value)


def upgrade(database: Database, dimension: int | None) -> None:
    """Brings the store to `REVISION`, creating it where there is none."""
    with database.write() as connection:
        before = current_revision(connection)
        if before == REVISION:
            return
        if before is None and dimension is None:
            raise StoreError(f"{database.name} is a new store; say which dimension its embeddings have (dimension=...)")
        dimension = stored_dimension(connection) if before is not None else dimension
        _move(database, connection, REVISION, dimension, down=False)
        if before is None:
            connection.execute(meta.insert().values(key="dimension", value=str(dimension)))


def downgrade(database: Database, revision: str) -> None:
    """Takes the store back to an older revision ("base": nothing is left); what newer revisions added is lost."""
    with database.write() as connection:
        _move(database, connection, revision, stored_dimension(connection), down=True)


def _move(database: Database, connection: Connection, revision: str, dimension: int | None, *, down: bool) -> None:
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("path_separator", "os")
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    script = ScriptDirectory.from_config(config)

    def steps(now: Any, context: Any) -> Any:
        return script._downgrade_revs(revision, now) if down else script._upgrade_revs(revision, now)

    database.unhurried(connection)
    try:
        with _alembic_lock, EnvironmentContext(config, script, fn=steps, destination_rev=revision) as environment:
            environment.configure(connection=connection, version_table=VERSION_TABLE, transactional_ddl=True)
            with environment.begin_transaction():
                environment.run_migrations(dimension=dimension)
    except CommandError as error:
        remedy = "upgrade shgat, which is older than this store" if not down else "name one of its revisions"
        raise StoreError(f"{database.name}: {error}; {remedy}") from error
