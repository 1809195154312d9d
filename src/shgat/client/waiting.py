"""The client for asyncio: `Client` again, every call a coroutine."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack

from ..errors import MissingExtraError, RemoteError
from . import requests
from .requests import Asked, Kind, RankOptions
from .results import Capability, Moved, Page, Ranking, Taken, Tool, Versions, WhyNot

T = TypeVar("T")


class AsyncClient:
    """A server's answers as records, without holding up the event loop; close it, or use it in an `async with`.

    What fails for a moment is asked again: a connection that is refused or lost, and a server that says "not now" or "too many". Feedback
    goes under a key, so that it counts once however often it is sent.

    Parameters
    ----------
    url : of the server, as `shgat serve` prints it
    key : what `shgat serve keys add` prints; None for scopes that are open
    timeout : seconds for one attempt
    attempts : at most, of one request
    transport : of httpx2, in place of the network
    """

    def __init__(
        self, url: str, key: str | None = None, *, timeout: float = 10.0, attempts: int = 4, transport: Any = None
    ) -> None:
        try:
            import httpx2
        except ImportError:
            raise MissingExtraError("httpx2", "client") from None
        self._failed: type[Exception] = httpx2.TransportError
        self._refused: type[Exception] = httpx2.ConnectError
        self._attempts = attempts
        headers = {} if key is None else {"authorization": f"Bearer {key}"}
        self._http = httpx2.AsyncClient(base_url=requests.address(url), headers=headers, timeout=timeout, transport=transport)
        self._sleep: Callable[[float], Awaitable[object]] = asyncio.sleep

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"AsyncClient({str(self._http.base_url)!r})"

    async def close(self) -> None:
        """Closes its connections."""
        await self._http.aclose()

    async def rank(
        self, intent: object, top_k: int = 10, kind: Kind = "tools", *, text: str | None = None, **options: Unpack[RankOptions]
    ) -> Ranking:
        """The best items for an intent.

        Parameters
        ----------
        intent : its text, or its embedding (d,)
        kind : "tools", "capabilities", or "sets": capabilities with all tools that they need
        text : beside an embedding
        options : of `shgat.serving.Ranker.rank`

        Raises
        ------
        RemoteError
            the server refused it, or did not answer.
        """
        return Ranking.of(await self._ask(requests.rank(intent, top_k, kind, text, options)))

    async def why_not(self, intent: object, tool: str, *, text: str | None = None, context_tools: Iterable[str] = ()) -> WhyNot:
        """Why a tool does not stand first."""
        return WhyNot.of(await self._ask(requests.why_not(intent, tool, text, context_tools)))

    async def feedback(
        self,
        decision: Ranking | str,
        tools: Iterable[str] | None = None,
        *,
        outcome: float | bool,
        capability_id: str | None = None,
        duration_ms: float | None = None,
        error: str | None = None,
    ) -> Taken:
        """What was executed after a ranking, or its decision id, and how it went: 0 or False failed, 1 or True worked."""
        key = decision.decision_id if isinstance(decision, Ranking) else decision
        return Taken.of(await self._ask(requests.feedback(key, outcome, tools, capability_id, duration_ms, error)))

    async def tools(self, offset: int = 0, limit: int = 100, *, q: str = "", server: str = "") -> Page[Tool]:
        """A page of the tools."""
        return Page.of(await self._ask(requests.page("tools", offset, limit, q, server)), Tool.of)

    async def all_tools(self) -> AsyncIterator[Tool]:
        """All of them, page by page."""
        at: int | None = 0
        while at is not None:
            found = await self.tools(at, 500)
            for tool in found.items:
                yield tool
            at = found.next_offset

    async def capabilities(self, offset: int = 0, limit: int = 100, *, q: str = "") -> Page[Capability]:
        """A page of the capabilities."""
        return Page.of(await self._ask(requests.page("capabilities", offset, limit, q)), Capability.of)

    async def sync(self, snapshot: Any, server: str = "") -> Mapping[str, Any]:
        """Brings the catalogue to a `tools/list` snapshot; what changed."""
        return await self._answer(requests.Asked("POST", "/v1/catalog/sync", {"snapshot": snapshot, "server": server}))

    async def models(self) -> Versions:
        """The versions, and which serves."""
        return Versions.of(await self._ask(Asked("GET", "/v1/models")))

    async def promote(self, version: int | str, alias: str = "production", *, why: str = "", force: bool = False) -> Moved:
        """Lets an alias name a version; into production through the gate."""
        return Moved.of(await self._ask(requests.moved(version, "promote", {"alias": alias, "why": why, "force": force})))

    async def rollback(self, version: int | str = "production", alias: str = "production", *, why: str = "") -> Moved:
        """Lets an alias that names a version go back to what it named before."""
        return Moved.of(await self._ask(requests.moved(version, "rollback", {"alias": alias, "why": why})))

    async def stats(self) -> Mapping[str, Any]:
        """How the server is."""
        return await self._answer(Asked("GET", "/v1/stats"))

    async def _answer(self, asked: Asked) -> Mapping[str, Any]:
        found: Mapping[str, Any] = await self._ask(asked)
        return found

    async def _ask(self, asked: Asked) -> Any:
        for attempt in range(1, self._attempts + 1):
            last = attempt == self._attempts
            try:
                got = await self._http.request(
                    asked.method, asked.path, json=asked.body, params=dict(asked.parameters), headers=dict(asked.headers)
                )
            except self._failed as error:
                if last or not (asked.again or isinstance(error, self._refused)):
                    raise RemoteError(f"{self._http.base_url} does not answer ({type(error).__name__})") from None
                await self._sleep(requests.wait(attempt, None))
                continue
            if last or not requests.to_be_retried(asked, got.status_code):
                return requests.answer_of(got.status_code, got.headers.get("content-type", ""), got.json)
            await self._sleep(requests.wait(attempt, got.headers.get("retry-after")))
        raise RemoteError("no attempt was allowed: attempts is at least 1")
