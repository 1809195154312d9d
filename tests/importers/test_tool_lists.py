"""Lists of tools on their way through a transport: they stay as they are, and everything else passes."""

import math
from contextlib import asynccontextmanager

import pytest

from shgat.importers.tool_lists import ToolLists

pytest.importorskip("mcp")


def test_lists_stay_and_everything_else_passes():
    import anyio
    from mcp.shared.message import SessionMessage
    from mcp_types import JSONRPCNotification, JSONRPCResponse

    good = {"name": "good", "inputSchema": {"type": "object"}, "more": [1]}
    bad = [{"name": "bad", "inputSchema": 3}, {"name": ["bad"]}, "bad", None]
    sent = [
        JSONRPCNotification(jsonrpc="2.0", method="notifications/progress"),
        JSONRPCResponse(jsonrpc="2.0", id=1, result={"tools": [good, *bad], "nextCursor": "2"}),
        JSONRPCResponse(jsonrpc="2.0", id=2, result={"tools": {"no": "list"}}),
        JSONRPCResponse(jsonrpc="2.0", id=3, result={"resources": []}),
    ]
    broken = ValueError("no JSON")

    @asynccontextmanager
    async def transport():
        write, read = anyio.create_memory_object_stream[object](math.inf)
        async with read, write:
            for message in sent:
                await write.send(SessionMessage(message))
            await write.send(broken)
            yield read, write

    async def through():
        lists = ToolLists(transport())
        async with lists as (read, write), read:
            first = await read.receive()
            write.close()
            return lists, [first, *[item async for item in read]]

    lists, got = anyio.run(through)
    assert lists.tools == [good, *bad]
    assert lists.faults == [("bad", "inputSchema: Input should be a valid dictionary")]
    assert got[-1] is broken
    assert got[0].message == sent[0]
    assert [item.message.result for item in got[1:-1]] == [
        {"tools": [], "nextCursor": "2"},
        {"tools": {"no": "list"}},
        {"resources": []},
    ]
