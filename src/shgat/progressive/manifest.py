"""The manifest: which repositories there are, how far each is, and how the run goes. An index: what counts is in the ledger.

SQLite with a write-ahead log, so that others read it while it is written. Lost or damaged, it is made anew from the ledger and the list.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import CorruptError, QuotaError, WorkspaceError
from .chain import Entry
from .corpus import Line

FORMAT = 1
WAITING = ("queued", "sealed", "trained")  # a run has something to do for these
_SCHEMA = """
CREATE TABLE IF NOT EXISTS repos (
  position INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, place TEXT NOT NULL, name TEXT NOT NULL, state TEXT NOT NULL,
  reason TEXT NOT NULL DEFAULT '', attempts INTEGER NOT NULL DEFAULT 0, seq INTEGER, unit TEXT, lineage TEXT,
  commits INTEGER NOT NULL DEFAULT 0, bytes INTEGER NOT NULL DEFAULT 0, seconds REAL NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS units (seq INTEGER PRIMARY KEY, unit TEXT NOT NULL, lineage TEXT NOT NULL, source TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS batches (batch INTEGER PRIMARY KEY, root TEXT NOT NULL, units INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS runs (
  run INTEGER PRIMARY KEY, begun REAL NOT NULL, ended REAL, status TEXT NOT NULL, pid INTEGER NOT NULL, batch INTEGER, of INTEGER);
CREATE TABLE IF NOT EXISTS gauges (class TEXT PRIMARY KEY, used INTEGER, reserved INTEGER, cap INTEGER);
"""


@dataclass(frozen=True, slots=True)
class Repo:
    """A row: a repository and how far it is.

    Attributes
    ----------
    position : in the list, from 0
    key, place, name : of its source
    state : queued, sealed, trained, done, failed or skipped
    reason : why it failed or was skipped
    attempts : of cloning it
    seq, unit, lineage : of its segment, where it has one
    commits, bytes, seconds : read, as a segment, and how long it took
    """

    position: int
    key: str
    place: str
    name: str
    state: str
    reason: str
    attempts: int
    seq: int | None
    unit: str | None
    lineage: str | None
    commits: int
    bytes: int
    seconds: float


class Manifest:
    """The manifest of a workspace.

    Parameters
    ----------
    path : of the database
    read_only : for others than the process that has the lock
    most : bytes that it may grow to
    on_step : is told before each commit
    """

    def __init__(
        self, path: Path, *, read_only: bool = False, most: int = 1 << 40, on_step: Callable[[str], None] = lambda _: None
    ) -> None:
        self.path, self._on_step = path, on_step
        mode = "ro" if read_only else "rwc"
        try:
            self._db = sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None, timeout=30.0)
        except sqlite3.DatabaseError as error:
            raise CorruptError(f"{path}: {error}") from None
        try:
            self._db.row_factory = sqlite3.Row
            if not read_only:
                self._prepare(most)
            (found,) = self._db.execute("PRAGMA user_version").fetchone()
            if found != FORMAT:
                raise WorkspaceError(f"{path}: format {found}, expected {FORMAT}; use the version of shgat that made it")
        except BaseException as error:
            self._db.close()
            if isinstance(error, sqlite3.DatabaseError):
                raise CorruptError(f"{path}: {error}") from None
            raise

    def _prepare(self, most: int) -> None:
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.execute("PRAGMA wal_autocheckpoint=100")
        self._db.execute("PRAGMA journal_size_limit=1000000")
        self._db.execute(f"PRAGMA max_page_count={max(most // 4096, 64)}")
        problems = self._db.execute("PRAGMA quick_check").fetchone()
        if problems[0] != "ok":
            raise sqlite3.DatabaseError(problems[0])
        if not self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            with self._writing("create"):
                for statement in _SCHEMA.split(";\n"):
                    self._db.execute(statement)
                self._db.execute(f"PRAGMA user_version={FORMAT}")

    @contextmanager
    def _writing(self, what: str) -> Iterator[None]:
        self._on_step(f"manifest {what}")
        try:
            self._db.execute("BEGIN IMMEDIATE")
            yield
            self._db.execute("COMMIT")
        except sqlite3.OperationalError as error:
            if "full" in str(error):
                raise QuotaError(f"{self.path.name}: {error}; give the workspace a larger --quota") from None
            raise OSError(5, str(error), str(self.path)) from None
        finally:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")

    def close(self) -> None:
        """Lets go of the database."""
        self._db.close()

    def register(self, lines: Iterable[Line]) -> int:
        """Adds the sources that are new, in their order; a line with a fault is a row that failed. How many are new."""
        before = self._count()
        with self._writing("register"):
            for line in lines:
                if line.source is not None:
                    row = (line.source.key, line.source.place, line.source.name, "queued", "")
                else:
                    row = (f"line {line.number}", "", f"line {line.number}", "failed", line.fault)
                self._db.execute(
                    "INSERT OR IGNORE INTO repos (position, key, place, name, state, reason) "
                    "VALUES ((SELECT count(*) FROM repos), ?, ?, ?, ?, ?)",
                    row,
                )
        return self._count() - before

    def _count(self) -> int:
        return int(self._db.execute("SELECT count(*) FROM repos").fetchone()[0])

    def requeue(self, *states: str) -> None:
        """Rows of these states are read again; those of bad lines are not."""
        with self._writing("requeue"):
            marks = ",".join("?" * len(states))
            self._db.execute(f"UPDATE repos SET state='queued', reason='' WHERE place<>'' AND state IN ({marks})", states)

    def repos(self) -> list[Repo]:
        """All rows, in order."""
        return [Repo(**dict(row)) for row in self._db.execute("SELECT * FROM repos ORDER BY position")]

    def units(self) -> set[int]:
        """Sequence numbers of the links that it knows."""
        return {row[0] for row in self._db.execute("SELECT seq FROM units")}

    def sealed(self, entry: Entry, commits: int = 0, seconds: float = 0.0, attempts: int = 0) -> None:
        """A unit is in the ledger and in the kernel."""
        with self._writing("sealed"):
            self._db.execute(
                "INSERT OR REPLACE INTO units VALUES (?, ?, ?, ?)", (entry.seq, entry.unit, entry.lineage, entry.source)
            )
            self._db.execute(
                "UPDATE repos SET state='sealed', reason='', seq=?, unit=?, lineage=?, commits=?, bytes=?, seconds=?, attempts=? "
                "WHERE key=?",
                (entry.seq, entry.unit, entry.lineage, commits or entry.n - 1, entry.bytes, seconds, attempts, entry.source),
            )

    def ended(self, position: int, state: str, reason: str, attempts: int = 0, seconds: float = 0.0) -> None:
        """A repository failed or was skipped."""
        with self._writing(state):
            self._db.execute(
                "UPDATE repos SET state=?, reason=?, attempts=?, seconds=? WHERE position=?",
                (state, reason, attempts, seconds, position),
            )

    def move(self, positions: Iterable[int], state: str) -> None:
        """Repositories that are a state further."""
        with self._writing(state):
            self._db.executemany("UPDATE repos SET state=? WHERE position=?", [(state, p) for p in positions])

    def batch(self, batch: int, root: str, units: int) -> None:
        """A batch is archived."""
        with self._writing("batch"):
            self._db.execute("INSERT OR REPLACE INTO batches VALUES (?, ?, ?)", (batch, root, units))

    def batches(self) -> int:
        """How many batches are archived."""
        return int(self._db.execute("SELECT count(*) FROM batches").fetchone()[0])

    def begin(self, now: float, pid: int, of: int) -> int:
        """The number of a new run of so many batches. One that was killed is said to have been."""
        with self._writing("begin"):
            self._db.execute("UPDATE runs SET status='killed' WHERE status='running'")
            found = self._db.execute("INSERT INTO runs (begun, status, pid, of) VALUES (?, 'running', ?, ?)", (now, pid, of))
        return int(found.lastrowid or 0)

    def progress(self, run: int, batch: int, gauges: Iterable[tuple[str, int, int, int]]) -> None:
        """How far a run is, and the quota: class, used, reserved, cap."""
        with self._writing("progress"):
            self._db.execute("UPDATE runs SET batch=? WHERE run=?", (batch, run))
            self._db.executemany("INSERT OR REPLACE INTO gauges VALUES (?, ?, ?, ?)", list(gauges))

    def end(self, run: int, now: float, status: str) -> None:
        """A run is over."""
        with self._writing("end"):
            self._db.execute("UPDATE runs SET ended=?, status=? WHERE run=?", (now, status, run))

    def last_run(self) -> dict[str, Any] | None:
        """The latest run."""
        row = self._db.execute("SELECT * FROM runs ORDER BY run DESC LIMIT 1").fetchone()
        return None if row is None else dict(row)

    def gauges(self) -> dict[str, dict[str, int]]:
        """Class -> used, reserved, cap, as the run said last."""
        return {row["class"]: {k: row[k] for k in ("used", "reserved", "cap")} for row in self._db.execute("SELECT * FROM gauges")}


def opened(path: Path, most: int, on_step: Callable[[str], None]) -> Manifest:
    """The manifest, for the process that has the lock; a damaged one makes room for a new one."""
    try:
        return Manifest(path, most=most, on_step=on_step)
    except CorruptError:
        for name in ("", "-wal", "-shm"):
            path.with_name(path.name + name).unlink(missing_ok=True)
        return Manifest(path, most=most, on_step=on_step)
