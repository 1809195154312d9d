"""The two ends of a child's pipes: messages in, with limits on size and time, and lines out."""

import os
import select
import time

from ..errors import WorkerError

_PIECE = 1 << 20


class Messages:
    """JSON documents from a descriptor, one a line.

    Parameters
    ----------
    timeout : seconds in which a message that has begun has to be complete; the first one has begun when the child started
    limit : bytes of one message
    """

    def __init__(self, descriptor: int, timeout: float, limit: int) -> None:
        self._descriptor, self._timeout, self._limit = descriptor, timeout, limit
        self._rest = bytearray()
        self.ended = False

    def next(self, patient: bool = False) -> bytes | None:
        """The next message, None where no more will come; `patient` waits for its first byte as long as it takes.

        A first line that does not end in a brace is the beginning of a document of several lines, which ends with the stream.

        Raises
        ------
        WorkerError
            for half a message and silence, and for a message that is too long.
        """
        deadline = None if patient and not self._rest else time.monotonic() + self._timeout
        searched, several = 0, False
        while True:
            end = -1 if several else self._rest.find(b"\n", searched)
            if end >= 0:
                line = bytes(self._rest[:end]).strip()
                several = bool(line) and not line.endswith(b"}")
                if not several:
                    del self._rest[: end + 1]
                    searched = 0
                    if line:
                        return line
                continue
            searched = len(self._rest)
            if self.ended:
                message, self._rest = bytes(self._rest).strip(), bytearray()
                return message or None
            if len(self._rest) > self._limit:
                raise WorkerError(f"a message has more than {self._limit} bytes; send large arrays by file")
            if not self._ready(deadline):
                raise WorkerError(f"half a message ({len(self._rest)} bytes), then nothing for {self._timeout:g} s")
            piece = os.read(self._descriptor, _PIECE)
            self.ended = not piece
            self._rest += piece
            if deadline is None:
                deadline = time.monotonic() + self._timeout

    def _ready(self, deadline: float | None) -> bool:
        poll = select.poll()
        poll.register(self._descriptor, select.POLLIN)
        if deadline is None:
            return bool(poll.poll())
        return bool(poll.poll(max(0.0, 1000 * (deadline - time.monotonic()))))


def write_all(descriptor: int, data: bytes) -> None:
    """Writes everything; BrokenPipeError where nobody reads."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
