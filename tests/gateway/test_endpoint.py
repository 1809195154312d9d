"""What clients see: the SDK's own client, of both generations of the protocol, against a gateway in front of real servers."""

import json

import anyio
import pytest
from mcp import Client

from scripted_servers import BECOME, CHAT, FILES, MAIL, call, config, names, search, tool, until, within
from shgat.gateway.blinding import is_blinded
from shgat.gateway.endpoint import INTENT, SEARCH_ID, SESSION
from shgat.store import Store

OWN = ["search_tools", "call_tool", "suggest_next"]
MODES = pytest.mark.parametrize("mode", ["auto", "legacy"])


def listed(found):
    return [t.name for t in found.tools]


@MODES
def test_three_tools_are_there_whatever_is_behind_and_they_stay_as_they_are(tmp_path, mode):
    async def main():
        async with within(config(tmp_path, mail=MAIL, files=FILES, chat=[BECOME, *CHAT]), mode) as (_, client):
            before = (await client.list_tools()).model_dump_json()
            for _ in range(3):
                await search(client, "send an email")
                await call(client, "mail/search_mail")
            await call(client, "become", {"tools": [BECOME]})
            assert (await client.list_tools()).model_dump_json() == before
            found = await client.list_tools()
            assert listed(found) == OWN
            assert "chat, files, mail" in found.tools[0].description
            assert found.tools[0].annotations.read_only_hint
            if mode == "auto":
                assert (found.ttl_ms, found.cache_scope) == (60_000, "private")

    anyio.run(main)


@MODES
def test_find_run_and_what_next(tmp_path, mode):
    async def main():
        async with within(config(tmp_path, mail=MAIL, files=FILES, chat=CHAT), mode) as (_, client):
            found = await search(client, "send an email to my boss", context=["read_file"])
            assert found["tools"][0]["name"] == "mail/send_message"
            done = await call(client, "mail/send_message", {"to": "boss"})
            assert json.loads(done.content[0].text)["arguments"] == {"to": "boss"}
            following = (await client.call_tool("suggest_next", {})).structured_content
            assert following["tools"]
            assert "mail/send_message" not in [t["name"] for t in following["tools"]]

    anyio.run(main)


def test_what_is_wrong_with_a_call_is_said(tmp_path):
    async def main():
        async with within(config(tmp_path, mail=MAIL, other=MAIL)) as (_, client):
            for name, arguments, said in (
                ("search_tools", {}, "search_tools: query is a text that is not empty"),
                ("search_tools", {"query": " "}, "search_tools: query is a text that is not empty"),
                ("call_tool", {"name": 3}, "call_tool: name is a text that is not empty"),
                (
                    "call_tool",
                    {"name": "x", "arguments": [1]},
                    "call_tool: arguments is an object, as the tool's input_schema says",
                ),
                ("call_tool", {"name": "nothing"}, "There is no tool 'nothing'. Find tools with search_tools."),
                (
                    "call_tool",
                    {"name": "send_message"},
                    "There is no tool 'send_message'. It may be: mail/send_message, other/send_message.",
                ),
                ("strange", {}, "There is no tool 'strange'. Find tools with search_tools."),
            ):
                found = await client.call_tool(name, arguments)
                assert (found.is_error, found.content[0].text) == (True, said)

    anyio.run(main)


def test_a_call_finds_its_search_by_meta_by_argument_and_by_the_session(tmp_path):
    path = config(tmp_path, mail=MAIL, chat=CHAT)

    async def main():
        async with within(path, keep_texts=True) as (_, client):
            ids = {}
            for query in ("send an email", "search the mailbox for emails", "deliver an email"):
                ids[query] = (await search(client, query))["search_id"]
            first, second, third = ids.values()
            await client.call_tool("call_tool", {"name": "mail/send_message"}, meta={SEARCH_ID: first})
            await call(client, "mail/search_mail", search_id=second)
            await call(client, "mail/send_message")
            return first, second, third

    first, second, third = anyio.run(main)
    with Store.open(f"sqlite:///{tmp_path}/gateway.db") as store:
        traces = {t.decision_id: t.tools for t in store.traces()}
        texts = {d.id: d.intent for d in store.decisions()}
    assert traces == {first: ("mail/send_message",), second: ("mail/search_mail",), third: ("mail/send_message",)}
    assert texts[second] == "search the mailbox for emails"


@pytest.mark.slow
def test_a_search_of_another_session_is_found_by_its_id_alone(tmp_path):
    path = config(tmp_path, mail=MAIL)

    async def main():
        async with within(path) as (_, client):
            found = await client.call_tool("search_tools", {"query": "send an email"}, meta={SESSION: "one"})
            wanted = found.structured_content["search_id"]
            await client.call_tool("call_tool", {"name": "mail/send_message", "search_id": wanted}, meta={SESSION: "two"})
            await client.call_tool("call_tool", {"name": "mail/search_mail"}, meta={SESSION: "three"})
            return wanted

    wanted = anyio.run(main)
    with Store.open(f"sqlite:///{tmp_path}/gateway.db") as store:
        traces = list(store.traces())
        sessions = {d.id: d.session for d in store.decisions()}
    assert [t.decision_id == wanted for t in traces] == [True, False]
    assert len(set(sessions.values())) == 2


