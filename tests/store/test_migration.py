"""Every revision upgrades and downgrades a populated store, and the newest is the schema that the code works with."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

import shgat.store as store_package
from shgat.errors import StoreError
from shgat.store import Decision, Store
from shgat.store.database import Database
from shgat.store.migration import VERSION_TABLE, current_revision, downgrade, upgrade
from shgat.store.schema import METADATA, REVISION

D = 8


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    database = Database(url, 5.0)
    yield database
    database.close()


def differences(database: Database) -> list[Any]:
    def same_type(context: Any, inspected: Any, column: Any, found: Any, expected: Any) -> bool | None:
        if column.name == "embedding" and database.is_postgresql:
            return bool(found.dim != D)
        return None

    options = {"compare_type": same_type, "include_name": lambda name, kind, parents: name != VERSION_TABLE}
    with database.read() as connection:
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), METADATA))


def test_a_migrated_store_has_the_schema_of_the_code(database):
    upgrade(database, D)
    assert differences(database) == []
    with database.write() as connection:
        connection.execute(sa.text("CREATE TABLE more (x int)"))
    assert differences(database) != []


@pytest.mark.parametrize("revision", ["v1_traces", "v2_parameters", "v3_priorities"])
def test_a_populated_store_goes_back_and_forth(url, database, make_trace, columns, revision):
    given = [make_trace(i) for i in range(3)]
    with Store.open(url, D) as store:
        store.add_traces(given)
        store.add_decision(Decision(id="d", intent="i", ranked=[("a", 1)], model_version="1"))
        version = store.put_parameters(b"tensors", {"n": 1})
        store.set_priorities(["t0"], [0.5])
        assert store.claim("one")
    downgrade(database, revision)
    with database.read() as connection:
        assert current_revision(connection) == revision
        assert not sa.inspect(connection).has_table("claims")
        assert sa.inspect(connection).has_table("priorities") == (revision == "v3_priorities")
        assert sa.inspect(connection).has_table("parameters") == (revision != "v1_traces")
    with Store.open(url) as store:  # opening is what upgrades
        first = replace(given[0], priority=0.5 if revision == "v3_priorities" else None)  # what a downgrade lost starts as new
        assert [columns(t) for t in store.traces()] == [columns(t) for t in (first, *given[1:])]
        assert store.counts()["priorities"] == 3
        assert store.claim("another")
        assert store.decision("d").ranked[0].id == "a"
        found = store.latest_parameters()
        assert (found is None) if revision == "v1_traces" else (found.version == version and found.data == b"tensors")
        assert store.add_trace(make_trace(4))
    assert differences(database) == []


def test_down_to_nothing_and_up_again(url, database, make_trace):
    with Store.open(url, D) as store:
        store.add_trace(make_trace())
    downgrade(database, "base")
    with database.read() as connection:
        assert set(sa.inspect(connection).get_table_names()) <= {VERSION_TABLE}
    with Store.open(url, D) as store:
        assert store.counts()["traces"] == 0


def test_the_store_of_a_newer_shgat_is_refused(url):
    with Store.open(url, D) as store, store.database.write() as connection:
        connection.execute(sa.text(f"UPDATE {VERSION_TABLE} SET version_num = 'v99_future'"))
    with pytest.raises(StoreError, match=r"v99_future.*upgrade shgat"):
        Store.open(url)


def test_a_failing_migration_leaves_everything_as_it_was(url, database):
    with database.write() as connection:
        connection.execute(sa.text("CREATE TABLE traces (x int)"))  # of somebody else
    with pytest.raises(StoreError, match="exists"):
        Store.open(url, D)
    with database.read() as connection:
        assert sa.inspect(connection).get_table_names() == ["traces"]


def test_many_open_a_new_store_at_once(url, make_trace):
    def work(i: int) -> bool:
        with Store.open(url, D) as store:
            return store.add_trace(make_trace(i))

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(8)))
    with Store.open(url) as store:
        assert store.counts()["traces"] == 8


def test_the_revisions_are_package_data():
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("path_separator", "os")
    config.set_main_option("script_location", str(Path(store_package.__file__).parent / "migrations"))
    assert ScriptDirectory.from_config(config).get_heads() == [REVISION]
