"""FastMCP: a server's tools behind one search, ranked for each caller among what that caller may see, and the calls that the ranking learns
from. Needs `pip install '.[fastmcp]'`."""

import time
import uuid
from collections.abc import Sequence
from contextvars import ContextVar
from typing import Annotated, Any

from ..errors import MissingExtraError
from .found import Found
from .searching import Outcome, ToolSearch

SEARCH_ID = "shgat/search_id"  # in the `_meta` of a search's result, and of a call that follows it
_named: ContextVar[str] = ContextVar("the search that a proxied call names", default="")
_CONTEXT = 20  # tools called before that a search takes into account


def add_search(server: Any, search: ToolSearch, **options: Any) -> Any:
    """Puts a server's tools behind `search_tools` and `call_tool`, and learns from every call; gives the transform back.

    Parameters
    ----------
    server : FastMCP
    options : of FastMCP's search transforms: always_visible, search_tool_name, call_tool_name, search_result_serializer
    """
    transform = search_transform(search, **options)
    server.add_middleware(learning_middleware(search))
    server.add_transform(transform)
    return transform


def search_transform(search: ToolSearch, **options: Any) -> Any:
    """FastMCP's search transform over a ranking: the tools that the server shows become one search and one proxy for calls.

    A query that nothing answers finds nothing. Tools that are new, or say something else than before, are encoded when they are first listed;
    the others cost a hash of their definition.
    """
    return _transform_class()(search, **options)


def learning_middleware(search: ToolSearch) -> Any:
    """FastMCP's middleware that tells the ranking which tool was called, by the proxy or directly, how it went and how long it took."""
    return _middleware_class()(search)


def _transform_class() -> Any:
    try:
        from fastmcp.server.context import Context
        from fastmcp.server.transforms.search.base import BaseSearchTransform
        from fastmcp.tools.base import Tool, ToolResult
    except ImportError:
        raise MissingExtraError("fastmcp", "fastmcp") from None

    class ShgatSearchTransform(BaseSearchTransform):
        def __init__(self, search: ToolSearch, **options: Any) -> None:
            super().__init__(**{"max_results": search.k, **options})
            self.search = search

        async def _search(self, tools: Sequence[Tool], query: str) -> Sequence[Tool]:
            """For FastMCP, and for CodeMode's `Search(search_fn=...)`."""
            return (await self._found(tools, query, (), None))[1]

        async def _found(
            self, tools: Sequence[Tool], query: str, used: Sequence[str], context: Context | None
        ) -> tuple[Found, list[Tool]]:
            found = await self.search.asearch(
                query, tools, k=self._max_results, session=_session(context), context=used[-_CONTEXT:]
            )
            of = {tool.name: tool for tool in tools}
            return found, [of[name] for name in found.names if name in of]

        def _make_search_tool(self) -> Tool:
            transform = self

            async def search_tools(
                query: Annotated[str, "What one step needs to do, in a few words"],
                context_tools: Annotated[list[str] | None, "Names of tools that were called before"] = None,
                ctx: Context = None,
            ) -> ToolResult:
                """Finds the tools for one step of a task. An empty answer means that no tool here does it."""
                tools = await transform.get_tool_catalog(ctx)
                found, fitting = await transform._found(tools, query, context_tools or (), ctx)
                shown = await transform._render_results(fitting)
                content = [shown] if isinstance(shown, str) else list(shown)
                if found.search_id and not _is_one_client(ctx):
                    content.append({"search_id": found.search_id})
                if found.note:
                    content.append(found.note)
                return ToolResult(content=_blocks(content), meta={SEARCH_ID: found.search_id} if found.search_id else None)

            return Tool.from_function(fn=search_tools, name=self._search_tool_name)

        def _make_call_tool(self) -> Tool:
            transform, proxied = self, super()._make_call_tool()

            async def call_tool(
                name: Annotated[str, "The name of the tool to call"],
                arguments: Annotated[dict[str, Any] | None, "Arguments to pass to the tool"] = None,
                search_id: Annotated[str, "The search_id of the search that found the tool, where it gave one"] = "",
                ctx: Context = None,
            ) -> ToolResult:
                """Calls a tool that a search found."""
                token = _named.set(search_id or _meta(ctx))
                try:
                    return await proxied.fn(name, arguments, ctx)
                finally:
                    _named.reset(token)

            return Tool.from_function(fn=call_tool, name=transform._call_tool_name)

    return ShgatSearchTransform


def _middleware_class() -> Any:
    try:
        from fastmcp.exceptions import NotFoundError
        from fastmcp.server.middleware import Middleware
    except ImportError:
        raise MissingExtraError("fastmcp", "fastmcp") from None

    class ShgatLearningMiddleware(Middleware):
        def __init__(self, search: ToolSearch) -> None:
            self.search = search

        async def on_call_tool(self, context: Any, call_next: Any) -> Any:
            started = time.perf_counter()
            outcome: Outcome = None
            try:
                result = await call_next(context)
                outcome = not result.is_error
                return result
            except NotFoundError:  # nothing was called
                raise
            except Exception as error:
                outcome = error
                raise
            finally:
                here = context.fastmcp_context
                if outcome is not None:  # of the search and the proxy themselves nothing was ever offered
                    self.search.called(
                        context.message.name, outcome, session=_session(here), search_id=_named.get() or _meta(here),
                        duration_ms=1000.0 * (time.perf_counter() - started),
                    )  # fmt: skip

    return ShgatLearningMiddleware


def _session(context: Any) -> str:
    """Whose request it is: of a user who logged in, of a session, of the one client of a process; else nobody's, and only an id links it."""
    from fastmcp.server.dependencies import get_access_token

    token = get_access_token()
    if token is not None:
        return f"user {(token.claims or {}).get('sub') or token.client_id}"
    if context is not None and context.request_context is not None and not context._is_modern_protocol():
        return f"session {context.session_id}"
    return "the client" if _is_one_client(context) else f"request {uuid.uuid4().hex}"


def _is_one_client(context: Any) -> bool:
    """Over pipes and in memory there is one client."""
    return context is None or context.transport in (None, "stdio")


def _meta(context: Any) -> str:
    """The search that a request names in its `_meta`."""
    request = None if context is None else context.request_context
    meta = None if request is None else request.meta
    found = meta.get(SEARCH_ID) if meta else None
    return found if isinstance(found, str) else ""


def _blocks(content: list[Any]) -> list[Any]:
    import orjson
    from mcp_types import TextContent

    return [TextContent(type="text", text=part if isinstance(part, str) else orjson.dumps(part).decode()) for part in content]
