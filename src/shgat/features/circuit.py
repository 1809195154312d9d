"""A circuit around an encoder that may be slow or dead: a time limit, and rest after a failure, longer each time."""

import atexit
import os
import threading
import time
from collections.abc import Callable, Sequence

from .. import _fork
from .._types import Float32
from ..errors import EncoderError
from .encoder import Encoder

LIMIT = 2.0  # seconds of one intent
_AT_EXIT = 5.0  # seconds that the end of the process waits for calls that took too long
FIRST_REST, LONGEST_REST = 1.0, 60.0  # seconds


class Circuit:
    """Encodes within a time limit, and not at all while it rests. Safe from any number of threads.

    After a failure it rests a second, after one more twice as long, at most a minute; then one call tries again while others are still
    refused, and the first that succeeds closes the circuit. A call that took too long goes on by itself, and nothing is tried before it ends.

    Parameters
    ----------
    encoder : what is called
    limit : seconds a text
    clock : seconds
    """

    def __init__(self, encoder: Encoder, limit: float = LIMIT, clock: Callable[[], float] = time.monotonic) -> None:
        self.encoder, self._limit, self._clock = encoder, limit, clock
        self._failures, self._rests_until, self._trouble = 0, 0.0, ""
        self.after_fork()
        _fork.renew(self)

    def after_fork(self) -> None:
        """In a forked child no call is under way."""
        self._lock, self._late, self._trying = threading.Lock(), 0, False

    @property
    def trouble(self) -> str:
        """Why it rests, "" where it does not."""
        return self._trouble

    def encode(self, texts: Sequence[str]) -> Float32:
        """What the encoder gives.

        Raises
        ------
        EncoderError
            while it rests, where the encoder fails, and after the time limit.
        """
        with self._lock:
            if self._failures and (self._late or self._trying or self._clock() < self._rests_until):
                raise EncoderError(f"resting after {self._trouble}")
            self._trying = True
        call = _Call(self.encoder, texts)
        try:
            found = call.result(self._limit * max(1, len(texts)))
        except BaseException as error:
            self._failed(call, error)
            raise
        with self._lock:
            self._failures, self._trouble, self._trying = 0, "", False
        return found

    def _failed(self, call: "_Call", error: BaseException) -> None:
        with self._lock:
            self._trying = False
            self._failures += 1
            self._trouble = str(error) or type(error).__name__
            self._rests_until = self._clock() + min(LONGEST_REST, FIRST_REST * 2.0 ** min(self._failures - 1, 10))
            if call.running(self._ended):
                self._late += 1

    def _ended(self) -> None:
        with self._lock:
            self._late = max(0, self._late - 1)


class _Call:
    """One call on a thread of its own, which holds up the end of the process for some seconds at most."""

    def __init__(self, encoder: Encoder, texts: Sequence[str]) -> None:
        self._found: Float32 | None = None
        self._error: BaseException | None = None
        self._done, self._lock = threading.Event(), threading.Lock()
        self._on_end: Callable[[], None] | None = None
        _running.add(self)
        threading.Thread(target=self._run, args=(encoder, texts), name="shgat-encoder", daemon=True).start()

    def _run(self, encoder: Encoder, texts: Sequence[str]) -> None:
        try:
            self._found = encoder.encode(texts)
        except BaseException as error:  # it is raised where the call was made
            self._error = error
        with self._lock:
            self._done.set()
            on_end = self._on_end
        _running.discard(self)
        if on_end is not None:
            on_end()

    def result(self, limit: float) -> Float32:
        if not self._done.wait(limit):
            raise EncoderError(f"no answer in {limit:g} s")
        if self._error is not None:
            raise self._error
        assert self._found is not None
        return self._found

    def running(self, on_end: Callable[[], None]) -> bool:
        """Does it go on? Then `on_end` is called at its end."""
        with self._lock:
            if self._done.is_set():
                return False
            self._on_end = on_end
            return True

    def wait(self, seconds: float) -> None:
        """Until its end, or so long."""
        self._done.wait(seconds)


def _wait_for_all() -> None:
    """A thread that is inside of native code while the interpreter goes away would end the process with an abort."""
    until = time.monotonic() + _AT_EXIT
    for call in list(_running):
        call.wait(max(0.0, until - time.monotonic()))


_running: "set[_Call]" = set()
atexit.register(_wait_for_all)
os.register_at_fork(after_in_child=_running.clear)
