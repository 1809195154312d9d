"""A database: its engine, its transactions, and its failures as StoreError with a remedy."""

import contextlib
import logging
import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Iterator
from typing import Any

import orjson
from sqlalchemy import Connection, Table, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from .. import _fork
from ..errors import DamagedError, InputError, MissingExtraError, ShgatError, StoreError, StoreURLError
from .address import Address
from .embedding import Wire

_log = logging.getLogger("shgat")
_WRITE_LOCK = 0x5348474154  # "SHGAT", the advisory lock of writers on PostgreSQL
_WRITE = "shgat_write"  # the execution option that makes a transaction a writing one
_FORK_WAITS = 5.0  # seconds, for transactions that are under way


class Database:
    """Transactions on SQLite or PostgreSQL.

    Writers take turns on both (BEGIN IMMEDIATE; an advisory lock), so that rows become visible in the order of their
    `seq` and a reader that remembers the last `seq` it saw misses none.
    """

    def __init__(self, url: str, timeout: float) -> None:
        self._address = address = Address.parse(url)
        self.url = address.url
        self.name = address.name
        self.timeout = timeout
        self.is_postgresql = address.file is None
        self._turn = threading.Lock()
        options: dict[str, Any] = {"timeout": timeout}
        if self.is_postgresql:
            options = {"connect_timeout": max(2, round(timeout)), "tcp_user_timeout": round(1000 * timeout), **address.options}
        try:
            self.engine = create_engine(
                self.url,
                connect_args=options,
                pool_size=8,
                max_overflow=24,
                pool_timeout=timeout,
                pool_pre_ping=self.is_postgresql,
                hide_parameters=True,
                json_serializer=lambda value: orjson.dumps(value).decode(),
                json_deserializer=orjson.loads,
            )
        except ImportError as error:
            raise MissingExtraError(error.name or "psycopg", "store") from None
        except Exception as error:  # whatever SQLAlchemy makes of an option
            raise self._hopeless(error) from None
        self._writing = self.engine.execution_options(**{_WRITE: True})  # the same connections
        event.listen(self.engine, "do_connect", self._connect)
        event.listen(self.engine, "connect", self._configure)
        event.listen(self.engine, "begin", self._begin)
        self._parents: list[object] = []
        self._closed = False
        _databases.add(self)
        _fork.renew(self)

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that reads."""
        with _transactions, self._failures(), self._returned(), self.engine.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that writes: committed on return, rolled back on an exception, one at a time."""
        if not self.is_postgresql and not self._turn.acquire(timeout=self.timeout):
            raise StoreError(f"{self.name}: other threads are writing; waited {self.timeout:g} s; retry")
        try:
            with _transactions, self._failures(), self._returned(), self._writing.begin() as connection:
                yield connection
        finally:
            if not self.is_postgresql:
                self._turn.release()

    def insert(self, table: Table) -> Any:
        """An INSERT that knows ON CONFLICT."""
        return postgresql.insert(table) if self.is_postgresql else sqlite.insert(table)

    def unhurried(self, connection: Connection) -> None:
        """Lifts the limit on the time of a statement for the rest of the transaction."""
        if self.is_postgresql:
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")

    def close(self) -> None:
        """Closes every connection; one that is in use, when it no longer is."""
        self._closed = True
        self.engine.dispose()

    @contextlib.contextmanager
    def _returned(self) -> Iterator[None]:
        """Closes the connection of a transaction that `close` or a fork overtook: the pool that it goes back to is nobody's any more."""
        pool, process = self.engine.pool, os.getpid()
        try:
            yield
        finally:
            if process != os.getpid():
                self._parents.append(pool)
            elif self._closed or pool is not self.engine.pool:
                pool.dispose()
            if self._closed:
                self.engine.dispose()

    def before_fork(self) -> None:
        """No file of SQLite is open while the process forks: the library would believe in the child that the parent's locks are its own."""
        if not self.is_postgresql:
            self.engine.dispose()

    def after_fork(self) -> None:
        """The connections are the parent's: they are neither used nor closed, nor collected, which would close them."""
        self._turn = threading.Lock()
        self._parents.append(self.engine.pool)
        self.engine.dispose(close=False)

    def _connect(self, dialect: Any, record: object, arguments: Any, options: Any) -> Any:
        """Connects. What is no error of the database comes from an option that makes no sense."""
        self._address.create_file()
        try:
            return dialect.connect(*arguments, **options)
        except (dialect.loaded_dbapi.Error, MemoryError):
            raise
        except Exception as error:
            raise self._hopeless(error) from None

    def _configure(self, connection: Any, record: object) -> None:
        if self.is_postgresql:
            _configure_postgresql(connection, self.timeout)
        else:
            _configure_sqlite(connection, self.timeout)

    def _begin(self, connection: Connection) -> None:
        writes = connection.get_execution_options().get(_WRITE, False)
        if not self.is_postgresql:
            connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
        elif writes:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITE_LOCK})")

    @contextlib.contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except (DBAPIError, self.engine.dialect.loaded_dbapi.Error) as error:
            cause = error.orig if isinstance(error, DBAPIError) else error
            message = self._address.scrubbed(str(cause)) or type(cause).__name__
            if "cannot contain NUL" in message:
                raise InputError("PostgreSQL texts cannot hold U+0000") from None
            shown = None if "***" in message else error  # whose own text would be in a traceback
            raise _kind(cause, message)(f"{self.name}: {message}; {_remedy(cause, message)}") from shown
        except UnicodeEncodeError:
            raise InputError("a text for the store holds a lone surrogate") from None
        except (UnicodeDecodeError, orjson.JSONDecodeError) as error:  # in a column, or in SQLite's own message about the schema
            message = "malformed text" if isinstance(error, UnicodeDecodeError) else "malformed JSON"
            raise DamagedError(f"{self.name}: {message}; {_remedy(error, message)}") from error
        except PoolTimeoutError as error:
            raise StoreError(f"{self.name}: every connection is in use; waited {self.timeout:g} s; retry") from error
        except SQLAlchemyError as error:
            raise StoreError(f"{self.name}: {self._address.scrubbed(str(error))}") from None

    def _hopeless(self, error: Exception) -> ShgatError:
        return StoreURLError(f"{self.name}: {self._address.scrubbed(str(error))}; check the URL and its options")


