"""Processes that read repositories and pack archives: a job is a line of JSON into one, what came of it a line out of it. They end with
the process that started them."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from queue import SimpleQueue
from typing import Any, BinaryIO

import orjson

from ..errors import ShgatError
from .chain import Entry
from .disk import Disk
from .job import Outcome, Task, perform
from .packing import Packed
from .segment import read

Waiting = Callable[[], Outcome]
_PR_SET_PDEATHSIG = 1
_POLL = 0.2  # seconds


class Inline:
    """Does each job where it is asked for."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk

    def submit(self, task: Task) -> Waiting:
        """Does a task, and gives its outcome to who asks."""
        outcome = perform(task, self._disk)
        return lambda: outcome

    def close(self) -> None:
        """Nothing is open."""


class Children:
    """Does jobs in so many processes.

    Parameters
    ----------
    n : of processes
    stopped : set where nobody waits for outcomes any more
    """

    def __init__(self, n: int, stopped: threading.Event | None = None) -> None:
        self._stopped = stopped or threading.Event()
        self._idle: SimpleQueue[_Child] = SimpleQueue()
        self._all = [_Child() for _ in range(n)]
        for child in self._all:
            self._idle.put(child)
        self._threads = ThreadPoolExecutor(n, "shgat-progressive")
        self._closed = threading.Event()

    def submit(self, task: Task) -> Waiting:
        """Hands a task on; who calls what this returns waits for its outcome."""
        waiting = self._threads.submit(self._done, {"task": asdict(task)})

        def outcome() -> Outcome:
            while not self._stopped.is_set():
                with suppress(TimeoutError):
                    return _outcome(waiting.result(_POLL))
            return _outcome(waiting.result() if waiting.done() else {"died": "it was told to end"})

        return outcome

    def pack(self, segments: Sequence[tuple[Entry, Path]], folder: Path, stamp: str, most: int) -> Callable[[], Path | None]:
        """Has an archive stored, of at most so many bytes; who calls what this returns waits for its part, None where there is none."""
        links = [[entry.line().decode(), str(path)] for entry, path in segments]
        waiting = self._threads.submit(self._done, {"segments": links, "folder": str(folder), "stamp": stamp, "most": most})

        def part() -> Path | None:
            found = waiting.result().get("part")
            return Path(found) if found else None

        return part

    def _done(self, work: dict[str, Any]) -> dict[str, Any]:
        child = self._idle.get()
        try:
            return {"died": "it was told to end"} if self._closed.is_set() else child.do(work)
        finally:
            self._idle.put(child)

    def close(self) -> None:
        """Ends the processes, whatever they are at."""
        self._closed.set()
        for child in self._all:
            child.end()
        self._threads.shutdown(cancel_futures=True)
        for child in self._all:
            child.close()


class _Child:
    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._over = False

    def _started(self) -> "subprocess.Popen[bytes] | None":
        """A process that runs, unless it is over."""
        with self._lock:
            if self._over:
                return None
            if self._process is None or self._process.poll() is not None:
                self._let_go()
                command = [sys.executable, "-c", f"from shgat.progressive.children import serve; serve({os.getpid()})"]
                self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            return self._process

    def do(self, work: dict[str, Any]) -> dict[str, Any]:
        """One job; that a process ended over it is an answer too."""
        process = self._started()
        if process is None:
            return {"died": "it was told to end"}
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(orjson.dumps(work) + b"\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except OSError:
            line = b""
        if not line.endswith(b"\n"):
            return {"died": f"the process that read it ended with {process.wait()}"}
        found: dict[str, Any] = orjson.loads(line)
        return found

    def end(self) -> None:
        """Ends the process, and starts none any more."""
        with self._lock:
            self._over = True
            if self._process is not None:
                self._process.kill()
                self._process.wait()

    def close(self) -> None:
        """Lets go of its pipes, when nobody reads them any more."""
        with self._lock:
            self._let_go()

    def _let_go(self) -> None:
        if self._process is not None:
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    with suppress(OSError):  # of what was not written yet
                        pipe.close()


def serve(parent: int) -> None:
    """What such a process does: tasks from stdin until it ends, or until the process that started it does, which may have been before
    this line. One that went on would write beside the next run."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    out: BinaryIO = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # nothing but outcomes goes there
    disk = Disk()
    for line in sys.stdin.buffer:
        work = orjson.loads(line)
        found = {"outcome": perform(Task(**work["task"]), disk).to_dict()} if "task" in work else {"part": _stored(work, disk)}
        try:
            out.write(orjson.dumps(found) + b"\n")
            out.flush()
        except BrokenPipeError:  # who asked has ended
            os._exit(0)


def _stored(work: dict[str, Any], disk: Disk) -> str | None:
    """The part of an archive; None where it would be too large or something is wrong, which who asked finds out when it packs it itself."""
    try:
        packed = Packed.of((Entry.of(line.encode(), path), read(Path(path))) for line, path in work["segments"])
        return str(packed.store(Path(work["folder"]), work["stamp"], disk)) if packed.room <= work["most"] else None
    except (ShgatError, OSError, MemoryError):
        return None


def _outcome(found: dict[str, Any]) -> Outcome:
    return Outcome("failed", found["died"]) if "died" in found else Outcome.from_dict(found["outcome"])
