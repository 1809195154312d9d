"""The parent of a training child: starts it, talks to it, limits it, and always buries it."""

import os
import selectors
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import IO, Any, Self

from .. import _fork
from .._check import number
from ..errors import WorkerError
from .protocol import MAX_BYTES, dump
from .result import Result

_PIECE = 1 << 16
_TAIL = 1 << 14  # bytes of the child's log that are kept
COMMAND = (sys.executable, "-m", "shgat.worker")
Process = subprocess.Popen[bytes]


class Child:
    """A training child that stays warm between jobs; one job at a time, from any thread.

    The child ends with its parent, however that ends; in a fork of the parent, this object starts another. A child that fails, hangs
    or dies is killed and reaped, and the next job gets a new one.

    Parameters
    ----------
    timeout : seconds for one job, its start included
    memory_limit : MiB of address space, or None
    niceness : added to the child's, so that who answers requests comes first
    command : what to run instead of `python -m shgat.worker`
    """

    def __init__(
        self, *, timeout: float = 600.0, memory_limit: int | None = None, niceness: int = 10, command: Sequence[str] = COMMAND
    ) -> None:
        self.timeout = number(timeout, 1e-3, 1e6, "timeout")
        self._command = [*command, "--warm", "--nice", str(niceness), "--memory-limit", str(memory_limit or 0)]
        self._lock = threading.Lock()
        self._process: Process | None = None
        self._bury: weakref.finalize[[Process], Any] | None = None
        self._tail = b""
        _fork.renew(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """Of the child, None where there is none."""
        process = self._process
        return None if process is None or process.poll() is not None else process.pid

    def start(self) -> None:
        """Starts the child now, so that the first job finds it warm."""
        with self._lock:
            self._alive()

    def train(self, job: Mapping[str, Any]) -> Result:
        """Sends a job and waits for its result.

        Raises
        ------
        WorkerError
            the job failed, took too long, or its child died or broke the protocol.
        """
        message = dump(job)
        with self._lock:
            process = self._alive()
            try:
                return Result.parse(self._exchange(process, message))
            except BaseException:
                self._end()
                raise

    async def atrain(self, job: Mapping[str, Any]) -> Result:
        """The same without blocking the event loop; the child is killed where the task is cancelled."""
        import asyncio  # here: a child imports this package too, and has to start quickly

        work = asyncio.ensure_future(asyncio.to_thread(self.train, job))
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            while not work.done():
                self.kill()
                await asyncio.wait([work], timeout=0.05)
            if not work.cancelled():
                work.exception()  # seen
            raise

    def kill(self) -> None:
        """Ends the child in the middle of whatever it does; a waiting `train` raises WorkerError."""
        process = self._process
        if process is not None:
            process.kill()

    def close(self) -> None:
        """Ends the child and waits for it."""
        self.kill()
        with self._lock:
            self._end()

    def after_fork(self) -> None:
        """The process is the parent's child, and its pipes are the parent's."""
        process, self._process, self._lock, self._tail = self._process, None, threading.Lock(), b""
        if self._bury is not None:
            self._bury.detach()
            self._bury = None
        if process is not None:
            process.returncode = 0  # whatever it is: it is not ours to wait for
            _close(process)

    def _alive(self) -> Process:
        if self._process is not None and self._process.poll() is not None:
            self._end()
        if self._process is None:
            pipe = subprocess.PIPE
            try:  # a session of its own: Ctrl-C is for the parent, which then ends the child
                process = subprocess.Popen(self._command, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True, bufsize=0)
            except OSError as error:
                raise WorkerError(f"cannot start a training child: {error.strerror or error}") from None
            self._process, self._tail = process, b""
            self._bury = weakref.finalize(self, _bury, process)
        return self._process

    def _end(self) -> None:
        if self._bury is not None:
            self._bury()
        self._process = self._bury = None

    def _exchange(self, process: Process, message: bytes) -> bytes:
        """Writes the message and reads a line, both pipes at once, so that neither side ever waits for the other."""
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        deadline = time.monotonic() + self.timeout
        waiting, answer = memoryview(message), bytearray()
        with selectors.DefaultSelector() as selector:
            os.set_blocking(process.stdin.fileno(), False)
            selector.register(process.stdin, selectors.EVENT_WRITE)
            selector.register(process.stdout, selectors.EVENT_READ)
            selector.register(process.stderr, selectors.EVENT_READ)
            while True:
                left = deadline - time.monotonic()
                if left <= 0:
                    raise WorkerError(f"the training child gave no answer in {self.timeout:g} s{self._last_words()}")
                for key, _ in selector.select(left):
                    stream = key.fileobj
                    if stream is process.stdin:
                        waiting = _write(process.stdin, waiting)
                        if not waiting:
                            selector.unregister(stream)
                        continue
                    piece = os.read(key.fd, _PIECE)
                    if stream is process.stderr:
                        self._tail = (self._tail + piece)[-_TAIL:]
                        if not piece:
                            selector.unregister(stream)
                        continue
                    answer += piece
                    if piece.endswith(b"\n"):
                        return bytes(answer)
                    if not piece:
                        why = self._cause(process)
                        self._hear_out(process.stderr)  # its end may be seen before what it said last
                        raise WorkerError(f"the training child ended without an answer{why}{self._last_words()}")
                    if len(answer) > MAX_BYTES:
                        raise WorkerError(f"the training child broke the protocol: its answer has more than {MAX_BYTES} bytes")

    def _hear_out(self, stream: IO[bytes]) -> None:
        """Takes in what stands in a pipe."""
        os.set_blocking(stream.fileno(), False)
        try:
            while piece := os.read(stream.fileno(), _PIECE):
                self._tail = (self._tail + piece)[-_TAIL:]
        except BlockingIOError:
            return

    def _cause(self, process: Process) -> str:
        try:
            code = process.wait(1.0)
        except subprocess.TimeoutExpired:
            return ""
        return f": killed by signal {-code}" if code < 0 else f": exit code {code}"

    def _last_words(self) -> str:
        words = " ".join(self._tail[-500:].decode(errors="replace").split())
        return f"; it last said: {words}" if words else ""


def train_in_child(job: Mapping[str, Any], *, timeout: float = 600.0, memory_limit: int | None = None) -> Result:
    """One job in a child of its own; see `Child`."""
    with Child(timeout=timeout, memory_limit=memory_limit) as child:
        return child.train(job)


async def atrain_in_child(job: Mapping[str, Any], *, timeout: float = 600.0, memory_limit: int | None = None) -> Result:
    """The same without blocking the event loop."""
    import asyncio

    child = Child(timeout=timeout, memory_limit=memory_limit)
    try:
        return await child.atrain(job)
    finally:
        await asyncio.to_thread(child.close)


def _write(stream: IO[bytes], waiting: memoryview) -> memoryview:
    try:
        return waiting[os.write(stream.fileno(), waiting[:_PIECE]) :]
    except BrokenPipeError:
        return waiting[:0]  # what stdout says, or its end, tells why


def _bury(process: Process) -> None:
    process.kill()
    process.wait()
    _close(process)


def _close(process: Process) -> None:
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            stream.close()
