"""Transactions, and failures as errors that say what to do."""

import sqlite3
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from shgat.errors import MissingExtraError, StoreError
from shgat.store import Store
from shgat.store.database import DamagedError, Database
from traces.examples import D


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("nonsense", "no database URL"),
        ("mysql://u:secret@h/x", "mysql is not supported"),
        ("sqlite://", "keeps nothing"),
        ("sqlite:///:memory:", "keeps nothing"),
        ("sqlite:////nowhere/at/all.db", "its folder /nowhere/at does not exist"),
        ("postgresql://u:secret@localhost:1/x", "runs and can be reached"),
        ("postgresql://u@localhost:1/x?password=secret", "runs and can be reached"),
    ],
)
def test_a_bad_url_says_what_to_do_and_hides_the_password(url, fault):
    with pytest.raises(StoreError, match=fault) as caught:
        Store.open(url, D, timeout=1.0)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_postgresql_is_spoken_to_by_psycopg(scheme):
    database = Database(f"{scheme}://u:secret@h/x", 1.0)
    assert (database.is_postgresql, database.name) == (True, "postgresql+psycopg://u:***@h/x")
    database.close()


def test_without_a_driver_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingExtraError, match=r"psycopg is not installed.*'\.\[store\]'"):
        Database("postgresql://u@h/x", 1.0)


def test_a_file_that_is_no_database_is_left_alone(tmp_path):
    path = tmp_path / "x.db"
    path.write_bytes(b"precious" * 1000)
    with pytest.raises(StoreError, match="not a database"):
        Store.open(f"sqlite:///{path}", D)
    assert path.read_bytes() == b"precious" * 1000


def test_a_block_that_fails_leaves_nothing_behind(store, make_trace):
    def torn():
        with store.database.write() as connection:
            connection.execute(sa.text("INSERT INTO claims VALUES ('me', 'one', 1.0)"))
            raise KeyError

    with pytest.raises(KeyError):
        torn()
    assert store.counts()["claims"] == 0
    assert store.add_trace(make_trace(1))


def test_damage_is_told_from_other_failures(tmp_path, make_trace):
    path = tmp_path / "x.db"
    with Store.open(f"sqlite:///{path}", D) as store:
        store.add_traces([make_trace(i) for i in range(200)])
        with pytest.raises(StoreError, match="no such table") as other, store.database.read() as connection:
            connection.execute(sa.text("SELECT * FROM nowhere"))
        assert not isinstance(other.value, DamagedError)
    raw = bytearray(path.read_bytes())
    page = raw.index(b"find th\xc3\xa9 thing") // 4096 * 4096
    raw[page : page + 100] = b"\xff" * 100
    path.write_bytes(raw)
    with Store.open(f"sqlite:///{path}") as store, pytest.raises(DamagedError, match=r"malformed.*restore it from a backup"):
        list(store.traces())


def test_torn_json_is_damage(sqlite_url, make_trace):
    with Store.open(sqlite_url, D) as store:
        store.add_trace(make_trace(1))
        with store.database.write() as connection:
            connection.execute(sa.text("""UPDATE traces SET tools = '["a'"""))
        with pytest.raises(DamagedError):
            list(store.traces())


def test_a_statement_may_be_given_all_the_time_it_takes(emptied_url):
    limits = []
    with Store.open(emptied_url) as store:
        for patient in (False, True, False):
            with store.database.write() as connection:
                if patient:
                    store.database.unhurried(connection)
                limits.append(connection.scalar(sa.text("SHOW statement_timeout")))
    assert limits == ["1min", "0", "1min"]


def test_a_locked_sqlite_fails_promptly_and_recovers(sqlite_url, make_trace):
    with Store.open(sqlite_url, D, timeout=0.3) as store:
        store.add_trace(make_trace(1))
        other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        started = time.monotonic()
        with pytest.raises(StoreError, match=r"locked.*end that process"):
            store.add_trace(make_trace(2))
        assert time.monotonic() - started < 10
        assert store.trace("t1") is not None  # reading goes on
        other.execute("ROLLBACK")
        assert store.add_trace(make_trace(2))
        other.close()


def test_a_locked_postgresql_fails_promptly_and_recovers(postgresql_url, make_trace):
    with Store.open(postgresql_url, D, timeout=0.3) as store:
        other = sa.create_engine(postgresql_url, poolclass=sa.pool.NullPool)
        for lock in ("LOCK TABLE traces IN EXCLUSIVE MODE", "SELECT pg_advisory_xact_lock(x'5348474154'::bigint)"):
            with other.begin() as connection:
                connection.execute(sa.text(lock))
                started = time.monotonic()
                with pytest.raises(StoreError, match=r"lock timeout.*end that process"):
                    store.add_trace(make_trace(2))
                assert time.monotonic() - started < 10
                assert list(store.traces()) == []
        assert store.add_trace(make_trace(2))


def test_threads_that_wait_for_a_writer_are_bounded(sqlite_url, make_trace):
    with ThreadPoolExecutor(1) as pool, Store.open(sqlite_url, D, timeout=0.2) as store:
        with store.database.write():
            waiting = pool.submit(store.add_trace, make_trace(1))
            assert isinstance(waiting.exception(), StoreError)
        assert "other threads are writing" in str(waiting.exception())
        assert store.add_trace(make_trace(1))