@MODES
def test_pinned_tools_stand_in_the_open_and_clients_hear_when_they_change(tmp_path, mode):
    """`list_changed` reaches both generations of the protocol."""
    path = config(tmp_path, mail=[BECOME, *MAIL], files=FILES)
    notices = []

    async def main():
        async def message(received):
            if getattr(getattr(received, "root", received), "method", "") == "notifications/tools/list_changed":
                notices.append(received)

        async with within(path, mode, pins=("files/read_file", "send_message")) as (gateway, quiet):
            assert listed(await quiet.list_tools()) == [*OWN, "files__read_file", "mail__send_message"]
            done = await quiet.call_tool("files__read_file", {"path": "x"})
            assert json.loads(done.content[0].text)["tool"] == "read_file"
            server = quiet.server
            async with Client(server, mode=mode, cache=None, message_handler=message) as client:
                await client.list_tools()
                more = [BECOME, {**MAIL[0], "description": "Sends an email, now with a copy."}]
                if mode == "legacy":
                    await anyio.sleep(0.3)
                    notices.clear()
                    await call(client, "mail/become", {"tools": more})
                    await until(lambda: notices)
                else:
                    async with client.listen(tools_list_changed=True) as events:
                        await call(client, "mail/become", {"tools": more})
                        with anyio.fail_after(20):
                            await anext(aiter(events))
                found = (await client.list_tools()).tools[-1]
                assert found.description == "Sends an email, now with a copy."
                await call(client, "mail/become", {"tools": [*more, tool("unrelated")]})
                await until(lambda: gateway.tools.find("unrelated")[0] is not None)
                assert listed(await client.list_tools()) == [*OWN, "files__read_file", "mail__send_message"]

    anyio.run(main)


def test_the_whole_list_ranked_and_cut_keeps_its_order_whatever_is_learned(tmp_path):
    path = config(tmp_path, mail=MAIL, files=FILES, chat=[BECOME, *CHAT])

    async def main():
        async with within(path, mode="auto", limit=4) as (gateway, client):
            object.__setattr__(gateway.settings, "mode", "filter")
            before = listed(await client.list_tools())
            assert before[:3] == OWN
            assert len(before) == 3 + 4
            for _ in range(3):
                await client.call_tool(before[-1], {})
                assert listed(await client.list_tools()) == before
            meta = {INTENT: "search the mailbox for emails", SESSION: "s"}
            wanted = listed(await client.list_tools(meta=meta))
            assert "mail__search_mail" in wanted
            grown = listed(await client.list_tools(meta={INTENT: "list the channels of the chat", SESSION: "s"}))
            assert grown[: len(wanted)] == wanted
            new = listed(await client.list_tools(meta={SESSION: "fresh"}))
            assert new[3] == before[-1]  # what worked stands first for who comes later

    anyio.run(main)


def test_queries_are_kept_as_hashes_unless_somebody_asks(tmp_path):
    path = config(tmp_path, mail=MAIL)

    async def main(**options):
        async with within(path, **options) as (_, client):
            await search(client, "send an email about the canary")
            await call(client, "mail/send_message", {"body": "canary-argument"})

    anyio.run(main)
    files = [p for p in tmp_path.rglob("*") if p.is_file() and ".script" not in p.name]
    assert len(files) > 2
    assert all(b"canary" not in p.read_bytes() for p in files)
    with Store.open(f"sqlite:///{tmp_path}/gateway.db") as store:
        (decision,) = store.decisions()
    assert is_blinded(decision.intent)
    assert (len(decision.intent_hash), decision.embedding is not None) == (64, True)
    anyio.run(lambda: main(keep_texts=True))
    with Store.open(f"sqlite:///{tmp_path}/gateway.db") as store:
        assert [d.intent for d in store.decisions()] == [decision.intent, "send an email about the canary"]


@pytest.mark.slow
def test_what_was_learned_is_there_after_a_restart_and_is_the_users_own(tmp_path):
    path = config(tmp_path, a=MAIL, b=MAIL, c=MAIL)
    query = "send an email to my boss"

    async def main(user, learns):
        async with within(path, user=user) as (_, client):
            if learns:
                for _ in range(3):
                    await search(client, query)
                    await call(client, "c/send_message")
            return (await names(client, query))[0]

    assert anyio.run(main, "anna", True) == "c/send_message"
    assert anyio.run(main, "anna", False) == "c/send_message"
    assert anyio.run(main, "ben", False) == "a/send_message"
