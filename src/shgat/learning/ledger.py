"""Files of what the store does not have yet: appended to, synchronised, and adopted by another process where their owner is gone."""

import fcntl
import logging
import os
import stat
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from .. import _fork
from .._files import sha256
from ..errors import InputError

_log = logging.getLogger("shgat")
_SEGMENT = 4 << 20  # bytes from which the next file is begun
_SUFFIX = ".jsonl"


def folder_for(url: str, given: str | Path | None) -> Path | None:
    """Where the journal of a store lies: the given folder, which is created; None for nowhere.

    "" stands for the default: beside the file of SQLite, and created with it; for a server under $XDG_STATE_HOME or ~/.local/state, by a
    hash of its URL without the password.

    Raises
    ------
    InputError
        the given folder cannot be created.
    """
    if given is None:
        return None
    if given != "":
        try:
            Path(given).mkdir(mode=0o700, parents=True, exist_ok=True)
        except (OSError, ValueError) as error:  # ValueError: a NUL in the name
            raise InputError(f"journal: {str(given)!r} cannot be a folder: {getattr(error, 'strerror', None) or error}") from None
        return Path(given)
    try:
        parsed = make_url(url)
    except ArgumentError:
        return None  # which the store says when it is opened
    if parsed.get_backend_name() == "sqlite":
        return Path(f"{parsed.database}.journal").absolute() if parsed.database else None
    try:
        state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "shgat"
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (OSError, RuntimeError) as error:  # RuntimeError: this user has no home
        _log.warning("feedback is not durable until the store has it; name a folder (journal=...): %s", error)
        return None
    return state / sha256(parsed.set(password=None, query={}).render_as_string().encode())[:16]


@dataclass(eq=False)
class Segment:
    """One file, locked, and the keys of its lines that are not in the store yet."""

    path: Path
    descriptor: int
    size: int = 0
    keys: set[str] = field(default_factory=set)


