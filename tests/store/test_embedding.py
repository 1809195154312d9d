"""Embeddings come back bit for bit, from bytes on SQLite and from a vector of pgvector on PostgreSQL."""

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from shgat.errors import StoreError
from shgat.store.embedding import embedding_type
from shgat.store.schema import tools
from traces.examples import D

EXTREMES = np.float32([0, -0.0, 1e-45, -1e-45, np.finfo(np.float32).max, np.finfo(np.float32).min, 1 / 3, -1])
any_vector = arrays(np.float32, D, elements=st.floats(width=32, allow_nan=False, allow_infinity=False))


def put(store, *vectors):
    rows = [{"id": f"{i:03}", "text": "", "server": "", "embedding": v, "updated_at": 0.0} for i, v in enumerate(vectors)]
    with store.database.write() as connection:
        connection.execute(sa.delete(tools))
        connection.execute(tools.insert(), rows)


def get(store):
    with store.database.read() as connection:
        return connection.scalars(sa.select(tools.c.embedding).order_by(tools.c.id)).all()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(vector=any_vector)
def test_any_vector_comes_back_bit_for_bit(store, vector):
    put(store, vector, EXTREMES, None)
    found = get(store)
    assert [v.tobytes() for v in found[:2]] == [vector.tobytes(), EXTREMES.tobytes()]
    assert found[0].dtype == np.float32
    assert found[2] is None


def test_what_comes_back_cannot_be_written_to(store):
    put(store, EXTREMES)
    with pytest.raises(ValueError, match="read-only"):
        get(store)[0][0] = 1.0


def test_strided_vectors_are_stored_as_they_read(store):
    put(store, np.arange(2 * D, dtype=np.float32)[::2])
    np.testing.assert_array_equal(get(store)[0], np.arange(0, 2 * D, 2))


@pytest.mark.parametrize("length", [1, 31, 33])
def test_torn_bytes_are_an_error_of_the_store(sqlite_url, length):
    engine = sa.create_engine(sqlite_url, poolclass=sa.pool.NullPool)
    table = sa.Table("t", sa.MetaData(), sa.Column("embedding", embedding_type()))
    with engine.begin() as connection:
        table.create(connection)
        connection.execute(sa.text("INSERT INTO t VALUES (:value)"), {"value": bytes(length)})
        with pytest.raises(StoreError, match=f"torn: {length} bytes"):
            connection.scalar(sa.select(table.c.embedding))


def test_postgresql_reckons_with_them(postgresql_url):
    from shgat.store import Store

    with Store.open(postgresql_url, D) as store:
        put(store, np.eye(D, dtype=np.float32)[0], np.eye(D, dtype=np.float32)[1])
        with store.database.read() as connection:
            nearest = "SELECT id FROM tools ORDER BY embedding <-> '[0,1,0,0,0,0,0,0]'"
            assert connection.scalars(sa.text(nearest)).all() == ["001", "000"]
        with pytest.raises(StoreError, match="expected 8 dimensions, not 9"):
            put(store, np.zeros(D + 1, np.float32))


def test_what_float16_holds_exactly_takes_half_the_bytes_and_nothing_else_does(sqlite_url):
    engine = sa.create_engine(sqlite_url, poolclass=sa.pool.NullPool)
    tools.create(engine)
    exact, inexact, too_large = np.float32([1, -0.0, 0.5] * 4), np.float32([1, 1 / 3, 0.5] * 4), np.float32([1, 1e5, 0.5] * 4)
    with engine.begin() as connection:
        for i, v in enumerate((exact, inexact, too_large)):
            connection.execute(tools.insert(), {"id": str(i), "text": "", "server": "", "embedding": v, "updated_at": 0.0})
        lengths = connection.scalars(sa.text("SELECT length(embedding) FROM tools ORDER BY id")).all()
        found = connection.scalars(sa.select(tools.c.embedding).order_by(tools.c.id)).all()
    assert lengths == [25, 48, 48]
    assert [v.tobytes() for v in found] == [v.tobytes() for v in (exact, inexact, too_large)]
    engine.dispose()
