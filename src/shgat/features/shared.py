"""Vectors in a Redis, or what speaks its protocol: for all processes that encode by the same encoder. A dead one costs a line in the log."""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from .. import _fork
from .._types import Float32
from ..errors import InputError, MissingExtraError

_log = logging.getLogger("shgat")
LASTS = 86_400  # seconds that a vector stays there
TIMEOUT = 0.1  # seconds that a request waits for it
REST = 3.0  # seconds that it is left alone after a failure
_PREFIX = b"shgat:vector:1:"
_SCHEMES = ("redis", "rediss", "unix")


class Redis:
    """The second level of a `VectorCache`. Neither call raises.

    Parameters
    ----------
    connect : makes a client of redis-py, in each process its own
    shown : what the log calls it

    Attributes
    ----------
    trouble : why it rests, "" where it does not
    """

    def __init__(self, connect: Callable[[], Any], shown: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._connect, self._shown, self._clock = connect, shown, clock
        self.trouble, self._until = "", 0.0
        self.after_fork()
        _fork.renew(self)

    def after_fork(self) -> None:
        """The parent's connections are left to it."""
        self._client = self._connect()

    @classmethod
    def of(cls, url: str) -> "Redis":
        """By its URL: redis://, rediss:// or unix://; nothing is connected yet.

        Raises
        ------
        InputError
            for what is no such URL.
        MissingExtraError
            where redis-py is not installed.
        """
        parts = urlsplit(url) if isinstance(url, str) else None
        if parts is None or parts.scheme not in _SCHEMES or not (parts.hostname or parts.path):
            raise InputError("the URL of a Redis begins with redis://, rediss:// or unix://, and names a host or a socket")
        try:
            import redis
        except ImportError:
            raise MissingExtraError("redis", "redis") from None

        def connect() -> Any:
            try:
                return redis.Redis.from_url(url, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT)
            except (ValueError, TypeError) as error:
                raise InputError(f"the URL of a Redis cannot be used: {type(error).__name__}") from None

        return cls(connect, f"{parts.scheme}://{parts.hostname or parts.path}")

    def close(self) -> None:
        """Closes its connections."""
        self._client.close()

    def get(self, keys: Sequence[bytes]) -> dict[bytes, Float32]:
        """Those of the keys that it has; what is there and no vector is left there."""
        stored = self._ask(lambda client: client.mget([_PREFIX + key for key in keys])) or [None] * len(keys)
        found = dict[bytes, Float32]()
        for key, data in zip(keys, stored, strict=True):
            if isinstance(data, bytes) and data and len(data) % 4 == 0:
                row = np.frombuffer(data, np.float32)
                if np.isfinite(row).all():
                    found[key] = row
        return found

    def put(self, found: dict[bytes, Float32]) -> None:
        """Takes vectors (d,)."""

        def write(client: Any) -> None:
            pipe = client.pipeline(transaction=False)
            for key, row in found.items():
                pipe.set(_PREFIX + key, np.ascontiguousarray(row, np.float32).tobytes(), ex=LASTS)
            pipe.execute()

        self._ask(write)

    def _ask(self, what: Callable[[Any], Any]) -> Any:
        """What it answers, None where it does not; after a failure it is left alone for a while."""
        if self._clock() < self._until:
            return None
        try:
            answer = what(self._client)
        except Exception as error:  # of the client, the connection, the server
            self._until = self._clock() + REST
            if not self.trouble:
                _log.warning(
                    "%s does not answer (%s); vectors are remembered in this process alone", self._shown, type(error).__name__
                )
            self.trouble = f"{self._shown} does not answer: {type(error).__name__}"
            return None
        if self.trouble:
            _log.warning("%s answers again", self._shown)
        self.trouble = ""
        return answer
