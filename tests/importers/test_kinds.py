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
        {"name": "ci", "on": "push", "jobs": {}},
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


@pytest.mark.parametrize(
    "key", [None, "tools", "data", "result", "messages", "runs", "spans", "workflow", "mcp", "message", "inputs", "$ref"]
)
def test_no_depth_is_too_deep(key):
    value = []
    for _ in range(1000):
        value = [value] if key is None else {key: [value], "nodes": [], "role": "user"} if len(key) % 2 else {key: value}
    try_all(value)
    try_all(
        [
            {
                "role": "user",
                "content": value,
                "inputSchema": value,
                "name": "a",
                "tool_calls": value,
                "inputs": value,
                "run_type": "tool",
            }
        ]
    )


def test_references_that_multiply_end():
    names = [f"#/$defs/{i}" for i in range(6)]
    wide = {str(i): {"properties": {f"p{i}{j}": {"$ref": names[(i + 1) % 6]} for j in range(40)}} for i in range(6)}
    wide["6"] = {"allOf": [{"$ref": "#/$defs/7"}] * 40}
    wide["7"] = {"allOf": [{"$ref": "#/$defs/6"}] * 40}
    for ref in ("#/$defs/0", "#/$defs/6"):
        schema = {"$ref": ref, "$defs": wide}
        try_all([{"name": f"t{i}", "inputSchema": schema} for i in range(50)])
        body = {"requestBody": {"content": {"x": {"schema": {"$ref": ref}}}}}
        try_all({"openapi": "3.1.0", "paths": {f"/{i}": {"get": body} for i in range(50)}, "$defs": wide})


def try_all(value):
    found = kind_of(value)
    assert found is None or found in READERS or found == "mcp-servers"
    for kind, reader in READERS.items():
        if kind != "openapi" or isinstance(value, dict):
            reader(value, Findings("x"))
