"""Runs of LangSmith as turns."""

from hypothesis import given, settings
from hypothesis import strategies as st

from shgat.importers.findings import Findings
from shgat.importers.runs import read


def test_traces_of_runs_are_turns_of_a_thread(found):
    assert [
        (t.intent, t.tools, t.outcome, t.error, t.context, t.timestamp, t.duration_ms) for t in found("langsmith.jsonl").traces
    ] == [
        ("multiply six by seven", ("multiply",), 1.0, None, (), 1769936400.0, 1000.0),
        ("look up boats", ("multiply",), 1.0, None, ("multiply",), 1769936700.0, 1000.0),
        ("look up boats", ("wiki",), 0.0, "TimeoutError('slow')", ("multiply",), 1769936700.0, 1000.0),
    ]


def test_messages_that_langchain_wrote_out_say_what_was_asked_and_models_which_tools_there_are():
    human = {
        "lc": 1,
        "type": "constructor",
        "id": ["langchain", "schema", "HumanMessage"],
        "kwargs": {"content": "add", "type": "human"},
    }
    params = {"invocation_params": {"tools": [{"type": "function", "function": {"name": "add", "description": "Adds."}}]}}
    about = Findings("x", repeats=True)
    read(
        {
            "runs": [
                {"id": "1", "run_type": "llm", "name": "m", "inputs": {"messages": [[human]]}, "extra": params, "trace_id": "t"},
                {"id": "2", "run_type": "tool", "name": "add", "trace_id": "t", "parent_run_id": "1", "outputs": {}},
            ]
        },
        about,
    )
    assert [(t.intent, t.tools) for t in about.traces] == [("add", ("add",))]
    assert list(about.tools) == [("", "add")]


def test_what_is_no_run_and_a_trace_that_nobody_asked_for_are_named():
    about = Findings("x")
    read([3, {"run_type": "tool", "name": "a", "id": "1"}], about)
    assert [note.why for note in about.notes] == ["it is no run: it has no run_type", "no run says what was asked"]


KEYS = ["inputs", "messages", "content", "type", "kwargs", "id", "extra", "metadata", "error", "outputs"]
PART = st.recursive(
    st.none() | st.integers() | st.sampled_from(["tool", "llm", "a", "human", "2026-01-01"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(KEYS),
            inner,
            max_size=4,
        )
    ),
    max_leaves=15,
)


@settings(max_examples=20)
@given(PART, PART, PART)
def test_half_broken_runs_raise_nothing(inputs, more, time):
    run = {
        "run_type": "tool",
        "name": "a",
        "id": "1",
        "start_time": time,
        "inputs": inputs,
        "outputs": more,
        "error": more,
        "extra": inputs,
    }
    read([run, {"run_type": "chain", "id": more, "inputs": inputs, "parent_run_id": "1", "trace_id": "1"}, more], Findings("x"))
