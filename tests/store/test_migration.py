"""Every revision upgrades and downgrades a populated store, and opening a store is what upgrades it."""

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

import shgat.store as store_package
from shgat.errors import StoreError
from shgat.store import Decision, Ranked, Store
from shgat.store.embedding import embedding_type
from shgat.store.migration import VERSION_TABLE, current_revision, downgrade, upgrade
from shgat.store.schema import REVISION
from traces.examples import D

_V4_EMBEDDING = np.arange(D, dtype=np.float32) / 3  # which float16 does not hold: v4 knew float32 alone
REVISIONS = [
    "v1_traces",
    "v2_parameters",
    "v3_priorities",
    "v4_claims",
    "v5_model_versions",
    "v6_users",
    "v7_origins",
    "v8_features",
    "v9_aliases",
    "v10_principals",
    "v11_drift",
    REVISION,
]


@pytest.mark.parametrize("revision", REVISIONS[:-1])
def test_a_populated_store_goes_back_and_forth(url, database, differences, make_trace, columns, revision):
    age = REVISIONS.index(revision)
    given = [make_trace(i) for i in range(3)]
    with Store.open(url, D) as store:
        store.add_traces(given)
        store.add_decision(Decision(id="d", intent="i", ranked=[("a", 1)], model_version="1", context_tools=("b",)))
        version = store.put_model(b"tensors", {"n": 1})
        store.set_priorities(["t0"], [0.5])
        assert store.claim("one")
    downgrade(database, revision)
    with database.read() as connection:
        assert current_revision(connection) == revision
        tables = set(sa.inspect(connection).get_table_names())
        models = "parameters" if age < REVISIONS.index("v5_model_versions") else "model_versions"
        assert tables & {"parameters", "priorities", "claims", "model_versions"} == set([models, "priorities", "claims"][:age])
        when = "created_at" if models == "parameters" else "timestamp"
        found = {c["name"] for c in sa.inspect(connection).get_columns("traces")}
        assert when in found
        assert ("user_id" in found) == (age >= REVISIONS.index("v6_users"))
    with Store.open(url) as store:
        v5 = age >= REVISIONS.index("v5_model_versions")
        kept = given if v5 else [replace(t, weight=1.0) for t in given]  # what a downgrade lost starts as new
        kept = [replace(t, priority=None) for t in kept]
        if age >= REVISIONS.index("v3_priorities"):
            kept[0] = replace(kept[0], priority=0.5)
        assert [columns(t) for t in store.traces()] == [columns(t) for t in kept]
        assert store.counts()["priorities"] == 3
        assert store.claim("another") == (age < REVISIONS.index("v4_claims"))
        assert (store.decision("d").ranked[0].id, store.decision("d").context_tools) == ("a", ("b",) if v5 else ())
        found = store.newest_model(lambda found: found.data)
        assert found is None if revision == "v1_traces" else (found.version, found.content) == (version, b"tensors")
        assert store.add_trace(make_trace(4))
    assert differences(database) == []


