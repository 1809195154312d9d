"""Features come back as they went, all of one version at a time, and the nearest are those of a comparison of all."""

import threading
from dataclasses import replace

import numpy as np
import pytest
import sqlalchemy as sa

from shgat.errors import DamagedError, InputError, StoreError
from shgat.features.capability import CapabilityFeatures, IntentFeatures
from shgat.graph import Capability, Tool
from shgat.store import Decision, Store
from shgat.store.features import N2V_DIMENSION, FeatureState
from shgat.store.migration import downgrade
from shgat.store.schema import capability_features, meta
from traces.examples import D

STATE = FeatureState(1, 5.5, "catalogue", "recipe", 0.7, 30)


def unit(rng, d):
    v = rng.standard_normal(d).astype(np.float32)
    return v / np.linalg.norm(v)


def rows(n, version=1, seed=0):
    rng = np.random.default_rng(seed)
    return [
        CapabilityFeatures(
            capability_id=f"c{i:04}", text_embedding=unit(rng, D), n2v_embedding=unit(rng, N2V_DIMENSION) if i % 5 else None,
            hybrid_embedding=unit(rng, D), tool_count=i, capability_count=i % 2, parent_count=3, level=1,
            avg_execution_time_ms=None if i % 3 else i / 7, success_rate=0.1, usage_count_1d=1, usage_count_7d=2,
            usage_count_30d=2**40, pagerank_score=1e-300, clustering_coefficient=1 / 3, feature_version=version, computed_at=1.5 + i,
        )
        for i in range(n)
    ]  # fmt: skip


@pytest.fixture
def filled(store):
    store.upsert_catalog([Tool("a")], [Capability(f"c{i:04}", tools=("a",)) for i in range(60)])
    return store


def columns(row):
    return {name: value.tobytes() if isinstance(value, np.ndarray) else value for name, value in vars(row).items()}


def test_they_come_back_as_they_went(filled):
    assert (filled.features(), filled.feature_state()) == ({}, None)
    given = rows(60)
    filled.put_features(given, STATE)
    assert filled.feature_state() == STATE
    found = filled.features()
    assert [columns(found[r.capability_id]) for r in given] == [columns(r) for r in given]
    some = filled.features(["c0007", "nobody", *(f"x{i}" for i in range(2500)), "c0009"])
    assert sorted(some) == ["c0007", "c0009"]
    assert columns(some["c0007"]) == columns(given[7])
    assert filled.features([]) == {}


def test_a_version_replaces_the_one_before_and_goes_with_its_capability(filled):
    filled.put_features(rows(60), STATE)
    filled.put_features([*rows(40, 2), replace(rows(1)[0], capability_id="went meanwhile")], replace(STATE, version=2))
    found = filled.features()
    assert {r.feature_version for r in found.values()} == {2}
    assert (len(found), filled.feature_state().version) == (40, 2)
    filled.remove_from_catalog(["c0003"])
    assert "c0003" not in filled.features()


def test_readers_see_one_version_whole(filled):
    filled.put_features(rows(60, 1), STATE)
    seen, done = [], threading.Event()

    def read():
        while not done.is_set():
            found = filled.features()
            seen.append((len(found), len({r.feature_version for r in found.values()})))

    reader = threading.Thread(target=read)
    reader.start()
    for version in range(2, 12):
        filled.put_features(rows(60, version), replace(STATE, version=version))
    done.set()
    reader.join()
    assert set(seen) == {(60, 1)}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hybrid_embedding": np.ones(D + 1, np.float32)}, "'c0000': hybrid_embedding has shape"),
        ({"n2v_embedding": np.ones(D, np.float32)}, "'c0000': n2v_embedding has shape"),
        ({"text_embedding": np.full(D, np.nan, np.float32)}, "'c0000': text_embedding holds NaN"),
    ],
)
def test_wrong_embeddings_are_refused_and_the_former_stay(filled, changes, message):
    filled.put_features(rows(3), STATE)
    with pytest.raises(InputError, match=message):
        filled.put_features([replace(rows(1, 2)[0], **changes)], STATE)
    assert {r.feature_version for r in filled.features().values()} == {1}


