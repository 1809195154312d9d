"""Records of tools and capabilities: what may be absent, and what is wrong with one."""

import numpy as np
import pytest

from shgat import Capability, InputError, Tool


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ("a", "a tool is a record with an id, not str"),
        (None, "a tool is a record with an id, not NoneType"),
        ({}, "the id of a tool is a non-empty string, not None"),
        ({"id": 7}, 'the id of a tool is a string, not the number 7: write "7"'),
        ({"id": np.int64(7)}, 'the id of a tool is a string, not the number 7: write "7"'),
        ({"id": 10**5000}, "the id of a tool is a string, not the number ..."),
        ({"id": True}, "the id of a tool is a non-empty string, not True"),
        (Tool(7), "the id of a tool is a string, not the number 7"),
        (Tool(""), "the id of a tool is a non-empty string"),
        (Tool("a", embedding=["x"]), "tool 'a': embedding is not an array of numbers"),
        ({"id": ""}, "the id of a tool is a non-empty string"),
        ({"id": "\ud800"}, "lone surrogate"),
        ({"id": "a", "text": 1}, "'a': text is a string, not 1"),
        ({"id": "a", "text": "\udfff"}, "'a': text holds a lone surrogate"),
        ({"id": "a", "server": ["s"]}, "'a': server is a string"),
        ({"id": "a", "embedding": [1.0] * 7 + [None]}, "tool 'a': embedding is not an array of numbers"),
        ({"id": "a", "embedding": "x"}, "tool 'a': embedding is not an array of numbers"),
    ],
)
def test_a_bad_tool_is_named(record, message):
    with pytest.raises(InputError, match=message):
        Tool.from_record(record)


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"tools": "a"}, "capability 'c': tools is a list of strings"),
        ({"tools": [None]}, r"capability 'c': tools\[0\] is a non-empty string"),
        ({"tools": None}, "capability 'c': tools is a list of strings"),
        ({"capabilities": ["a", ""]}, r"capability 'c': capabilities\[1\] is a non-empty string"),
        ({"success_rate": None}, "capability 'c': success_rate is a number, not None"),
        ({"success_rate": 1.5}, r"capability 'c': success_rate lies in \[0, 1\]"),
        ({"success_rate": float("nan")}, r"capability 'c': success_rate lies in \[0, 1\]"),
        ({"uses": None}, "capability 'c': uses is a number, not None"),
        ({"uses": True}, "capability 'c': uses is a number, not True"),
        ({"uses": -1}, "capability 'c': uses lies in"),
        ({"text": 1}, "'c': text is a string, not 1"),
    ],
)
def test_a_bad_capability_is_named(record, message):
    with pytest.raises(InputError, match=message):
        Capability.from_record({"id": "c", **record})


def test_what_is_absent_or_null():
    tool = Tool.from_record({"id": "a", "text": None, "server": None, "embedding": None, "anything": object()})
    assert (tool.text, tool.server, tool.embedding) == ("", "", None)
    capability = Capability.from_record({"id": "c", "parent": 7})
    assert (capability.tools, capability.capabilities, capability.success_rate, capability.uses) == ((), (), None, 0)


@pytest.mark.parametrize("embedding", [[1, 2, 3], np.array([1.0, 2.0, 3.0], np.float16), np.arange(1.0, 7.0)[::2] / 2 + 0.5])
def test_embeddings_become_float32(embedding):
    found = Tool.from_record({"id": "a", "embedding": embedding}).embedding
    assert found.dtype == np.float32
    assert found.flags.c_contiguous
    assert found.tolist() == [1.0, 2.0, 3.0]


def test_a_record_that_is_one_already_is_checked_like_any_other():
    for node in (Tool("a", "x", "s", np.ones(8, np.float32)), Capability("c", "x", ("a",), ("b",), 0.5, 3)):
        assert vars(type(node).from_record(node)) == vars(node)
    with pytest.raises(InputError, match="a capability is a record with an id, not Tool"):
        Capability.from_record(Tool("a"))


BAD = {
    "text": [7, "\ud800", ["a"]],
    "server": [7, {}],
    "embedding": ["x", [1.0, None], {}],
    "tools": ["mail", 7, None],
    "capabilities": [b"x", {"id": "a"}.get],
    "success_rate": [None, True, 1.5, float("nan"), "1"],
    "uses": [-1, None, float("inf")],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in BAD.items() for value in values])
def test_a_bad_field_is_left_out_and_named_where_that_is_asked_for(name, value):
    kind = Tool if name == "server" else Capability
    left_out = []
    record = {"id": "c", name: value}
    with pytest.raises(InputError, match=name):
        kind.from_record(record)
    assert vars(kind.from_record(record, left_out)) == vars(kind("c"))
    assert len(left_out) == 1
    assert "'c'" in left_out[0]
    assert name in left_out[0]


def test_only_the_bad_ones_among_members_are_left_out():
    left_out = []
    found = Capability.from_record({"id": "c", "tools": ["a", 7, "", "b", "\ud800"]}, left_out)
    assert found.tools == ("a", "b")
    assert len(left_out) == 3


def test_a_bad_id_is_never_mended():
    with pytest.raises(InputError, match="id"):
        Tool.from_record({"id": 7}, [])


def test_a_record_is_shown_in_one_line_without_its_numbers():
    tool = Tool("mail.send", "Sends\n" + 500 * "x", "mail", np.ones(384, np.float32))
    many = Capability("c", "Post", tuple(f"t{i}" for i in range(900)), (), 0.25, 4, np.ones(8, np.float32))
    for text, parts in (
        (repr(tool), ("Tool('mail.send', text='Sends", "...", "server='mail'", "d=384")),
        (repr(many), ("Capability('c', text='Post', tools=('t0', 't1', 't2')...", "success_rate=0.25, uses=4", "d=8")),
    ):
        assert all(part in text for part in parts)
        assert len(text) < 200
        assert "\n" not in text
    assert repr(Tool("a")) == "Tool('a')"