class TestV5:
    """The names of the files reach the store; what v4 could not say has a default."""

    @pytest.fixture
    def v4(self, url, database):
        """A store that was written at v4."""
        upgrade(database, D)
        downgrade(database, "v4_claims")
        data, manifest = b"tensors", json.dumps({"n": 1})
        digest = hashlib.sha256(len(manifest).to_bytes(8, "big") + manifest.encode() + data).hexdigest()
        trace = "INSERT INTO traces (id, intent, embedding, tools, context_tools, outcome, created_at) VALUES (:id, :intent, "
        trace += """:embedding, '["a", "b"]', '["c"]', 0.25, 12.5)"""
        model = "INSERT INTO parameters (data, manifest, sha256, active, activated_at, created_at, updated_at) VALUES (:data, "
        model += ":manifest, :sha256, :active, :activated_at, 5.5, 6.5)"
        decision = "INSERT INTO decisions (id, intent_hash, intent, ranked, model_version, session, created_at) VALUES ("
        decision += """'d', 'ab12', 'asked', '[["a", 1, 0.5]]', '1', 's', 7.5)"""
        priority = "INSERT INTO priorities (trace_seq, priority, updated_at) SELECT seq, 0.75, 1.0 FROM traces"
        with database.write() as connection:
            insert = sa.text(trace).bindparams(sa.bindparam("embedding", type_=embedding_type()))
            connection.execute(insert, {"id": "said", "intent": "send it", "embedding": _V4_EMBEDDING})
            connection.execute(insert, {"id": "unsaid", "intent": "(no text)", "embedding": None})
            connection.execute(sa.text(priority))
            connection.execute(sa.text(decision))
            for active in (False, True):
                values = {"data": data, "manifest": manifest, "sha256": digest, "active": active}
                connection.execute(sa.text(model), values | {"activated_at": 8.5 + active})
            connection.execute(sa.text("INSERT INTO claims (user_id, owner, expires_at) VALUES ('local', 'one', 1e12)"))
        return url

    def test_what_was_written_at_v4_is_there_under_its_new_names(self, v4, database, differences):
        with Store.open(v4) as store:
            said, unsaid = store.traces()
            assert (said.intent, unsaid.intent) == ("send it", "")
            np.testing.assert_array_equal(said.embedding, _V4_EMBEDDING)
            for trace in (said, unsaid):
                assert (trace.tools, trace.context_tools, trace.outcome) == (("a", "b"), ("c",), 0.25)
                assert (trace.weight, trace.timestamp, trace.priority) == (1.0, 12.5, 0.75)
            decision = store.decision("d")
            assert (decision.context_tools, decision.ranked) == ((), (Ranked("a", 1, 0.5),))
            assert (decision.intent, decision.intent_hash, decision.session, decision.created_at) == ("asked", "ab12", "s", 7.5)
            assert [tuple(v) for v in store.model_versions()] == [(1, False, 7, 5.5, 6.5), (2, True, 7, 5.5, 6.5)]
            found = store.newest_model(lambda version: version)
            assert (found.version, found.content.data, found.content.manifest) == (2, b"tensors", {"n": 1})
            assert not store.claim("another")
            assert differences(database) == []

    def test_an_upgraded_store_is_written_to_and_numbers_on(self, v4, make_trace, columns):
        with Store.open(v4) as store:
            last = store.trace("unsaid").seq
            assert store.add_trace(make_trace(1, weight=0.25))
            assert store.trace("t1").seq > last
            assert columns(store.trace("t1")) == columns(make_trace(1, weight=0.25))
            assert store.put_model(b"new", {}) == 3
            store.activate_model(1)
            assert [v.active for v in store.model_versions()] == [True, False, False]

    def test_it_goes_back_to_v4_with_everything_that_v4_can_say(self, v4, database):
        names = "id, intent, embedding, tools, context_tools, outcome, created_at"
        models = "version, user_id, data, manifest, sha256, active, activated_at, created_at, updated_at"
        tables = {"traces": names, "decisions": "*", "parameters": models, "priorities": "*", "claims": "*"}

        def everything():
            with database.read() as connection:
                selects = {name: sa.text(f"SELECT {what} FROM {name} ORDER BY 1, 2") for name, what in tables.items()}
                rows = {name: [tuple(row) for row in connection.execute(select)] for name, select in selects.items()}
                inspector = sa.inspect(connection)
                indexes = {i["name"]: i["column_names"] for name in tables for i in inspector.get_indexes(name)}
                return rows, indexes, {name: sorted(c["name"] for c in inspector.get_columns(name)) for name in tables}

        before = everything()
        Store.open(v4).close()
        downgrade(database, "v4_claims")
        assert everything() == before
        assert {"ix_parameters_active", "ix_traces_created_at"} < before[1].keys()
        Store.open(v4).close()  # and forth once more

    def test_an_upgrade_that_fails_leaves_the_store_of_v4(self, v4, database):
        with database.write() as connection:
            connection.execute(sa.text("CREATE TABLE model_versions (x int)"))  # of somebody else
        with pytest.raises(StoreError, match="model_versions"):
            Store.open(v4)
        with database.read() as connection:
            assert current_revision(connection) == "v4_claims"
            assert connection.scalars(sa.text("SELECT created_at FROM traces")).all() == [12.5, 12.5]
            assert connection.scalars(sa.text("SELECT version FROM parameters ORDER BY 1")).all() == [1, 2]


