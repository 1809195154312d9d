"""What a client may use: sizes, times and rates."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from .. import _check

_REMEMBERED = 10_000  # clients whose rate is counted


@dataclass(frozen=True)
class Limits:
    """Of one server.

    Attributes
    ----------
    body : bytes of a request's body
    snapshot : bytes of the body of `/v1/catalog/sync`
    headers_seconds : from the connection, or the answer before, to the last header; a client that takes longer is cut off
    idle_seconds : that a connection may wait for its next request
    body_seconds : for a body to arrive
    request_seconds : for an answer to be made
    rate : requests a second of one key, None for any number; a key may have its own
    in_flight : requests that are answered at the same time; more are told to come again
    connections : that are open at the same time; more are closed
    """

    body: int = 1 << 20
    snapshot: int = 16 << 20
    headers_seconds: float = 10.0
    idle_seconds: float = 30.0
    body_seconds: float = 10.0
    request_seconds: float = 30.0
    rate: float | None = None
    in_flight: int = 256
    connections: int = 1024

    def __post_init__(self) -> None:
        for name in ("body", "snapshot", "in_flight", "connections"):
            _check.positive_integer(getattr(self, name), name)
        for name in ("headers_seconds", "idle_seconds", "body_seconds", "request_seconds"):
            _check.number(getattr(self, name), 0.01, 86400.0, name)
        if self.rate is not None:
            _check.number(self.rate, 1e-3, 1e6, "rate")


class Rates:
    """A bucket of tokens for each client: as many as two seconds bring, one a request."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # client -> tokens, and when they were counted

    def wait(self, client: str, rate: float) -> float:
        """Takes a token; 0, or the seconds until there is one."""
        now, most = self._clock(), max(1.0, 2.0 * rate)
        tokens, then = self._buckets.get(client, (most, now))
        tokens = min(most, tokens + rate * (now - then))
        taken = tokens >= 1.0
        self._buckets[client] = (tokens - taken, now)
        self._buckets.move_to_end(client)
        if len(self._buckets) > _REMEMBERED:
            self._buckets.popitem(last=False)
        return 0.0 if taken else (1.0 - tokens) / rate