def test_the_database_itself_holds_the_hybrid_to_its_dimension(filled):
    values = dict(vars(rows(1)[0])) | {"hybrid_embedding": np.ones(D - 1, np.float32)}
    with pytest.raises(StoreError, match=r"valid_embedding|expected 8 dimensions"), filled.database.write() as connection:
        connection.execute(capability_features.insert(), values)


@pytest.mark.parametrize("by", ["hybrid_embedding", "n2v_embedding"])
def test_the_nearest_are_those_of_all(filled, by):
    given = rows(60)
    filled.put_features(given, STATE)
    x = unit(np.random.default_rng(9), D if by == "hybrid_embedding" else N2V_DIMENSION)
    cosines = {r.capability_id: float(getattr(r, by) @ x) for r in given if getattr(r, by) is not None}
    expected = sorted(cosines, key=lambda key: -cosines[key])[:5]
    found = filled.nearest_capabilities(3 * x, 5, by)
    assert [key for key, _ in found] == expected
    np.testing.assert_allclose([cosine for _, cosine in found], [cosines[key] for key in expected], atol=1e-5)


def test_nobody_is_nearest_where_there_is_nobody(store):
    assert store.nearest_capabilities(np.ones(D, np.float32)) == []
    for wrong, message in ((np.ones(D + 1), "shape"), (np.full(D, np.nan), "NaN")):
        with pytest.raises(InputError, match=message):
            store.nearest_capabilities(wrong.astype(np.float32))
    with pytest.raises(InputError, match="by is one of"):
        store.nearest_capabilities(np.ones(D, np.float32), by="text")


def test_postgresql_has_hnsw_indexes_and_can_use_them(postgresql_url):
    with Store.open(postgresql_url, D) as store, store.database.read() as connection:
        names = "SELECT indexname FROM pg_indexes WHERE indexdef LIKE '%USING hnsw%vector_cosine_ops%' ORDER BY 1"
        assert connection.scalars(sa.text(names)).all() == [
            "hnsw_capability_features_hybrid_embedding", "hnsw_capability_features_n2v_embedding", "hnsw_intent_features_embedding",
        ]  # fmt: skip
        connection.execute(sa.text("SET LOCAL enable_seqscan = off"))
        vector = "[" + ",".join(["1"] * D) + "]"
        order = f"SELECT capability_id FROM capability_features ORDER BY hybrid_embedding <=> '{vector}' LIMIT 3"
        plan = "\n".join(connection.scalars(sa.text("EXPLAIN " + order)).all())
        assert "hnsw_capability_features_hybrid_embedding" in plan


def test_more_dimensions_than_hnsw_takes_are_stored_without_it(postgresql_url):
    with Store.open(postgresql_url, 2001) as store:
        store.upsert_catalog([], [Capability("c0000")])
        wide = np.ones(2001, np.float32) / np.float32(np.sqrt(2001))
        store.put_features([replace(rows(1)[0], text_embedding=wide, hybrid_embedding=wide)], STATE)
        assert store.nearest_capabilities(wide, 1)[0][0] == "c0000"
        with store.database.read() as connection:
            found = connection.scalars(sa.text("SELECT indexname FROM pg_indexes WHERE indexname LIKE 'hnsw%'")).all()
        assert found == ["hnsw_capability_features_n2v_embedding"]


def test_a_state_that_cannot_be_read_is_none(filled):
    filled.put_features(rows(3), STATE)
    for damaged in ("not JSON", "[]", '{"version": 1}', '{"version": "x"}'):
        with filled.database.write() as connection:
            connection.execute(meta.update().where(meta.c.key == "features").values(value=damaged))
        assert filled.feature_state() is None


