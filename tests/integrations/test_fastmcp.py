import asyncio
import gc
import json
import logging
import sys

import pytest

import habits
from hosts import needs, run_example
from shgat import MissingExtraError
from shgat.integrations import fastmcp as adapter

SEARCH_ID = adapter.SEARCH_ID
pytestmark = pytest.mark.filterwarnings("default")  # what the host warns of is not ours


@pytest.fixture(autouse=True)
def _quiet():
    logging.getLogger("fastmcp").setLevel(logging.CRITICAL)


def server(search, **options):
    from fastmcp import FastMCP

    made = FastMCP("office")

    def tool(name):
        def run(of: str = "") -> str:
            if not habits.worked(name):
                raise ValueError(f"{name} does not work: {of}")
            return "done"

        return run

    for name in habits.names():
        made.tool(tool(name), name=name, description=habits.description(name))
    adapter.add_search(made, search, **options)
    return made


async def found(client, query, **more):
    """(names of the tools, id of the search, all that is said)."""
    result = await client.call_tool("search_tools", {"query": query, **more})
    said = [block.text for block in result.content]
    tools = [json.loads(text)["name"] for text in said if text.startswith('{"name"')]
    return tools, (result.meta or {}).get(SEARCH_ID), said


async def call(client, name, **options):
    from fastmcp.exceptions import ToolError

    try:
        await client.call_tool("call_tool", {"name": name, "arguments": {"of": "Anna"}, **options})
    except ToolError as error:
        return str(error)
    return ""


def test_without_the_host_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "fastmcp", None)
    with habits.open_search(tmp_path) as search, pytest.raises(MissingExtraError, match="fastmcp is not installed"):
        adapter.learning_middleware(search)
    with pytest.raises(MissingExtraError, match="fastmcp"):
        adapter.search_transform(search)


@needs("fastmcp")
def test_tools_stand_behind_a_search_and_nothing_fits_is_said(tmp_path):
    from fastmcp import Client

    async def use():
        with habits.open_search(tmp_path) as search:
            async with Client(server(search, always_visible=["query_logs"])) as client:
                assert [t.name for t in await client.list_tools()] == ["query_logs", "search_tools", "call_tool"]
                tools, key, _ = await found(client, "send a letter to Anna", context_tools=["query_logs"])
                assert tools[:2] == ["send_letter", "letter_service"]
                assert len(key) == 32
                assert (await found(client, "bake a sourdough bread"))[0] == []
                _, _, said = await found(client, "who won the match")
                assert said == ["No tool here answers this. Tell the user so, or search for one step of it."]

    asyncio.run(use())


@needs("fastmcp")
@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_calls_by_the_proxy_and_direct_ones_are_learned_from(tmp_path, mode):
    from fastmcp import Client

    async def use():
        with habits.open_search(tmp_path) as search:
            async with Client(server(search), mode=mode) as client:
                await found(client, "send a letter to Anna")
                assert "does not work" in await call(client, "send_letter")
                await client.call_tool("letter_service", {"of": "Anna"})
                assert "Unknown tool" in await call(client, "nobody")
            got = habits.traces(search)
            assert [(t.tools, t.outcome, t.error) for t in got] == [
                (("send_letter",), 0.0, "ToolError"), (("letter_service",), 1.0, None),
            ]  # fmt: skip
            assert all(t.duration_ms > 0 for t in got)
            assert search.counts["unlinked"] == 0
        assert b"Anna" not in (tmp_path / "tools.db").read_bytes()

    asyncio.run(use())


@needs("fastmcp")
def test_only_what_a_caller_may_see_is_found_or_called(tmp_path):
    from fastmcp import Client
    from fastmcp.server.middleware import Middleware

    class Hides(Middleware):
        async def on_list_tools(self, context, call_next):
            return [t for t in await call_next(context) if "letter" not in t.name]

    async def use():
        with habits.open_search(tmp_path) as search:
            made = server(search)
            search.search("send a letter", habits.chat_tools())  # somebody else may
            made.add_middleware(Hides())
            async with Client(made) as client:
                tools, _, _ = await found(client, "send the invoice letter")
                assert tools
                assert not any("letter" in name for name in tools)
                assert "Unknown tool" in await call(client, "letter_service")

    asyncio.run(use())


@needs("fastmcp")
def test_over_http_nobodys_calls_are_linked_by_the_id_alone(tmp_path):
    from fastmcp import Client
    from fastmcp.utilities.tests import run_server_async

    async def use():
        with habits.open_search(tmp_path) as search:
            async with run_server_async(server(search)) as url, Client(url) as one, Client(url) as other:
                _, key, said = await found(one, "send a letter to Anna")
                assert json.loads(said[-1]) == {"search_id": key}
                await call(other, "letter_service")  # whose search it follows nobody knows
                assert habits.traces(search) == []
                await call(one, "letter_service", search_id=key)
                await one.call_tool("send_letter", {}, meta={SEARCH_ID: key}, raise_on_error=False)
            assert [(t.tools, t.outcome) for t in habits.traces(search)] == [(("letter_service",), 1.0), (("send_letter",), 0.0)]

    asyncio.run(use())
    gc.collect()  # the host leaves a socket to it


@needs("fastmcp")
def test_it_learns_a_habit(tmp_path):
    from fastmcp import Client

    async def use():
        with habits.open_search(tmp_path) as search:
            async with Client(server(search)) as client:

                async def hits():
                    return sum([(await found(client, w))[0][0] == works for w, works in habits.LATER.items()]) / len(habits.LATER)

                assert await hits() == 0.0
                for _ in range(7):
                    for wish in habits.FIRST:
                        for name in (await found(client, wish))[0]:
                            if not await call(client, name):
                                break
                assert habits.trained(search).accepted
                assert await hits() == 1.0
                assert [t.name for t in await client.list_tools()] == ["search_tools", "call_tool"]

    asyncio.run(use())


@needs("fastmcp")
def test_the_example_runs(tmp_path):
    assert run_example("search_fastmcp", tmp_path) == [
        "listed: ['search_tools', 'call_tool']", 'found: {"name":"send_mail"', "called: sent to Anna", "learned from: 1 call",
    ]  # fmt: skip
