"""The client for threads."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import TracebackType
from typing import Any, Self, Unpack

from . import requests
from .connection import Attempts, Connection, T
from .requests import Asked, Kind, RankOptions, Told
from .results import Capability, Moved, Page, Ranking, Taken, Tool, Versions, WhyNot, read_capabilities, read_tools


class Client(Connection):
    """Asks a server, from any number of threads; see `Connection`."""

    _kind = "Client"
    _sleep: Callable[[float], object] = staticmethod(time.sleep)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Closes its connections."""
        self._http.close()

    def rank(
        self, intent: object, top_k: int = 10, kind: Kind = "tools", *, text: str | None = None, **options: Unpack[RankOptions]
    ) -> Ranking:
        """The best items for an intent, which is a text or an embedding (d,); "sets" are capabilities with all tools that they need."""
        return self._ask(requests.rank(intent, top_k, kind, text, options), Ranking.of)

    def why_not(self, intent: object, tool: str, *, text: str | None = None, context_tools: Iterable[str] = ()) -> WhyNot:
        """Why a tool does not stand first."""
        return self._ask(requests.why_not(intent, tool, text, context_tools), WhyNot.of)

    def feedback(
        self, decision: Ranking | str, tools: Iterable[str] | None = None, *, outcome: float, **told: Unpack[Told]
    ) -> Taken:
        """What was executed after a ranking, or its decision id, and how it went: 0 or False failed, 1 or True worked."""
        return self._ask(requests.feedback(decision, tools, outcome, told), Taken.of)

    def tools(self, offset: int = 0, limit: int = 100, *, q: str = "", server: str = "") -> Page[Tool]:
        """A page of the tools."""
        return self._ask(requests.page("tools", offset, limit, q, server), read_tools)

    def all_tools(self) -> Iterator[Tool]:
        """All of them, page by page."""
        at: int | None = 0
        while at is not None:
            found = self.tools(at, 500)
            yield from found.items
            at = found.next_offset

    def capabilities(self, offset: int = 0, limit: int = 100, *, q: str = "") -> Page[Capability]:
        """A page of the capabilities."""
        return self._ask(requests.page("capabilities", offset, limit, q), read_capabilities)

    def sync(self, snapshot: Any, server: str = "") -> Mapping[str, Any]:
        """Brings the catalogue to a `tools/list` snapshot; what changed."""
        return self._ask(requests.sync(snapshot, server), dict)

    def models(self) -> Versions:
        """The versions, and which serves."""
        return self._ask(requests.MODELS, Versions.of)

    def promote(self, version: int | str, alias: str = "production", *, why: str = "", force: bool = False) -> Moved:
        """Lets an alias name a version; into production through the gate."""
        return self._ask(requests.moved(version, "promote", {"alias": alias, "why": why, "force": force}), Moved.of)

    def rollback(self, version: int | str = "production", alias: str = "production", *, why: str = "") -> Moved:
        """Lets an alias that names a version go back to what it named before."""
        return self._ask(requests.moved(version, "rollback", {"alias": alias, "why": why}), Moved.of)

    def stats(self) -> Mapping[str, Any]:
        """How the server is."""
        return self._ask(requests.STATS, dict)

    def _ask(self, asked: Asked, read: Callable[[Any], T]) -> T:
        attempts = Attempts(self, asked)
        while attempts.again:
            if attempts.wait:
                self._sleep(attempts.wait)
            try:
                response = self._http.request(**attempts.options)
            except self._lost as error:
                attempts.failed(error)
            else:
                attempts.got(response)
        return read(attempts.answer)
