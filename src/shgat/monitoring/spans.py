"""Spans of OpenTelemetry: a request and its answer with the stages, without a word of what was asked."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..errors import MissingExtraError
from ..serving.observing import STAGES, Answered, Executed

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span, Tracer

    from ..serving import Ranker


class Spans:
    """Makes spans by a tracer.

    Parameters
    ----------
    provider : of OpenTelemetry; None: the one that the process has set, whose spans go nowhere where it has set none

    Raises
    ------
    MissingExtraError
        where OpenTelemetry is not installed.
    """

    def __init__(self, provider: "TracerProvider | None" = None) -> None:
        try:
            from opentelemetry import propagate, trace
        except ImportError:
            raise MissingExtraError("opentelemetry", "otel") from None
        self._provider, self._trace, self._propagate = provider, trace, propagate
        self._tracer: Tracer = trace.get_tracer("shgat", tracer_provider=provider)

    @classmethod
    def exported(cls, endpoint: str) -> "Spans":
        """Spans that go to a collector in batches, by OTLP over HTTP.

        Parameters
        ----------
        endpoint : of the collector, http://localhost:4318 for instance
        """
        from .receivers import checked_url

        checked_url(endpoint, "the collector of spans")
        try:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
            from opentelemetry.sdk.resources import Resource
            from opentelemetry.sdk.trace import TracerProvider
            from opentelemetry.sdk.trace.export import BatchSpanProcessor
        except ImportError:
            raise MissingExtraError("opentelemetry", "otel") from None
        whole = endpoint.rstrip("/")
        provider = TracerProvider(resource=Resource.create({"service.name": "shgat"}))
        provider.add_span_processor(
            BatchSpanProcessor(OTLPSpanExporter(whole if whole.endswith("/v1/traces") else f"{whole}/v1/traces"))
        )
        return cls(provider)

    def watch(self, ranker: "Ranker") -> None:
        """A span for each answer of a ranker, within the span that is current where it is asked."""
        ranker.watch(self._told)

    @contextmanager
    def request(self, method: str, path: str, headers: Mapping[str, str]) -> "Iterator[Callable[[str, int], None]]":
        """The span of a request over HTTP, which goes on the caller's trace; give its route and status to what it yields.

        Parameters
        ----------
        headers : names in lower case; `traceparent` is read
        """
        kind = self._trace.SpanKind.SERVER
        with self._tracer.start_as_current_span(method, self._propagate.extract(headers), kind=kind) as span:

            def answered(route: str, status: int) -> None:
                span.update_name(f"{method} {route}")
                span.set_attributes({"http.request.method": method, "http.route": route, "http.response.status_code": status})
                if status >= 500:
                    span.set_status(self._trace.StatusCode.ERROR)

            yield answered

    def close(self) -> None:
        """Sends what waits."""
        if self._provider is not None:
            self._provider.shutdown()

    def _told(self, told: Answered | Executed) -> None:
        if isinstance(told, Executed):
            return
        ended = time.time_ns()
        began = ended - round(told.seconds * 1e9)
        attributes: dict[str, Any] = {"shgat.ranked_by": told.by, "shgat.version": told.version, "shgat.degraded": told.degraded}
        span = self._tracer.start_span("shgat.answer", start_time=began, attributes=attributes)
        if span.is_recording():
            self._stages(span, told, began)
        span.end(ended)

    def _stages(self, span: "Span", told: Answered, began: int) -> None:
        within, at = self._trace.set_span_in_context(span), began
        for name, seconds in zip(STAGES, told[4:], strict=True):
            until = at + round(seconds * 1e9)
            if seconds > 0.0:
                self._tracer.start_span(f"shgat.{name}", within, start_time=at).end(until)
            at = until
