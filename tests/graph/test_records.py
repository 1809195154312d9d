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
        ({"id": 7}, "the id of a tool is a non-empty string, not 7"),
        ({"id": ""}, "the id of a tool is a non-empty string"),
        ({"id": "\ud800"}, "lone surrogate"),
        ({"id": "a", "text": 1}, "'a': text is a string, not 1"),
        ({"id": "a", "text": "\udfff"}, "'a': text holds a lone surrogate"),
        ({"id": "a", "server": ["s"]}, "'a': server is a string"),
        ({"id": "a", "embedding": [1.0] * 7 + [None]}, "the embedding of 'a' is not an array of numbers"),
        ({"id": "a", "embedding": "x"}, "the embedding of 'a' is not an array of numbers"),
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


def test_a_record_that_is_one_already_is_taken_as_it_is():
    for node in (Tool("a"), Capability("c")):
        assert type(node).from_record(node) is node