class TestV9:
    """The version that was active is in production, and the log begins with it."""

    def test_the_active_version_becomes_production_and_again_the_active_one(self, url, database):
        with Store.open(url, D) as store:
            versions = [store.put_model(b"%d" % i, {}, user_id=user) for i, user in enumerate(("local", "local", "other"))]
            store.put_model(b"never", {}, user_id="third", activate=False)
            store.move_model_alias("canary", versions[1])
            store.activate_model(versions[0])
        downgrade(database, "v8_features")
        with database.read() as connection:
            active = connection.scalars(sa.text("SELECT version FROM model_versions WHERE active ORDER BY 1")).all()
            assert active == [versions[0], versions[2]]
        with Store.open(url) as store:
            assert store.aliases() == {"production": versions[0]}
            (move,) = store.moves()
            assert (move.alias, move.number, move.before, move.after, move.action) == ("production", 1, None, versions[0], "deploy")
            assert store.aliases("other") == {"production": versions[2]}
            assert store.aliases("third") == {}
            assert store.newest_model(lambda v: v.data).content == b"0"


class TestV12:
    """Traces learn of which session they are steps."""

    def test_older_traces_are_steps_of_none_and_a_downgrade_forgets(self, url, database, make_trace, differences):
        with Store.open(url, D) as store:
            store.add_trace(make_trace(1, session="s", rating=5, offered=("a",), propensity=0.5, end="truncated"))
        downgrade(database, "v11_drift")
        with Store.open(url) as store:
            trace = store.trace("t1")
            assert (trace.session, trace.step, trace.end, trace.rating, trace.offered, trace.propensity) == (
                "",
                None,
                "",
                None,
                (),
                None,
            )
            assert store.add_trace(make_trace(2, session="s"))
            assert [(t.id, t.step) for t in store.session("s")] == [("t2", 0)]
        assert differences(database) == []


class TestV6:
    """Whose traces they are; embeddings that v5 cannot read."""

    @pytest.fixture
    def v5(self, url, database, make_trace):
        """A store as v5 left it, with one trace that was trained on and one that was not."""
        with Store.open(url, D) as store:
            store.add_traces([make_trace(1, embedding=np.arange(D)), make_trace(2)])
            store.set_priorities(["t1"], [0.5])
            store.add_decision(Decision(id="d", intent="i", ranked=[], model_version="1", embedding=np.arange(D) / 3))
        downgrade(database, "v5_model_versions")
        return url

    def test_everything_is_of_the_one_user_there_was_and_none_is_set_aside(self, v5, database, differences):
        with Store.open(v5) as store:
            assert [(t.id, t.priority) for t in store.traces_by_priority(5)] == [("t2", None), ("t1", 0.5)]
            assert store.traces_by_priority(5, "another") == []
            assert (store.replayable(), store.backlog().untrained, store.aside(5)) == (2, 1, [])
            assert store.decision("d").user_id == "local"
        assert differences(database) == []

    def test_v5_reads_every_embedding_as_float32(self, v5, database):
        wide = sa.func.length(sa.column("embedding")) if not database.is_postgresql else sa.literal(4 * D)
        with database.read() as connection:
            for table in ("traces", "decisions"):
                assert set(connection.scalars(sa.select(wide).select_from(sa.table(table)))) == {4 * D}
        with Store.open(v5) as store:
            np.testing.assert_array_equal(store.trace("t1").embedding, np.arange(D))
            np.testing.assert_array_equal(store.decision("d").embedding, (np.arange(D) / 3).astype(np.float32))


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
    script = ScriptDirectory.from_config(config)
    assert script.get_heads() == [REVISION]
    assert [revision.revision for revision in script.walk_revisions()] == REVISIONS[::-1]
