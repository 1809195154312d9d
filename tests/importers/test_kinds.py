"""What a value looks like, and that whatever it is a reader ends."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shgat.importers.documents import read
from shgat.importers.findings import Findings
from shgat.importers.kinds import READERS, kind_of


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("mcp_tools.json", "mcp"),
        ("openai.json", "openai"),
        ("anthropic.json", "anthropic"),
        ("langchain.json", "langchain"),
        ("openapi.yaml", "openapi"),
        ("swagger.json", "openapi"),
        ("workflows/invoice.json", "n8n"),
        ("workflows/reply.json", "n8n"),
        ("messages.jsonl", "messages"),
        ("conversation.json", "messages"),
        ("session.jsonl", "messages"),
        ("responses.json", "messages"),
        ("langsmith.jsonl", "langsmith"),
        ("otlp.json", "otel"),
        ("spans.jsonl", "otel"),
    ],
)
def test_files_are_what_they_look_like(files, name, kind):
    assert kind_of(read(files / name).value) == kind


def test_configurations_of_servers():
    entry = {"x": {"command": "run"}}
    for value in ({"mcpServers": {}}, {"mcp": {"servers": entry}}, {"servers": entry, "inputs": []}):
        assert kind_of(value) == "mcp-servers"
    assert kind_of({"openapi": "3.0.0", "servers": [{"url": "x"}]}) == "openapi"


def test_what_looks_like_nothing_is_nothing():
    for value in (
        None,
        3,
        "x",
        [],
        {},
        [1, "a"],
        {"a": {"b": 1}},
        [[[[]]]],
        {"result": {"result": {"result": {"result": {"result": {}}}}}},
    ):
        assert kind_of(value) is None


KEYS = ["tools", "name", "messages", "role", "content", "nodes", "type", "paths", "openapi", "spans", "run_type", "function", "data", "result",
        "args", "servers", "command", "mcpServers", "workflow", "id", "text", "tags"]  # fmt: skip
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.sampled_from(KEYS),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=2), inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=20)
@given(ANY)
def test_no_reader_raises_whatever_the_value_is(value):
    try_all(value)


@pytest.mark.slow
@settings(max_examples=1500)
@given(ANY)
def test_no_reader_raises_whatever_the_value_is_at_length(value):
    try_all(value)


def try_all(value):
    found = kind_of(value)
    assert found is None or found in READERS or found == "mcp-servers"
    for kind, reader in READERS.items():
        if kind != "openapi" or isinstance(value, dict):
            reader(value, Findings("x"))
