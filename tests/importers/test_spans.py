"""Spans with GenAI's attributes as turns, from OTLP and as SDKs print them."""

from hypothesis import given, settings
from hypothesis import strategies as st

from shgat.importers.findings import Findings
from shgat.importers.spans import read


def test_otlp(found):
    about = found("otlp.json")
    assert [(t.intent, t.tools, t.outcome, t.error, t.duration_ms) for t in about.traces] == [
        ("Translate the letter", ("translate",), 1.0, None, 500.0),
        ("Translate the letter", ("post_letter",), 0.0, "no stamp", 1000.0),
    ]
    assert about.traces[0].timestamp == 1760000000.0
    assert {name: t.text for (_, name), t in about.tools.items()} == {
        "translate": "Translates a text",
        "post_letter": "Posts a letter",
    }


def test_spans_as_sdks_print_them(found):
    (trace,) = found("spans.jsonl").traces
    assert (trace.intent, trace.tools, trace.outcome) == ("translate this page", ("translate",), 1.0)


def span(key, parent="", **attributes):
    return {"traceId": "t", "spanId": key, "parentSpanId": parent, "startTimeUnixNano": 10, "attributes": attributes}


def test_other_conventions_and_a_tool_within_a_tool():
    asked = {"input.value": '{"messages": [{"role": "user", "content": "count"}]}'}
    spans = [
        span("1", **asked),
        span("2", "1", **{"openinference.span.kind": "TOOL", "tool.name": "count"}),
        span("3", "2", **{"gen_ai.tool.name": "inner"}),
        span("4", "1", **{"traceloop.span.kind": "tool", "traceloop.entity.name": "list", "output.value": '{"error": "gone"}'}),
    ]
    about = Findings("x")
    read({"spans": spans}, about)
    assert [(t.intent, t.tools, t.error) for t in about.traces] == [("count", ("count",), None), ("count", ("list",), "gone")]
    numbered = {"gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": "sum"}
    definitions = '[{"type": "function", "name": "sum", "description": "Sums."}]'
    about = Findings("x", repeats=True)
    read([span("1", **numbered, **{"gen_ai.tool.definitions": definitions}), span("2", "1", **{"gen_ai.tool.name": "sum"})], about)
    assert [(t.intent, t.tools) for t in about.traces] == [("sum", ("sum",))]
    assert about.tools["", "sum"].text == "Sums"


def test_what_is_no_span_and_a_trace_that_nobody_asked_for_are_named():
    about = Findings("x")
    read([{"traceId": "t"}, span("1", **{"gen_ai.tool.name": "a"})], about)
    assert [note.why for note in about.notes] == ["it is no span: it has no trace and span id", "no span says what was asked"]


KEYS = ["key", "value", "stringValue", "arrayValue", "values", "kvlistValue", "role", "parts", "code"]
PART = st.recursive(
    st.none() | st.integers() | st.sampled_from(["user", "a", "execute_tool", '[{"role": "user"}]', "{", "ERROR"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4)
    ),
    max_leaves=15,
)  # fmt: skip


@settings(max_examples=20)
@given(PART, PART, PART)
def test_half_broken_spans_raise_nothing(attributes, value, other):
    known = {"gen_ai.tool.name": value, "gen_ai.input.messages": other, "gen_ai.tool.definitions": other, "input.value": value}
    one = {"traceId": "t", "spanId": "s", "status": other, "events": value, "startTimeUnixNano": value}
    read(
        [{**one, "attributes": attributes}, {**one, "attributes": known, "parentSpanId": "s"}, {"resourceSpans": other}],
        Findings("x"),
    )
