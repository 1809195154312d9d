import json

import habits
from hosts import needs, run_example
from shgat.integrations import Found, openai
from vendors import vendor

TOOLS = habits.response_tools()


def asks(query, key="call_1"):
    return {
        "type": "tool_search_call",
        "id": "ts",
        "call_id": key,
        "execution": "client",
        "status": "completed",
        "arguments": query,
    }


def test_what_was_found_is_given_as_it_was_defined():
    output = openai.search_output(asks({}), Found("1", ("letter_service", "send_letter")), TOOLS)
    assert {k: v for k, v in output.items() if k != "tools"} == {
        "type": "tool_search_output", "call_id": "call_1", "execution": "client", "status": "completed",
    }  # fmt: skip
    assert [t["name"] for t in output["tools"]] == ["letter_service", "send_letter"]
    assert all(t["defer_loading"] for t in output["tools"])
    assert output["tools"][1]["parameters"] is TOOLS[0]["parameters"]
    assert openai.search_output(asks({}), Found("1", ()), TOOLS)["tools"] == []


def test_of_a_namespace_only_what_was_found_is_given():
    space = {"type": "namespace", "name": "post", "description": "Letters", "tools": TOOLS[:2]}
    output = openai.search_output(asks({}), Found("1", ("query_logs", "letter_service")), [space, *TOOLS[2:]])
    assert [t["name"] for t in output["tools"]] == ["query_logs", "post"]
    assert [t["name"] for t in output["tools"][1]["tools"]] == ["letter_service"]
    assert len(space["tools"]) == 2


def test_functions_are_grouped_by_their_server():
    tools = [{"type": "function", "name": n, "parameters": {}} for n in ("fs__read", "page", "fs__write", "db__get")]
    assert openai.namespaces(tools, {"fs": "Files"}) == [
        {"type": "namespace", "name": "fs", "description": "Files", "tools": [tools[0], tools[2]]}, tools[1], tools[3],
    ]  # fmt: skip


def test_a_choice_allows_what_was_found_of_a_list_that_stays():
    choice = openai.allowed_tools(Found("1", ("b", "a")), always=["c", "a"])
    assert choice == {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": n} for n in "bac"]}
    assert openai.allowed_tools(Found("1", ()), always=["c"]) == "auto"
    assert openai.allowed_tools(Found("", ("a",), unranked=True), mode="required") == "required"


def test_the_searches_of_an_output_are_answered_and_nothing_else(tmp_path):
    with habits.open_search(tmp_path, TOOLS) as search:
        hosted = {**asks({"query": "x"}), "execution": "server"}
        output = [hosted, asks({"query": "send a letter"}), asks('{"query": "bake a bread"}', "2"), asks("plot a chart", "3")]
        one, two, said, three = openai.answer(search, [*output, {"type": "function_call", "name": "query_logs"}], TOOLS, "a")
    assert one["tools"][0]["name"] == "send_letter"
    assert (two["call_id"], two["tools"]) == ("2", [])
    assert said["role"] == "developer"
    assert three["tools"][0]["name"] == "plot_chart"


def test_it_learns_a_habit_and_the_list_in_front_of_the_cache_stays(tmp_path):
    with habits.open_search(tmp_path, TOOLS) as search:
        before = json.dumps(openai.search_tool())

        def find(wish, session):
            return [t["name"] for t in openai.answer(search, [asks({"query": wish})], TOOLS, session)[0]["tools"]]

        habits.assert_learned(search, find)
        assert json.dumps(openai.search_tool()) == before


@needs("openai")
def test_the_sdk_accepts_what_is_made():
    from openai.types.responses import NamespaceToolParam, ResponseToolSearchCall, ToolSearchToolParam
    from openai.types.responses.response_tool_search_output_item_param_param import ResponseToolSearchOutputItemParamParam
    from openai.types.responses.tool_choice_allowed_param import ToolChoiceAllowedParam
    from pydantic import TypeAdapter

    TypeAdapter(ToolSearchToolParam).validate_python(openai.search_tool())
    call = ResponseToolSearchCall.model_validate(asks({"query": "x"}))
    output = openai.search_output(call, Found("1", ("query_logs",)), TOOLS)
    assert output["call_id"] == "call_1"
    TypeAdapter(ResponseToolSearchOutputItemParamParam).validate_python(output)
    TypeAdapter(ToolChoiceAllowedParam).validate_python(openai.allowed_tools(Found("1", ("a",))))
    (space,) = openai.namespaces([{"type": "function", "name": "fs__read", "parameters": {}}], {"fs": "Files"})
    TypeAdapter(NamespaceToolParam).validate_python(space)


@needs("openai")
def test_the_example_runs(tmp_path):
    with vendor() as (url, bodies):
        lines = run_example("deferred_search_openai", tmp_path, OPENAI_API_KEY="none", OPENAI_BASE_URL=url)
    assert lines == ["GPT: The report is sent.", "searches: 1 - learned from: 1 call"]
    assert len({json.dumps(json.loads(body)["tools"]) for body in bodies}) == 1
