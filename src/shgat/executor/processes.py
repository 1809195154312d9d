"""Processes of this machine: Python's own pool, each process with one thread of BLAS.

They are started anew and not forked, so locks and threads of this process do not matter. As with all of `multiprocessing`, a script that
opens them stands under `if __name__ == "__main__":`.
"""

import logging
import multiprocessing
import os
import pickle
import shutil
import signal
import socket
import tempfile
import threading
from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from .. import _check
from . import parcel
from .contract import Executor, OnEvent, R, S, Shared, T, Task
from .window import in_order

_LOOK = 0.1  # seconds between looks at what was told
_LONGEST_NAME = 90  # characters of a folder that a socket can lie in
_KEPT = 4  # shared values that a process remembers
_SINGLE = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
_log = logging.getLogger("shgat")
_environment = threading.Lock()


class Processes(Executor):
    """As many processes as asked for, which start with the first work.

    What is shared lies in one file of a private folder, which all map. What is told comes by datagrams, so that no process that ends
    in the middle of a word holds up the others.

    Parameters
    ----------
    jobs : processes, at least 1
    """

    def __init__(self, jobs: int) -> None:
        self.jobs, self.moved = _check.positive_integer(jobs, "jobs"), 0
        self._folder = _private_folder()
        self._ears = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._ears.bind(str(self._folder / "told"))
        self._ears.setblocking(False)
        self._n_shared, self._pools = 0, dict[Future[bytes], ProcessPoolExecutor]()
        self._pool: ProcessPoolExecutor | None = None

    def share(self, value: S) -> Shared[S]:
        """Writes the value to a file that the processes map."""
        path = self._folder / f"{self._n_shared}.shared"
        self._n_shared += 1
        self.moved += parcel.write(path, value)
        return Shared(value, str(path))

    def map(self, task: Task[S, T, R], shared: Shared[S], items: Iterable[T], on_event: OnEvent | None = None) -> Iterator[R]:
        """See `Executor.map`."""
        told = "" if on_event is None else str(self._folder / "told")

        def start(number: int, call: bytes) -> Future[bytes]:
            self.moved += len(call)
            return self._submitted(call, shared.place, told, number)

        def ended(under_way: Collection[Future[bytes]]) -> list[tuple[Future[bytes], bytes | None]]:
            done, _ = wait(under_way, _LOOK, FIRST_COMPLETED)
            self._hear(on_event)
            if any(isinstance(future.exception(), BrokenProcessPool) for future in done):
                done, _ = wait(under_way)  # all of its calls end with a pool
            return [(future, self._answer(future)) for future in done]

        complete = False
        try:
            for answer in in_order((parcel.call(task, item) for item in items), start, ended, self.jobs):
                self.moved += len(answer)
                yield parcel.result(answer)
            complete = True
        finally:
            self._hear(on_event)
            if not complete:
                self._end_pool()  # what is under way is wanted no more
                self._pools.clear()

    def close(self) -> None:
        """Ends the processes and removes what was shared."""
        self._end_pool()
        self._ears.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _submitted(self, call: bytes, place: Any, told: str, number: int) -> Future[bytes]:
        for _ in range(2):  # the pool may have broken since
            if self._pool is None:
                self._pool = ProcessPoolExecutor(self.jobs, multiprocessing.get_context("spawn"), _begin)
            try:
                with _one_thread():
                    future = self._pool.submit(_work, call, place, told, number)
            except BrokenProcessPool:
                self._end_pool()
                continue
            self._pools[future] = self._pool
            return future
        raise BrokenProcessPool("a pool of processes broke as it started")

    def _answer(self, future: "Future[bytes]") -> bytes | None:
        pool = self._pools.pop(future)
        try:
            return future.result()
        except BrokenProcessPool:
            if pool is self._pool:
                self._end_pool()
            return None

    def _hear(self, on_event: OnEvent | None) -> None:
        with suppress(BlockingIOError):
            while True:
                message = self._ears.recv(1 << 18)
                if on_event is not None:
                    on_event(*pickle.loads(message))

    def _end_pool(self) -> None:
        pool, self._pool = self._pool, None
        if pool is None:
            return
        if any(own is pool and not future.done() for future, own in self._pools.items()):
            for process in list((getattr(pool, "_processes", None) or {}).values()):
                process.kill()  # the pool has no word for it before Python 3.14
        pool.shutdown(wait=True, cancel_futures=True)
        self._pools = {future: own for future, own in self._pools.items() if own is not pool or future.done()}


def _private_folder() -> Path:
    """A folder that nobody else can enter, whose name is short enough for a socket in it."""
    folder = tempfile.mkdtemp(prefix="shgat-")
    if len(folder) > _LONGEST_NAME:
        Path(folder).rmdir()
        folder = tempfile.mkdtemp(prefix="shgat-", dir="/tmp")
    return Path(folder)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Processes that start within have one thread of BLAS: the processes are what runs at once, and sums do not depend on their number."""
    with _environment:
        before = {name: os.environ.get(name) for name in _SINGLE}
        os.environ.update(_SINGLE)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value


# ---------------------------------------------------------------- in the processes
_shared: dict[str, Any] = {}


def _begin() -> None:
    """A process of the pool: an interrupt is its parent's to answer, and without a parent it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:

        def outlive() -> None:
            parent.join()
            os._exit(1)

        threading.Thread(target=outlive, name="parent", daemon=True).start()


def _work(call: bytes, place: str, told: str, number: int) -> bytes:
    if place not in _shared:
        while len(_shared) >= _KEPT:
            del _shared[next(iter(_shared))]
        _shared[place] = parcel.read(Path(place))
    return parcel.answered(call, _shared[place], lambda event: _tell(told, number, event))


def _tell(told: str, number: int, event: object) -> None:
    if told:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as mouth, suppress(OSError):  # nobody may listen any more
            mouth.settimeout(1.0)
            mouth.sendto(pickle.dumps((number, event)), told)
