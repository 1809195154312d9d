"""Lists of messages as agents log them, alone, in requests and line by line."""

from hypothesis import given, settings
from hypothesis import strategies as st

from shgat.importers.findings import Findings
from shgat.importers.messages import is_message, read


def traces(value):
    about = Findings("x", repeats=True)
    read(value, about)
    return [(t.intent, t.tools, t.outcome) for t in about.traces]


def test_openai(found):
    about = found("messages.jsonl")
    assert [(t.intent, t.tools, t.outcome, t.error, t.context) for t in about.traces] == [
        ("What is the weather in Oslo?", ("get_weather",), 1.0, None, ()),
        ("Then book a table for two", ("book_table",), 1.0, None, ("get_weather",)),
        ("Then book a table for two", ("find_table",), 0.0, "Error: no such tool", ("get_weather",)),
        ("Weather in Rome, my key is ***", ("get_weather",), 0.0, "quota exceeded", ()),
    ]
    assert about.traces[0].timestamp == 1750000000.0
    assert about.traces[0].duration_ms is None


def test_anthropic_with_the_tools_of_the_request(found):
    about = found("conversation.json")
    assert list(about.tools) == [("", "query_db")]
    assert [(t.intent, t.tools, t.outcome, t.error, t.context) for t in about.traces] == [
        ("How many orders came in today?", ("query_db",), 1.0, None, ()),  # it failed first, and was mended
        ("Search the web for the reason", ("web_search",), 0.0, "offline", ("query_db",)),
    ]


def test_lines_with_a_message_each_are_sessions(found):
    (trace,) = found("session.jsonl").traces
    assert (trace.intent, trace.tools, trace.duration_ms) == ("Read my note on boats", ("mcp__notes__read_note",), 1000.0)


def test_items_of_responses(found):
    assert [(t.tools, t.outcome, t.error) for t in found("responses.json").traces] == [
        (("find_customer",), 1.0, None),
        (("notes/purge",), 0.0, "not allowed"),
    ]


def test_messages_of_langchain():
    call = {"name": "multiply", "id": "c1", "args": {}}
    plain = [
        {"type": "human", "content": "6 x 7"},
        {"type": "ai", "content": "", "tool_calls": [call]},
        {"type": "tool", "tool_call_id": "c1", "status": "error", "content": "overflow"},
    ]
    assert traces(plain) == [("6 x 7", ("multiply",), 0.0)]
    assert traces([{"type": m["type"], "data": m} for m in plain]) == [("6 x 7", ("multiply",), 0.0)]


def test_a_question_in_several_steps_is_one_intent():
    said = [
        {"role": "user", "content": "book a flight"},
        {"role": "assistant", "content": "Where to?"},
        {"role": "user", "content": "Paris"},
        {"role": "assistant", "function_call": {"name": "book"}},
        {"role": "function", "name": "book", "content": "done"},
    ]
    assert traces(said) == [("book a flight Paris", ("book",), 1.0)]


def test_a_logged_request_and_its_response():
    request = {"model": "m", "messages": [{"role": "user", "content": "go"}], "tools": [{"name": "run", "input_schema": {}}]}
    call = {"tool_calls": [{"function": {"name": "run"}}]}
    about = Findings("x")
    read([{"request": request, "response": {"choices": [{"message": {"role": "assistant", "content": None, **call}}]}}], about)
    assert list(about.tools) == [("", "run")]
    assert [t.tools for t in about.traces] == [("run",)]
    response = {"output": [{"type": "function_call", "name": "run", "call_id": "1"}]}
    assert traces({"input": [{"role": "user", "content": "go"}], "output": response["output"]}) == [("go", ("run",), 1.0)]


def test_calls_that_nobody_asked_for_and_what_is_no_message_are_named():
    about = Findings("x")
    read([{"role": "assistant", "content": [{"type": "tool_use", "name": "a"}]}, 3], about)
    assert about.traces == []
    assert [note.why for note in about.notes] == ["it is no message", "calls that nobody asked for"]


def test_what_a_message_is():
    assert is_message({"role": "user", "content": "x"})
    assert not is_message({"role": "admin"})
    assert not is_message(None)


PART = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["user", "assistant", "tool", "tool_use", "tool_result", "a", ""]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["role", "type", "content", "tool_calls", "name", "id", "tool_use_id", "function", "messages", "message", "tools",
                             "request", "response", "choices", "output", "data", "timestamp", "sessionId", "error"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)  # fmt: skip


@settings(max_examples=20)
@given(PART)
def test_half_broken_logs_raise_nothing(value):
    traces(value)
    traces([{"role": "user", "content": value}, {"role": "assistant", "content": value, "tool_calls": value}, value])
