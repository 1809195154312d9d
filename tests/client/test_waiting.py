"""The client for asyncio is the other one again."""

import asyncio
import inspect

import numpy as np
import pytest

from shgat.client import AsyncClient, Client
from shgat.errors import RemoteError

X = np.arange(1, 9, dtype=np.float64)


def test_it_has_the_same_calls():
    public = {n: inspect.signature(m) for n, m in vars(Client).items() if not n.startswith("_")}
    mine = {n: inspect.signature(m) for n, m in vars(AsyncClient).items() if not n.startswith("_")}
    assert public.keys() == mine.keys()
    for name, signature in public.items():
        assert list(signature.parameters.values()) == list(mine[name].parameters.values()), name


def test_many_at_once(server):
    async def work():
        async with AsyncClient(server.url, server.key) as client:
            found = await asyncio.gather(*(client.rank(np.roll(X, i), 2) for i in range(8)))
            told = await asyncio.gather(*(client.feedback(r, [r.ids[0]], outcome=1) for r in found))
            tools = [tool.id async for tool in client.all_tools()]
            page, said = await client.capabilities(), await client.why_not(X, "mail.t3")
            versions, stats = await client.models(), await client.stats()
            with pytest.raises(RemoteError, match="no version"):
                await client.promote(9)
            with pytest.raises(RemoteError, match="names no version"):
                await client.rollback()
            with pytest.raises(RemoteError):
                await client.sync([])
            return found, told, tools, page, said, versions, stats

    found, told, tools, page, said, versions, stats = asyncio.run(work())
    assert len({ranking.decision_id for ranking in found}) == 8
    assert all(taken.counted for taken in told)
    assert (len(tools), page.total, said.n_tools, versions.serving) == (10, 2, 10, "untrained")
    assert stats["server"]["errors"] == 0


def test_a_server_that_is_not_there():
    async def work():
        async with AsyncClient("http://127.0.0.1:9", attempts=1) as client:
            await client.rank("x")

    with pytest.raises(RemoteError, match="does not answer"):
        asyncio.run(work())
