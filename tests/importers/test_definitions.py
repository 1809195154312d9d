"""Tool definitions of MCP, OpenAI, Anthropic and LangChain, as values and as objects."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from shgat.importers.definitions import plain, read, read_logged
from shgat.importers.findings import Findings


def test_a_list_of_mcp(found):
    tools = found("mcp_tools.json").tools
    assert list(tools) == [("", "read_note"), ("", "suche_notizen"), ("", "purge")]
    assert tools["", "read_note"].text == (
        "Returns the whole text of one note. Parameters: path (Where the note lies, from the top of the vault), "
        "range (Lines to read), range.first, range.last"
    ).replace("Returns", "Read a note. Returns", 1)
    assert "日本語" in tools["", "suche_notizen"].text


def test_openai_nested_flat_in_namespaces_and_of_the_vendor(found):
    about = found("openai.json")
    assert list(about.tools) == [("", "get_weather"), ("", "book_table"), ("crm", "find_customer")]
    assert about.tools["", "get_weather"].text == (
        "Current weather of a place. Parameters: city (Name of the city), unit (one of celsius fahrenheit)"
    )
    assert about.groups["server", "crm"].text == "Customers"
    assert str(about.notes[0]) == "tools[3] (web_search): left out, it is a tool of the model's vendor, without a definition"


def test_anthropic(found):
    assert {key: t.text for key, t in found("anthropic.json").tools.items()} == {
        ("", "query_db"): "Runs one statement of SQL and returns its rows. Parameters: sql (The statement)",
        ("", "web_search"): "",
    }


def test_langchain_with_tags_and_categories(found):
    about = found("langchain.json")
    assert about.tools["", "multiply"].text.endswith("Parameters: a, b")
    assert about.tools["", "wiki"].text == "Looks something up. Parameters: topic (What to look up)"
    assert about.groups["tag", "math"].tools == (("", "multiply"),)
    assert about.groups["category", "Research"].tools == (("", "wiki"),)


@dataclass
class Tool:
    """As an agent's SDK has one."""

    name: str
    description: str
    params_json_schema: dict[str, Any] = field(default_factory=dict)


def test_objects_with_a_name():
    about = Findings("x")
    read([Tool("draw", "Draws.", {"properties": {"shape": {}}}), Tool("", "No name.")], about)
    assert about.tools["", "draw"].text == "Draws. Parameters: shape"
    assert len(about.notes) == 1


def test_objects_of_the_mcp_sdk():
    types = pytest.importorskip("mcp_types")
    tool = types.Tool(
        name="draw", title="Paint", description="Draws.", input_schema={"properties": {"shape": {"description": "What"}}}
    )
    for value in (types.ListToolsResult(tools=[tool]), [tool], tool, (tool,)):
        about = Findings("x", server="art")
        read(value, about)
        assert about.tools["art", "draw"].text == "Paint. Draws. Parameters: shape (What)"


def test_objects_with_models_of_pydantic_as_arguments():
    pydantic = pytest.importorskip("pydantic")

    class Shape(pydantic.BaseModel):
        corners: int = pydantic.Field(description="How many")

    class Like:
        name, description, tags, args_schema = "draw", "Draws.", ["art"], Shape

    assert plain(Like())["name"] == "draw"
    about = Findings("x")
    read([Like()], about)
    assert about.tools["", "draw"].text == "Draws. Parameters: corners (How many)"
    assert about.groups["tag", "art"].tools == (("", "draw"),)


def test_a_mapping_of_tools_pages_and_servers_that_are_named():
    about = Findings("x")
    read({"functions": {"a": {"description": "A."}, "b": 3}}, about)
    read([{"tools": [{"name": "c"}], "nextCursor": "1"}, {"tools": [{"name": "d"}]}], about)
    read({"serverInfo": {"name": "web"}, "tools": [{"name": "e"}]}, about)
    read([{"id": "f", "text": "As a catalogue has it.", "server": "own"}], about)
    assert list(about.tools) == [("", "a"), ("", "c"), ("", "d"), ("web", "e"), ("own", "f")]


def test_what_is_no_definition_is_named_and_costs_the_others_nothing():
    about = Findings("x")
    read(
        [None, 3, "x", {}, {"name": None}, {"name": ["a"]}, [[[[[[[]]]]]]], {"name": "good", "inputSchema": "none", "tags": 3}],
        about,
    )
    assert list(about.tools) == [("", "good")]
    assert {note.what for note in about.notes} == {"left out", "kept"}


def test_requests_that_bring_the_same_tools_are_read_once():
    about = Findings("x")
    for _ in range(3):
        read_logged([{"name": "a", "description": "A."}, {"odd": {1, 2}}], about)
    read_logged(None, about)
    assert len(about.notes) == 1
