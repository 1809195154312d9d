"""Spans as a collector gets them: nested, timed, on the caller's trace, and without a word of what was asked."""

import gzip
import itertools

import pytest

from listening import Listening
from monitoring.world import World
from shgat.errors import InputError
from shgat.monitoring import Spans

pytest.importorskip("opentelemetry.sdk")
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter


@pytest.fixture
def kept():
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return exporter, Spans(provider)


@pytest.fixture
def fresh(sqlite_url):
    world = World(sqlite_url)
    yield world
    world.close()


def test_an_answer_and_its_stages_within_the_request(fresh, kept):
    exporter, spans = kept
    spans.watch(fresh.ranker)
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    with spans.request("POST", "/v1/rank", {"traceparent": f"00-{trace}-00f067aa0ba902b7-01"}) as answered:
        fresh.ranker.rank(None, text="wish 3 nr 4711", principal="ann@example.org")
        answered("/v1/rank", 200)
    found = {s.name: s for s in exporter.get_finished_spans()}
    assert set(found) == {"POST /v1/rank", "shgat.answer", "shgat.encode", "shgat.rank", "shgat.arrange", "shgat.record"}
    request, stages = found["POST /v1/rank"], [s for s in exporter.get_finished_spans() if s.parent and s.name != "POST /v1/rank"]
    assert f"{request.context.trace_id:032x}" == trace
    assert {s.context.trace_id for s in stages} == {request.context.trace_id}
    answers = [s for s in stages if s.parent.span_id == request.context.span_id]
    (answer,) = answers
    assert dict(answer.attributes) == {"shgat.ranked_by": "model", "shgat.version": "v1", "shgat.degraded": False}
    inner = [s for s in stages if s.parent.span_id == answer.context.span_id]
    assert [s.name for s in inner] == ["shgat.encode", "shgat.rank", "shgat.arrange", "shgat.record"]
    assert all(a.end_time == b.start_time for a, b in itertools.pairwise(inner))
    assert answer.start_time == inner[0].start_time
    assert abs(answer.end_time - inner[-1].end_time) < 10  # nanoseconds of rounding
    for span in exporter.get_finished_spans():
        assert "4711" not in span.to_json()
        assert "ann@" not in span.to_json()


def test_what_the_server_failed_is_an_error(kept):
    exporter, spans = kept
    with spans.request("GET", "/metrics", {}) as answered:
        answered("/metrics", 500)
    (span,) = exporter.get_finished_spans()
    assert span.status.status_code.name == "ERROR"
    assert span.attributes["http.response.status_code"] == 500


def test_they_reach_a_collector_by_otlp(fresh):
    with Listening() as collector:
        spans = Spans.exported(collector.url)
        spans.watch(fresh.ranker)
        fresh.ranker.rank(None, text="wish 1 nr 1")
        spans.close()
    ((path, headers, body),) = collector.asked
    assert path == "/v1/traces"
    body = gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body
    request = ExportTraceServiceRequest.FromString(body)
    names = [s.name for r in request.resource_spans for scope in r.scope_spans for s in scope.spans]
    assert sorted(names) == ["shgat.answer", "shgat.arrange", "shgat.encode", "shgat.rank", "shgat.record"]


def test_a_collector_has_an_address():
    with pytest.raises(InputError, match="the collector of spans is at http"):
        Spans.exported("localhost:4318")