def _configure_sqlite(connection: sqlite3.Connection, timeout: float) -> None:
    connection.isolation_level = None  # SQLAlchemy's BEGIN is ours, see Database._begin
    deadline = time.monotonic() + timeout
    while True:  # the change to WAL does not wait for other connections by itself
        try:
            (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
            if mode != "wal":
                connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # of a new file: what is deleted can be given back
                connection.execute("PRAGMA journal_mode = WAL")
            break
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = FULL")  # an acknowledged row survives the loss of power


def _configure_postgresql(connection: Any, timeout: float) -> None:
    from psycopg.adapt import Dumper
    from psycopg.pq import Format

    class WireDumper(Dumper):
        format = Format.BINARY

        def dump(self, obj: Wire) -> Wire:
            return obj

    connection.adapters.register_dumper(Wire, WireDumper)
    connection.autocommit = True
    connection.execute(f"SET lock_timeout = {round(1000 * timeout)}")
    connection.execute(f"SET statement_timeout = {round(1000 * max(60.0, timeout))}")
    connection.autocommit = False


_REMEDIES = (  # (words of the message, SQLSTATEs, what to do)
    (("locked",), ("55P03", "57014"), "another process writes to it; retry, or end that process"),
    (("disk is full", "disk I/O"), ("53100",), "free some disk space, then retry"),
    (("unable to open", "readonly", "read-only"), (), "check that its folder exists and is writable"),
    (("malformed", "not a database"), ("XX001", "XX002"), "restore it from a backup, or move it away to start anew"),
    (('extension "vector"',), (), "install pgvector on the server and let a superuser run: CREATE EXTENSION vector"),
    (("authentication", "does not exist"), ("28000", "28P01", "3D000", "42501"), "check user, password and database"),
)


_HOPELESS = (  # states and words that no waiting changes
    ("28000", "28P01", "3D000"),
    ("not a database", "authentication failed", "no password supplied", "does not exist", "no pg_hba.conf entry", "invalid connection option",
     "invalid port", "invalid integer", "invalid sslmode", "invalid value", "invalid dsn"),
)  # fmt: skip


def _kind(cause: BaseException | None, message: str) -> type[StoreError]:
    state = getattr(cause, "sqlstate", None)
    if "malformed" in message or "Could not decode" in message or state in ("XX001", "XX002"):
        return DamagedError
    states, words = _HOPELESS
    hopeless = state in states or (state is None and any(word in message for word in words))
    return StoreURLError if hopeless else StoreError


def _remedy(cause: BaseException | None, message: str) -> str:
    state = getattr(cause, "sqlstate", None) or ""
    for words, states, remedy in _REMEDIES:
        if state in states or any(word in message for word in words):
            return remedy
    if not state or state.startswith(("08", "57P")):
        return "check that the server runs and can be reached, then retry"
    return f"SQLSTATE {state}"


class _Transactions:
    """Those of all databases. A fork waits for their end: a library's own lock that one of them holds would be held in the child for ever."""

    def __init__(self) -> None:
        self.after_fork()

    def after_fork(self) -> None:
        """In the child none is under way."""
        self._changed, self._mine = threading.Condition(), threading.local()
        self._n, self._forking = 0, False

    def __enter__(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: not self._forking or self._inside, _FORK_WAITS)
            self._n += 1
        self._mine.n = self._inside + 1

    def __exit__(self, *exc: object) -> None:
        self._mine.n = self._inside - 1
        with self._changed:
            self._n -= 1
            self._changed.notify_all()

    @property
    def _inside(self) -> int:
        """How many are this thread's."""
        return getattr(self._mine, "n", 0)

    def before_fork(self) -> None:
        """Waits for those of other threads, and holds up the next ones."""
        self._changed.acquire()
        self._forking = True
        if not self._changed.wait_for(lambda: self._n <= self._inside, _FORK_WAITS):
            _log.warning("a fork in the middle of a transaction: the child may not be able to use the store")
        for database in list(_databases):
            database.before_fork()

    def after_fork_in_parent(self) -> None:
        """The next ones may begin."""
        self._forking = False
        self._changed.notify_all()
        self._changed.release()


_databases: "weakref.WeakSet[Database]" = weakref.WeakSet()
_transactions = _Transactions()
os.register_at_fork(before=_transactions.before_fork, after_in_parent=_transactions.after_fork_in_parent)
_fork.renew(_transactions)
