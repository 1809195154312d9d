"""Transactions, and failures as errors that say what to do."""

import sqlite3
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from processes import ended, forked, started
from shgat.errors import DamagedError, MissingExtraError, StoreError
from shgat.store import Store
from shgat.store.database import Database
from traces.examples import D

forking = pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")


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


# ---------------------------------------------------------------- forks
@forking
def test_a_fork_waits_for_transactions_and_the_next_ones_for_the_fork(url):
    """A lock of a library that is held in the middle of one would be held in the child for ever."""
    with Store.open(url, D) as store:
        inside, go_on, seen = threading.Event(), threading.Event(), []

        def write():
            with store.database.write():
                inside.set()
                go_on.wait(30)
                seen.append("committed")

        thread = threading.Thread(target=write)
        thread.start()
        inside.wait()
        threading.Timer(0.3, go_on.set).start()
        assert forked(lambda: seen == ["committed"] and store.counts()["traces"] == 0)
        thread.join()
        assert store.counts()["traces"] == 0


@forking
def test_no_file_of_sqlite_is_open_in_a_forked_child(sqlite_url, make_trace):
    """The library would take the parent's locks for its own."""
    with Store.open(sqlite_url, D) as store:
        store.add_trace(make_trace(1))

        def opened():
            return [path for path in Path("/proc/self/fd").iterdir() if path.is_symlink() and "store.db" in str(path.readlink())]

        assert opened()
        assert forked(lambda: not opened() and store.add_trace(make_trace(2)))
        assert store.counts()["traces"] == 2


@forking
def test_parent_and_children_write_at_once_and_lose_nothing(url, make_trace):
    with Store.open(url, D) as store:
        store.add_trace(make_trace(0))

        def child(k):
            for i in range(20):
                assert store.add_trace(make_trace(100 * k + i, priority=0.5))
            return True

        pids = [started(lambda k=k: child(k)) for k in range(1, 4)]
        for i in range(1, 20):
            store.add_trace(make_trace(i))
        assert all(ended(pid) for pid in pids)
        assert store.counts()["traces"] == 80


@forking
def test_a_fork_inside_a_transaction_of_the_same_thread_does_not_wait_for_itself(url):
    with Store.open(url, D) as store, store.database.read():
        assert forked(lambda: True, seconds=10)


def open_files():
    return len([f for f in Path("/proc/self/fd").iterdir() if f.exists() and "store.db" in f.resolve().name])


def test_a_connection_that_is_in_use_during_a_fork_is_closed_afterwards(sqlite_url):
    before = open_files()
    with Store.open(sqlite_url, D) as store, store.database.read() as connection:
        assert forked(lambda: True, seconds=10)
        connection.exec_driver_sql("SELECT 1")
    assert open_files() == before


def test_a_connection_that_is_in_use_while_the_store_is_closed_is_closed_afterwards(sqlite_url):
    before = open_files()
    store = Store.open(sqlite_url, D)
    with store.database.read() as connection:
        store.close()
        connection.exec_driver_sql("SELECT 1")
    with store.database.write():  # who still asks afterwards leaves nothing open either
        pass
    assert open_files() == before
