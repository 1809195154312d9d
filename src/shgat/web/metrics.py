"""What Prometheus reads of one server: its requests, and beside them what its ranker does and its store says."""

from typing import Any

from prometheus_client import Counter, Histogram

from ..monitoring import Exposition
from .call import Call

_BUCKETS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0, 30.0)
_METHODS = frozenset({"GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"})


class Metrics:
    """Counts requests.

    Parameters
    ----------
    exposition : where they are shown

    Attributes
    ----------
    requests : how many there were
    errors : how many of them the server failed
    """

    def __init__(self, exposition: Exposition) -> None:
        self.exposition, registry = exposition, exposition.registry
        self.requests = self.errors = 0
        names = ("route", "method", "status")
        self._requests = Counter("shgat_http_requests", "Requests that were answered.", names, registry=registry)
        self._errors = Counter("shgat_http_errors", "Requests that the server failed.", registry=registry)
        self._seconds = Histogram(
            "shgat_http_request_seconds",
            "From the first byte to the last, seconds.",
            ("route",),
            buckets=_BUCKETS,
            registry=registry,
        )
        self._known: dict[tuple[str, str, int], Any] = {}
        self._timed: dict[str, Any] = {}

    def answered(self, call: Call, route: str, status: int, seconds: float) -> None:
        """Counts a request. Routes are those of the document and "other", so that nobody can make many series."""
        self.requests += 1
        if status >= 500:
            self.errors += 1
            self._errors.inc()
        method = call.method if call.method in _METHODS else "other"
        key = route, method, status
        counter = self._known.get(key)
        if counter is None:
            counter = self._known[key] = self._requests.labels(route, method, str(status))
        counter.inc()
        timer = self._timed.get(route)
        if timer is None:
            timer = self._timed[route] = self._seconds.labels(route)
        timer.observe(seconds)

    def text(self) -> bytes:
        """In the format of Prometheus."""
        return self.exposition.text()
