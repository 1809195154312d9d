"""`shgat worker`: the training child. A JSON job on stdin, a JSON line on stdout, logs on stderr, exit code 1 on failure.

It ends when its parent ends: with the end of stdin where it is kept warm, and in any case when another process adopts it. With a memory
limit, a guard answers where the child cannot: see `shgat.worker.guard`.
"""

import argparse
import logging
import os
import resource
import sys
import threading
from collections.abc import Sequence

from ..errors import ShgatError
from ..training import Epoch
from .guard import Guard, end_with
from .protocol import MAX_BYTES, dump, failure, parse
from .stream import Messages
from .task import Task

_log = logging.getLogger("shgat")
DESCRIPTION = "Train in a child process: a JSON job on stdin, a JSON line on stdout, logs on stderr, exit code 1 on failure."


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the child; returns its exit code."""
    options = _options(arguments)
    out = os.dup(1)
    os.dup2(2, 1)  # whatever prints must not disturb the protocol
    guard = Guard(out)
    if options.memory_limit:
        code = guard.fork()
        if code is not None:  # this is the guard, and its child is gone
            return code
    end_with(os.getppid())
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    if options.nice:
        os.nice(options.nice)
    jobs = _Jobs(options.input_timeout, guard) if options.warm else None
    if options.memory_limit:  # now that all threads run: to start one without memory can wait for ever
        resource.setrlimit(resource.RLIMIT_AS, (options.memory_limit << 20, resource.RLIM_INFINITY))
    try:
        return _once(guard, options.input_timeout) if jobs is None else _warm(guard, jobs)
    except BrokenPipeError:
        return 1


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("shgat worker", description=DESCRIPTION)
    parser.add_argument("--warm", action="store_true", help="one job a line, until the end of stdin")
    parser.add_argument("--memory-limit", type=int, default=0, metavar="MIB", help="of address space; 0: none")
    parser.add_argument("--input-timeout", type=float, default=30.0, metavar="S", help="for a message to be complete")
    parser.add_argument("--nice", type=int, default=0, help="added to the niceness, so that the gateway comes first")
    return parser.parse_args(arguments)


def _once(guard: Guard, timeout: float) -> int:
    guard.owe()
    try:
        message = Messages(0, timeout, MAX_BYTES).next()
        line, code = _answer(message or b"")
    except Exception as error:
        line, code = failure(error), 1
    guard.pay(line)
    return code


def _warm(guard: Guard, jobs: "_Jobs") -> int:
    """One answer a job."""
    while True:
        guard.pay(_answer(jobs.next())[0])


class _Jobs:
    """The messages of stdin. They are read beside the work, so that the end of the stream is noticed at once, and ends the process."""

    def __init__(self, timeout: float, guard: Guard) -> None:
        self._queue: list[bytes] = []
        self._arrived = threading.Condition()
        self._messages, self._guard = Messages(0, timeout, MAX_BYTES), guard
        threading.Thread(target=self._read, name="stdin", daemon=True).start()

    def next(self) -> bytes:
        """The next message, as soon as there is one."""
        with self._arrived:
            self._arrived.wait_for(lambda: self._queue)
            return self._queue.pop(0)

    def _read(self) -> None:
        code = 1
        try:
            while (message := self._messages.next(patient=True)) is not None:
                self._guard.owe()
                with self._arrived:
                    self._queue.append(message)
                    self._arrived.notify()
            self._guard.forgive()
            code = 0
        except Exception as error:  # where the next message would begin is unknown
            self._guard.pay(failure(error))
        finally:
            os._exit(code)  # also in the middle of a training


def _answer(message: bytes) -> tuple[bytes, int]:
    """The line that answers a message, and the exit code."""
    try:
        job = parse(message)
        return dump(Task.build(job).run(_progress)), 0
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # a panic of a library in Rust is no Exception
        expected = isinstance(error, (ShgatError, OSError, MemoryError))
        _log.error("the job failed: %s", " ".join(str(error).split()) or type(error).__name__, exc_info=not expected)
        return failure(error), 1


def _progress(epoch: Epoch) -> None:
    _log.info("epoch %d of %d: loss %.4f, %.2f s", epoch.number, epoch.of, epoch.loss, epoch.seconds)
