"""What clients of the gateway see: one MCP server, over any transport, whose list of tools stays as it is."""

import weakref
from typing import Any

import mcp_types as types
from mcp.server.caching import CacheHint
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import NotificationOptions, Server
from mcp.server.models import InitializationOptions
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler, ToolsListChanged
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from .. import __version__
from ..errors import ShgatError
from .gateway import Gateway
from .searching import Offer
from .sessions import Session
from .tools import Tool
from .upstream import Reply

SEARCH, CALL, SUGGEST = "search_tools", "call_tool", "suggest_next"
SEARCH_ID, INTENT, SESSION, PRINCIPAL = "shgat/search_id", "shgat/intent", "shgat/session", "shgat/principal"  # in `_meta`
FRESH_MS = 60_000  # for as long a list of tools may be kept
_LONGEST = 8192  # characters of a query
_HTTP_SESSION = "mcp-session-id"
_OFFER = {
    "type": "object",
    "properties": {
        "search_id": {"type": "string"},
        "tools": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "name": {"type": "string"},
                    "server": {"type": "string"},
                    "description": {"type": "string"},
                    "input_schema": {"type": "object"},
                    "score": {"type": "number"},
                    "warning": {"type": "string"},
                },
                "required": ["name", "server", "description", "input_schema", "score"],
            },
        },
        "note": {"type": "string"},
    },
    "required": ["search_id", "tools"],
}
Context = ServerRequestContext[Any, Any]


class _Server(Server[Any]):
    """That says to clients of both generations that its list of tools may change."""

    def create_initialization_options(
        self, notification_options: NotificationOptions | None = None, *more: Any, **others: Any
    ) -> InitializationOptions:
        return super().create_initialization_options(
            notification_options or NotificationOptions(tools_changed=True), *more, **others
        )


