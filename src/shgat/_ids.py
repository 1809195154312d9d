"""Ids of what happens: 128 random bits. A request asks for one, and a call of the operating system each would cost it a tenth of its time."""

import os
import threading

from . import _fork

_AT_ONCE = 256


class _Ids:
    """Random bits, read for many ids at once; a forked child reads its own."""

    def __init__(self) -> None:
        self.after_fork()
        _fork.renew(self)

    def after_fork(self) -> None:
        self._lock, self._ready = threading.Lock(), list[str]()

    def next(self) -> str:
        with self._lock:
            if not self._ready:
                bits = os.urandom(16 * _AT_ONCE).hex()
                self._ready = [bits[at : at + 32] for at in range(0, len(bits), 32)]
            return self._ready.pop()


_ids = _Ids()


def new() -> str:
    """32 hexadecimal digits that no other process has."""
    return _ids.next()
