"""`shgat worker`: the training child. A JSON job on stdin, a JSON line on stdout, logs on stderr, exit code 1 on failure.

It ends when its parent ends: with the end of stdin where it is kept warm, and in any case when another process adopts it.
"""

import argparse
import logging
import os
import resource
import sys
import threading
import time
from collections.abc import Sequence

from ..training import Epoch
from .protocol import MAX_BYTES, dump, failure, parse
from .stream import Messages, write_all
from .task import Task

_log = logging.getLogger("shgat")
ADOPTION = 0.25  # seconds between looks at who the parent is
DESCRIPTION = "Train in a child process: a JSON job on stdin, a JSON line on stdout, logs on stderr, exit code 1 on failure."


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the child; returns its exit code."""
    options = _options(arguments)
    threading.Thread(target=_end_with, args=(os.getppid(),), name="parent", daemon=True).start()
    out = os.dup(1)
    os.dup2(2, 1)  # whatever prints must not disturb the protocol
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    if options.memory_limit:
        resource.setrlimit(resource.RLIMIT_AS, (options.memory_limit << 20, resource.RLIM_INFINITY))
    if options.nice:
        os.nice(options.nice)
    try:
        return _warm(out, options.input_timeout) if options.warm else _once(out, options.input_timeout)
    except BrokenPipeError:
        return 1


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("shgat worker", description=DESCRIPTION)
    parser.add_argument("--warm", action="store_true", help="one job a line, until the end of stdin")
    parser.add_argument("--memory-limit", type=int, default=0, metavar="MIB", help="of address space; 0: none")
    parser.add_argument("--input-timeout", type=float, default=30.0, metavar="S", help="for a message to be complete")
    parser.add_argument("--nice", type=int, default=0, help="added to the niceness, so that the gateway comes first")
    return parser.parse_args(arguments)


def _once(out: int, timeout: float) -> int:
    try:
        message = Messages(0, timeout, MAX_BYTES).next()
        line, code = _answer(message or b"")
    except Exception as error:
        line, code = failure(error), 1
    write_all(out, line)
    return code


def _warm(out: int, timeout: float) -> int:
    """One answer a job. The stream is read beside the work, so that its end is noticed at once."""
    queue: list[bytes] = []
    arrived = threading.Condition()
    threading.Thread(target=_read, args=(Messages(0, timeout, MAX_BYTES), queue, arrived, out), name="stdin", daemon=True).start()
    while True:
        with arrived:
            arrived.wait_for(lambda: queue)
            message = queue.pop(0)
        write_all(out, _answer(message)[0])


def _read(messages: Messages, queue: list[bytes], arrived: threading.Condition, out: int) -> None:
    code = 0
    try:
        while (message := messages.next(patient=True)) is not None:
            with arrived:
                queue.append(message)
                arrived.notify()
    except Exception as error:  # where the next message would begin is unknown
        write_all(out, failure(error))
        code = 1
    finally:
        os._exit(code)  # also in the middle of a training


def _answer(message: bytes) -> tuple[bytes, int]:
    """The line that answers a message, and the exit code."""
    try:
        job = parse(message)
        return dump(Task.build(job).run(_progress)), 0
    except Exception as error:
        _log.error("the job failed: %s", error, exc_info=not isinstance(error, ValueError))
        return failure(error), 1


def _progress(epoch: Epoch) -> None:
    _log.info("epoch %d of %d: loss %.4f, %.2f s", epoch.number, epoch.of, epoch.loss, epoch.seconds)


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(ADOPTION)
    os._exit(1)