class Endpoint:
    """Serves one gateway.

    Attributes
    ----------
    server : of the SDK, for its transports
    """

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._bus = InMemorySubscriptionBus()
        self._legacy: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()  # connection -> session of the SDK
        names = ", ".join(sorted(gateway.fleet.upstreams))
        self._own = _own_tools(names)
        self.server = _Server(
            "shgat", version=__version__, title="shgat gateway",
            instructions=f"Tools of these servers: {names}. Find them with {SEARCH}, run them with {CALL}.",
            cache_hints={"tools/list": CacheHint(ttl_ms=FRESH_MS, scope="private")},
            on_list_tools=self._list, on_call_tool=self._call, on_subscriptions_listen=ListenHandler(self._bus),
        )  # fmt: skip

    async def tell_changed(self) -> None:
        """Tells clients of both generations that the list of tools changed."""
        await self._bus.publish(ToolsListChanged())
        for session in list(self._legacy.values()):
            try:
                await session.send_tool_list_changed()
            except Exception:  # it went away
                continue

    def _session(self, context: Context) -> Session:
        """Whose request it is: by the id in `_meta`, by that of the transport, else by what the client calls itself; `_meta` says who asks."""
        meta = context.meta or {}
        if context.protocol_version not in MODERN_PROTOCOL_VERSIONS:
            self._legacy[context.session._connection] = context.session
        key = meta.get(SESSION)
        if not isinstance(key, str) or not key:
            headers = getattr(context.request, "headers", None)
            client = context.session.client_params
            key = (
                headers.get(_HTTP_SESSION) if headers is not None else None
            ) or f"client {client.client_info.name if client else ''}"
        who = meta.get(PRINCIPAL)
        principal = who[:200].replace("\0", "") if isinstance(who, str) else ""
        return self._gateway.sessions.of(f"{self._gateway.settings.user} {key[:200]}", principal)

    async def _list(self, context: Context, params: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        session, gateway = self._session(context), self._gateway
        shown: list[Tool] = []
        if gateway.settings.pins or gateway.settings.mode == "filter":
            await gateway.settled()
            await gateway.learn()
            shown = gateway.pinned()
            if gateway.settings.mode == "filter":
                intent = (context.meta or {}).get(INTENT)
                shown = list(
                    dict.fromkeys((*shown, *gateway.ranked(session, intent[:_LONGEST] if isinstance(intent, str) else "")))
                )
        return types.ListToolsResult(tools=[*self._own, *(t for t in map(_open, shown) if t is not None)])

    async def _call(self, context: Context, params: types.CallToolRequestParams) -> types.CallToolResult:
        session, given, gateway = self._session(context), params.arguments or {}, self._gateway
        meta = (context.meta or {}).get(SEARCH_ID)
        try:
            if params.name == SEARCH:
                query = _text(given, "query")[:_LONGEST]
                names = given.get("context")
                used = [n for n in names if isinstance(n, str)] if isinstance(names, list) else []
                return _offered(await gateway.search(session, query, used))
            if params.name == SUGGEST:
                return _offered(await gateway.suggest(session))
            if params.name == CALL:
                arguments = given.get("arguments", {})
                if not isinstance(arguments, dict):
                    raise _ArgumentError("arguments is an object, as the tool's input_schema says")
                search = given.get("search_id", meta)
                return await self._run(session, _text(given, "name"), arguments, search)
            return await self._run(session, params.name, params.arguments, meta)
        except _ArgumentError as error:
            return _failed(f"{params.name}: {error}")
        except ShgatError as error:
            return _failed(str(error))

    async def _run(self, session: Session, name: str, arguments: dict[str, Any] | None, search: object) -> types.CallToolResult:
        tool, alike = await self._gateway.find(name)
        if tool is None:
            several = f" It may be: {', '.join(alike)}." if alike else f" Find tools with {SEARCH}."
            return _failed(f"There is no tool {name[:200]!r}.{several}")
        return _replied(await self._gateway.call(session, tool, arguments, search if isinstance(search, str) else ""))


class _ArgumentError(Exception):
    """Of one of the gateway's own tools."""


def _text(given: dict[str, Any], name: str) -> str:
    value = given.get(name)
    if not isinstance(value, str) or not value.strip():
        raise _ArgumentError(f"{name} is a text that is not empty")
    return value


def _offered(offer: Offer) -> types.CallToolResult:
    said = offer.to_dict()
    text = types.TextContent(type="text", text=_json(said))
    return types.CallToolResult(content=[text], structured_content=said, _meta={SEARCH_ID: offer.search.decision})


def _replied(reply: Reply) -> types.CallToolResult:
    return reply.result if reply.result is not None else _failed(reply.why)


def _failed(why: str) -> types.CallToolResult:
    return types.CallToolResult(content=[types.TextContent(type="text", text=why)], is_error=True)


def _json(value: Any) -> str:
    import orjson

    return orjson.dumps(value, default=str).decode()


def _open(tool: Tool) -> types.Tool | None:
    """A server's tool in the open; None for one that the SDK refuses."""
    try:
        return types.Tool.model_validate({**tool.definition, "name": tool.open_name}, by_name=False)
    except ValueError:
        return None


def _own_tools(servers: str) -> list[types.Tool]:
    """The gateway's own, which never change."""
    query = {"type": "string", "minLength": 1, "description": "What is to be done, in one sentence."}
    context = {"type": "array", "items": {"type": "string"}, "description": "Tools that were used for this task before, by name."}
    name = {"type": "string", "minLength": 1, "description": f"Of the tool, as {SEARCH} gives it."}
    arguments = {"type": "object", "description": "As the tool's input_schema says."}
    search = {"type": "string", "description": f"The search_id of the {SEARCH} that found the tool."}
    seen = types.ToolAnnotations(read_only_hint=True, open_world_hint=False)
    return [
        types.Tool(
            name=SEARCH, title="Find tools", output_schema=_OFFER, annotations=seen,
            description=f"Finds the tools for what is to be done, among those of these servers: {servers}. Run them with {CALL}. "
                        "An empty list means that no tool here does it.",
            input_schema={"type": "object", "properties": {"query": query, "context": context}, "required": ["query"]},
        ),
        types.Tool(
            name=CALL, title="Run a tool", description=f"Runs a tool that {SEARCH} or {SUGGEST} found, and gives what it gives.",
            input_schema={
                "type": "object", "properties": {"name": name, "arguments": arguments, "search_id": search}, "required": ["name"],
            },
        ),
        types.Tool(
            name=SUGGEST, title="What next?", output_schema=_OFFER, annotations=seen,
            description=f"The tools that are likely to be needed next, by those that were run with {CALL} before.",
            input_schema={"type": "object", "properties": {}},
        ),
    ]  # fmt: skip
