"""Processes that do jobs: a task is a line of JSON into one, its outcome a line out of it. They end with the process that started them."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict
from queue import SimpleQueue
from typing import BinaryIO

import orjson

from .disk import Disk
from .job import Outcome, Task, perform

Waiting = Callable[[], Outcome]
_PR_SET_PDEATHSIG = 1


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
    """

    def __init__(self, n: int) -> None:
        self._idle: SimpleQueue[_Child] = SimpleQueue()
        self._all = [_Child() for _ in range(n)]
        for child in self._all:
            self._idle.put(child)
        self._threads = ThreadPoolExecutor(n, "shgat-progressive")
        self._closed = threading.Event()

    def submit(self, task: Task) -> Waiting:
        """Hands a task on; who calls what this returns waits for its outcome."""
        return self._threads.submit(self._done, task).result

    def _done(self, task: Task) -> Outcome:
        child = self._idle.get()
        try:
            if self._closed.is_set():
                return Outcome("failed", "it was told to end")
            return child.do(task)
        finally:
            self._idle.put(child)

    def close(self) -> None:
        """Ends the processes, whatever they are at."""
        self._closed.set()
        for child in self._all:
            child.end()
        self._threads.shutdown(cancel_futures=True)


class _Child:
    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def _started(self) -> "subprocess.Popen[bytes]":
        if self._process is None or self._process.poll() is not None:
            self.end()
            command = [sys.executable, "-c", "from shgat.progressive.children import serve; serve()"]
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        return self._process

    def do(self, task: Task) -> Outcome:
        """One job; a process that ends over it is an outcome too."""
        process = self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(orjson.dumps(asdict(task)) + b"\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except OSError:
            line = b""
        if not line.endswith(b"\n"):
            return Outcome("failed", f"the process that read it ended with {process.wait()}")
        return Outcome.from_dict(orjson.loads(line))

    def end(self) -> None:
        """Ends the process."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    with suppress(OSError):  # of what was not written yet
                        pipe.close()


def serve() -> None:
    """What such a process does: tasks from stdin until it ends."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    out: BinaryIO = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # nothing but outcomes goes there
    disk = Disk()
    for line in sys.stdin.buffer:
        outcome = perform(Task(**orjson.loads(line)), disk)
        out.write(orjson.dumps(outcome.to_dict()) + b"\n")
        out.flush()
