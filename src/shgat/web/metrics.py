"""What Prometheus reads of one server: its requests, and what its ranker does."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from .call import Call

if TYPE_CHECKING:
    from ..serving import Ranker

_BUCKETS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0, 30.0)
_METHODS = frozenset({"GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"})


class Metrics:
    """A registry of its own, so that several servers of one process do not mix.

    Attributes
    ----------
    requests : how many there were
    errors : how many of them the server failed
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = self.errors = 0
        names = ("route", "method", "status")
        self._requests = Counter("shgat_http_requests", "Requests that were answered.", names, registry=self.registry)
        self._seconds = Histogram(
            "shgat_http_request_seconds",
            "From the first byte to the last, seconds.",
            ("route",),
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self._known: dict[tuple[str, str, int], Any] = {}
        self._timed: dict[str, Any] = {}

    def watch(self, ranker: "Ranker") -> None:
        """Shows what a ranker does, as of the moment somebody looks."""
        self.registry.register(_OfRanker(ranker))

    def answered(self, call: Call, route: str, status: int, seconds: float) -> None:
        """Counts a request. Routes are those of the document and "other", so that nobody can make many series."""
        self.requests += 1
        self.errors += status >= 500
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
        return generate_latest(self.registry)


class _OfRanker(Collector):
    def __init__(self, ranker: "Ranker") -> None:
        self._ranker = ranker

    def describe(self) -> Iterator[Metric]:
        """Nothing beforehand: names are those of `collect`."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Of the ranker's figures those that make sense over time."""
        stats = self._ranker.stats()
        answers = CounterMetricFamily("shgat_answers", "Answers of the ranker.", labels=("degraded",))
        answers.add_metric(("no",), stats["answers"]["all"] - stats["answers"]["degraded"])
        answers.add_metric(("yes",), stats["answers"]["degraded"])
        yield answers
        trainings = CounterMetricFamily("shgat_trainings", "Trainings, by what came of them.", labels=("result",))
        for result, n in stats["trainings"].items():
            trainings.add_metric((result,), n)
        yield trainings
        for name, what in (("swaps", "Versions that came into production."), ("dropped_decisions", "Decisions given up."),
                           ("unlearnable_feedback", "Feedback that nothing can be learned from.")):  # fmt: skip
            yield CounterMetricFamily(f"shgat_{name}", what, value=stats[name])
        gauges = {
            "training": ("Is a training under way?", float(stats["training"])),
            "waiting_for_store": ("Decisions and feedback that are not in the store yet.", stats["waiting_for_store"]),
            "backlog_traces": ("Traces to be learned from.", stats["backlog"]["traces"]),
            "success_rate": ("Share of executions that worked, lately.", stats["success"]["rate"]),
            "troubles": ("Things that are wrong.", len(stats["trouble"])),
            "tools": ("In the catalogue.", len(self._ranker.catalog.tools)),
        }
        for name, (what, value) in gauges.items():
            yield GaugeMetricFamily(f"shgat_{name}", what, value=value)
        version = InfoMetricFamily("shgat_model", "The version that answers.")
        version.add_metric((), {"version": stats["model_version"]})
        yield version
