import json

import pytest

import habits
from hosts import needs, run_example
from shgat.integrations import Found, anthropic
from vendors import vendor

TOOLS = habits.anthropic_tools()


def asks(query, key="toolu_1"):
    return {"type": "tool_use", "id": key, "name": anthropic.SEARCH_TOOL, "input": {"query": query}}


def test_the_list_is_the_search_and_all_tools_deferred_as_they_were_given():
    vendors = {"type": "web_search_20250305", "name": "web_search"}
    listed = anthropic.deferred([vendors, *TOOLS], always=["book_room"])
    assert listed[0]["name"] == "find_tools"
    assert "defer_loading" not in listed[0]
    assert listed[1] == vendors
    for given, tool in zip(TOOLS, listed[2:], strict=True):
        assert tool["input_schema"] is given["input_schema"]
        assert tool.get("defer_loading", False) is (given["name"] != "book_room")
    assert all("defer_loading" not in t for t in TOOLS)


def test_what_was_found_is_named_and_nothing_is_said_to_be_nothing():
    use = asks("send")
    result = anthropic.search_result(use, Found("1", ("fax", "mail")))
    assert result == {
        "type": "tool_result",
        "tool_use_id": "toolu_1",
        "content": [{"type": "tool_reference", "tool_name": "fax"}, {"type": "tool_reference", "tool_name": "mail"}],
    }
    assert anthropic.search_result(use, Found("1", (), note="No tool."))["content"] == [{"type": "text", "text": "No tool."}]


def test_the_searches_of_an_answer_are_answered_and_nothing_else(tmp_path):
    with habits.open_search(tmp_path, TOOLS) as search:
        other = {"type": "tool_use", "id": "x", "name": "query_logs"}
        blocks = [{"type": "text", "text": "..."}, asks("send a letter"), other, asks("bake bread", "2")]
        first, second = anthropic.answer(search, blocks, "a")
        assert first["content"][0] == {"type": "tool_reference", "tool_name": "send_letter"}
        assert second["tool_use_id"] == "2"
        assert second["content"][0]["text"].startswith("No tool here")
        (odd,) = anthropic.answer(search, [{**asks(""), "input": {"query": 3}}], "a")
        assert odd["content"]


def test_it_learns_a_habit_and_the_list_in_front_of_the_cache_stays(tmp_path):
    with habits.open_search(tmp_path, TOOLS) as search:
        before = json.dumps(anthropic.deferred(TOOLS))

        def find(wish, session):
            (result,) = anthropic.answer(search, [asks(wish)], session)
            return [c["tool_name"] for c in result["content"] if c["type"] == "tool_reference"]

        habits.assert_learned(search, find)
        assert json.dumps(anthropic.deferred(TOOLS)) == before


@needs("anthropic")
def test_the_sdk_accepts_what_is_made():
    from anthropic.types import ToolParam, ToolResultBlockParam, ToolUseBlock
    from pydantic import TypeAdapter

    for tool in anthropic.deferred(TOOLS):
        TypeAdapter(ToolParam).validate_python(tool)
    use = ToolUseBlock(type="tool_use", id="t", name="find_tools", input={"query": "x"})
    result = anthropic.search_result(use, Found("1", ("fax",), note="a note"))
    TypeAdapter(ToolResultBlockParam).validate_python(result)
    assert result["tool_use_id"] == "t"


@needs("anthropic")
def test_the_example_runs(tmp_path):
    with vendor() as (url, bodies):
        lines = run_example("deferred_search_anthropic", tmp_path, ANTHROPIC_API_KEY="none", ANTHROPIC_BASE_URL=url)
    assert lines == ["Claude: The report is sent.", "searches: 1 - learned from: 1 call"]
    assert len(bodies) == 3
    assert len({json.dumps(json.loads(body)["tools"]) for body in bodies}) == 1


@pytest.mark.parametrize("calls", [1, 2])
def test_the_same_search_again_and_again_gets_a_word(tmp_path, calls):
    with habits.open_search(tmp_path, TOOLS) as search:
        for _ in range(calls):
            anthropic.answer(search, [asks("send a letter")], "a")
        (result,) = anthropic.answer(search, [asks("send that letter")], "a")
    assert (result["content"][-1]["type"] == "text") is (calls == 2)
