"""`discover`, `suggest`, `feedback`, `explain`, by the SDK's own client of both generations."""

import anyio
import pytest
from mcp import Client

from shgat import Catalog
from shgat.gateway.catalog_server import catalog_server
from shgat.serving import Ranker
from worlds import SAMPLE


@pytest.fixture(scope="module")
def ranker(tmp_path_factory):
    with Ranker.open(
        f"sqlite:///{tmp_path_factory.mktemp('mcp')}/s.db", Catalog.load(SAMPLE), mode="off", encoder="static"
    ) as ranker:
        yield ranker


@pytest.fixture(params=["auto", "legacy"])
def ask(ranker, request):
    """Calls one tool: what is structured in its result, or the message of its error."""

    def call(name, **arguments):
        async def main():
            async with Client(catalog_server(ranker), mode=request.param) as client:
                found = await client.call_tool(name, arguments)
                return found.content[0].text if found.is_error else found.structured_content

        return anyio.run(main)

    return call


def test_the_list_is_always_the_same_and_says_what_it_is_about(ranker):
    async def main():
        async with Client(catalog_server(ranker)) as client:
            return await client.list_tools(), client.instructions

    (one, said), (other, _) = anyio.run(main), anyio.run(main)
    assert one.model_dump_json() == other.model_dump_json()
    assert [t.name for t in one.tools] == ["discover", "suggest", "feedback", "explain"]
    assert all(t.output_schema and t.annotations for t in one.tools)
    assert [t.annotations.read_only_hint for t in one.tools] == [True, True, False, True]
    assert "83 tools of these servers: browser, calendar, chat" in one.tools[0].description
    assert "browser, calendar, chat" in said
    assert (one.ttl_ms, one.cache_scope) == (3_600_000, "private")


def test_discover_then_feedback(ask, ranker):
    found = ask("discover", intent="send an e-mail", top_k=3)
    assert found["tools"][0]["id"] == "mail.send_message"
    assert len(found["tools"]) == 3
    told = {"decision_id": found["decision_id"], "tools": ["mail.send_message"], "outcome": 1.0, "duration_ms": 3.0}
    assert ask("feedback", **told) == {"receipt": "durable"}
    assert ask("feedback", **told) == {"receipt": "known"}
    only = ask("discover", intent="send an e-mail", servers=["chat"], context_tools=["mail.create_draft"])
    assert {t["server"] for t in only["tools"]} == {"chat"}


def test_suggest_by_what_was_used(ask):
    found = ask("suggest", context_tools=["mail.search_messages"], top_k=4)
    assert len(found["tools"]) == 4
    assert "mail.search_messages" not in [t["id"] for t in found["tools"]]
    assert "the catalogue knows none" in ask("suggest", context_tools=["strange"])


def test_explain(ask):
    found = ask("explain", intent="send an e-mail", tool="storage.create_share_link")
    assert (found["tool"], found["of"]) == ("storage.create_share_link", 83)
    assert 1 < found["rank"] <= 83
    assert found["sentences"][0].startswith(f"Rank {found['rank']} of 83")
    assert "strange" in ask("explain", intent="send an e-mail", tool="strange")


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("discover", {"intent": ""}, "at least 1 character"),
        ("discover", {"intent": "x", "top_k": 0}, "greater than or equal to 1"),
        ("feedback", {"decision_id": "x", "tools": ["a"], "outcome": 1}, "is no decision id"),
        ("feedback", {"decision_id": "0" * 32, "tools": ["a"], "outcome": 2}, "less than or equal to 1"),
        ("feedback", {"decision_id": "0" * 32, "tools": [], "outcome": 1}, "at least 1 item"),
    ],
)
def test_what_is_wrong_is_said(ask, name, arguments, said):
    assert said in ask(name, **arguments)