def test_torn_features_say_what_to_do(sqlite_url):
    with Store.open(sqlite_url, D) as store:
        store.upsert_catalog([], [Capability("c0000")])
        store.put_features(rows(1), STATE)
        with store.database.write() as connection:
            connection.execute(sa.text("UPDATE capability_features SET n2v_embedding = x'010203'"))
        with pytest.raises(DamagedError, match=r"torn: 3 bytes .*; build the features anew: shgat features build --force"):
            store.features()
        store.put_features(rows(1, 2), STATE)
        assert store.features()["c0000"].feature_version == 2


class TestIntents:
    def test_they_come_back_and_the_newest_counts(self, store):
        rng = np.random.default_rng(1)
        given = [
            IntentFeatures(intent_hash=f"{i:064}", embedding=unit(rng, D), context_tools=("a", "é"), created_at=9.5)
            for i in range(3)
        ]
        assert store.put_intents([*given, replace(given[0], context_tools=())]) == 3
        found = store.intents([g.intent_hash for g in given] + ["nobody"] * 1200)
        assert (found[given[0].intent_hash].context_tools, found[given[1].intent_hash].context_tools) == ((), ("a", "é"))
        np.testing.assert_array_equal(found[given[2].intent_hash].embedding, given[2].embedding)
        store.put_intents([IntentFeatures(intent_hash=given[0].intent_hash)])
        assert store.intents([given[0].intent_hash])[given[0].intent_hash].embedding is None
        with pytest.raises(InputError, match="shape"):
            store.put_intents([replace(given[0], embedding=np.ones(D + 1, np.float32))])
        with pytest.raises(InputError, match="hash"):
            store.put_intents([replace(given[0], intent_hash="")])

    def test_they_are_taken_from_what_was_asked_and_go_with_age(self, store):
        def asked(i, intent, at, **more):
            return Decision(id=f"d{i}", intent=intent, ranked=[], model_version="1", created_at=at, **more)

        vectors = np.eye(D, dtype=np.float32)
        for decision in (
            asked(0, "one", 10, embedding=vectors[0]),
            asked(1, "one", 20, embedding=vectors[1], context_tools=("b",)),
            asked(2, "long ago", 1, embedding=vectors[2]),
            asked(3, "without", 30),
            asked(4, None, 30, intent_hash="none", embedding=vectors[3]),
        ):
            store.add_decision(decision)
        assert store.take_in_intents(since=5) == 1
        assert store.take_in_intents(since=5) == 0
        (found,) = store.intents([store.decision("d1").intent_hash]).values()
        np.testing.assert_array_equal(found.embedding, vectors[1])
        assert (found.context_tools, found.created_at) == (("b",), 20)
        assert (store.remove_intents(20), store.remove_intents(21), store.counts()["intent_features"]) == (0, 1, 0)


def test_executions_are_read_without_their_embeddings(store, make_trace):
    store.add_traces([make_trace(i, timestamp=float(i), duration_ms=i / 2, capability="c", outcome=0.5) for i in range(1050)])
    found = list(store.executions(3.0, 1040.0))
    assert [e.timestamp for e in found] == [float(i) for i in range(4, 1041)]
    assert (list(found[0].tools), found[0].capability, found[0].outcome, found[0].duration_ms) == (
        ["fs.read", "tool 4"],
        "c",
        0.5,
        2.0,
    )


def test_a_downgrade_leaves_nothing_of_them(url, database):
    with Store.open(url, D) as store:
        store.upsert_catalog([], [Capability("c0000")])
        store.put_features(rows(1), STATE)
    downgrade(database, "v7_origins")
    with database.read() as connection:
        assert not {"capability_features", "intent_features"} & set(sa.inspect(connection).get_table_names())
    with Store.open(url, D) as store:
        assert (store.features(), store.feature_state()) == ({}, None)