class Ledger:
    """Lines on the disk, in files of which each has one owner: the process that has it locked, in whatever PID namespace.

    A thread writes what has come in since its last turn and synchronises it once, so that many callers share one wait for the disk.
    A file whose lines are all in the store is emptied or removed: what stays on the disk is what waits.

    Parameters
    ----------
    folder : of the files, for the owner alone; None: nothing is kept, and nothing is durable

    Attributes
    ----------
    trouble : why nothing can be written, "" where it can
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder, self.trouble = folder, ""
        self._segments: list[Segment] = []
        self._current: Segment | None = None
        self._reset()
        _fork.renew(self)

    def _reset(self) -> None:
        self._wake, self._io = threading.Condition(), threading.Lock()
        self._queue: list[tuple[str, bytes, Future[bool]]] = []
        self._thread: threading.Thread | None = None
        self._closing = False

    def append(self, key: str, line: bytes) -> "Future[bool]":
        """Writes a line in the background; the result says whether it is on the disk, here or in the store."""
        written: Future[bool] = Future()
        if self.folder is None:
            written.set_result(False)
            return written
        with self._wake:
            self._queue.append((key, line, written))
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="shgat-ledger", daemon=True)
                self._thread.start()
            self._wake.notify()
        return written

    def done(self, keys: list[str]) -> None:
        """These are in the store. What was to be written of them is not any more; files of which nothing is left go."""
        if not self._segments and not self._queue:
            return
        gone = set(keys)
        with self._io:
            with self._wake:
                early = [item for item in self._queue if item[0] in gone]
                self._queue = [item for item in self._queue if item[0] not in gone]
            for _, _, written in early:
                written.set_result(True)
            for segment in list(self._segments):
                segment.keys -= gone
                if not segment.keys:
                    self._emptied(segment)

    def orphans(self) -> Iterator[tuple[Segment, list[bytes]]]:
        """Each file whose owner is gone, and its whole lines. It is this ledger's from now on; whoever takes it adds the keys of its lines."""
        for path in sorted(self.folder.glob(f"*{_SUFFIX}")) if self.folder is not None else ():
            segment = self._adopted(path)
            if segment is None:
                continue
            with os.fdopen(os.dup(segment.descriptor), "rb") as file:
                file.seek(0)
                *lines, torn = file.read().split(b"\n")
            if torn:
                _log.warning("%s ends in the middle of a line, as a killed process leaves it", path)
            try:
                yield segment, lines
            finally:
                with self._io:
                    self._segments.append(segment)
                    if not segment.keys:
                        self._emptied(segment)

    def close(self) -> None:
        """Ends the thread when everything is written. Files with something in them stay, for whoever opens the store next."""
        with self._wake:
            self._closing = True
            self._wake.notify()
            thread = self._thread
        if thread is not None:
            thread.join()
        with self._io:
            for segment in self._segments:
                if not segment.keys:
                    segment.path.unlink(missing_ok=True)
                os.close(segment.descriptor)
            self._segments, self._current = [], None
        if self.folder is not None:
            with suppress(OSError):
                self.folder.rmdir()  # where it is empty

    def after_fork(self) -> None:
        """The files are the parent's; a closed copy of their descriptor leaves them locked."""
        for segment in self._segments:
            with suppress(OSError):
                os.close(segment.descriptor)
        self._segments, self._current = [], None
        closed = self._closing
        self._reset()
        self._closing = closed

    def _work(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._queue or self._closing)
                if not self._queue:
                    return
            with self._io:
                with self._wake:
                    batch, self._queue = self._queue, []
                ok = self._write([(key, line) for key, line, _ in batch])
            for _, _, written in batch:
                written.set_result(ok)

    def _write(self, lines: list[tuple[str, bytes]]) -> bool:
        try:
            segment = self._segment()
            try:
                data = memoryview(b"".join(line for _, line in lines))
                while data:
                    data = data[os.write(segment.descriptor, data) :]
                os.fdatasync(segment.descriptor)
            except OSError:
                os.ftruncate(segment.descriptor, segment.size)  # no line in the middle is torn
                raise
        except OSError as error:
            if not self.trouble:
                _log.warning("feedback is in memory alone until the store has it: %s", error)
            self.trouble = f"feedback is in memory alone until the store has it: {self.folder}: {error.strerror or error}"
            return False
        segment.size += sum(len(line) for _, line in lines)
        segment.keys.update(key for key, _ in lines)
        self.trouble = ""
        return True

    def _segment(self) -> Segment:
        """The file to append to."""
        current = self._current
        if current is not None and current.size < _SEGMENT and current.path.exists():
            return current
        assert self.folder is not None
        self.folder.mkdir(mode=0o700, exist_ok=True)
        while True:
            path = self.folder / f"{os.getpid()}-{os.urandom(8).hex()}{_SUFFIX}"
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
            if _locked(descriptor, path):
                break
            os.close(descriptor)  # somebody took it for an orphan in between
        _synchronised(self.folder)
        self._current = Segment(path, descriptor)
        self._segments.append(self._current)
        return self._current

    def _adopted(self, path: Path) -> Segment | None:
        """The file, where nobody else owns it."""
        if any(segment.path == path for segment in self._segments):
            return None
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            return None
        if not stat.S_ISREG(os.fstat(descriptor).st_mode) or not _locked(descriptor, path):
            os.close(descriptor)
            return None
        return Segment(path, descriptor)

    def _emptied(self, segment: Segment) -> None:
        if segment is self._current and segment.size < _SEGMENT:
            if segment.size:
                os.ftruncate(segment.descriptor, 0)
                segment.size = 0
            return
        segment.path.unlink(missing_ok=True)
        os.close(segment.descriptor)
        self._segments.remove(segment)
        if segment is self._current:
            self._current = None


def _locked(descriptor: int, path: Path) -> bool:
    """Is the file, which still has that name, this process's now?"""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _synchronised(folder: Path) -> None:
    """The names in it survive a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
