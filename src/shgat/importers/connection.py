"""What running MCP servers list, by the official SDK: a few at a time, each with a time limit, each ended before this returns."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from tempfile import TemporaryFile
from typing import Any, TextIO

from ..errors import InputError, MissingExtraError
from .secrets import masked
from .servers import Server
from .texts import clean, cut
from .tool_lists import ToolLists

TOGETHER = 4  # servers at a time
PAGES, TOOLS = 1_000, 100_000  # of one server
_LOGGERS = ("mcp", "httpx2", "httpcore2", "asyncio")  # they quote what servers say, and URLs


@dataclass(eq=False)
class Listing:
    """What one server lists.

    Attributes
    ----------
    server : that was asked
    tools : definitions, as `tools/list` has them, and whatever else stands in its lists
    faults : (name, why) of tools that are not as MCP wants them
    name, text : what it calls itself, and its instructions
    error : why there is nothing, "" where there is
    """

    server: Server
    tools: list[Any] = field(default_factory=list)
    faults: list[tuple[str, str]] = field(default_factory=list)
    name: str = ""
    text: str = ""
    error: str = ""


def listings(servers: Sequence[Server]) -> list[Listing]:
    """What each server lists, in their order; a server that cannot be asked, or where the SDK is not installed, has an error."""
    if not servers:
        return []
    try:
        import mcp  # noqa: F401
    except ImportError:
        return [Listing(server, error=str(MissingExtraError("mcp", "mcp"))) for server in servers]
    with silent():
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return asyncio.run(_all(servers))
        return _beside(servers)


def _beside(servers: Sequence[Server]) -> list[Listing]:
    """The same in a thread, for those whose own loop is running."""
    found: list[Listing] = []
    thread = threading.Thread(target=lambda: found.extend(asyncio.run(_all(servers))), name="shgat-import", daemon=True)
    thread.start()
    thread.join()
    return found


async def _all(servers: Sequence[Server]) -> list[Listing]:
    import anyio

    found = [Listing(server) for server in servers]
    free = anyio.Semaphore(TOGETHER)

    async def ask(listing: Listing) -> None:
        async with free:
            await _ask(listing)

    async with anyio.create_task_group() as group:
        for listing in found:
            group.start_soon(ask, listing)
    return found


async def _ask(listing: Listing) -> None:
    import anyio

    server = listing.server
    with TemporaryFile("w+", encoding="utf-8", errors="replace") as said:
        try:
            with anyio.fail_after(server.timeout):
                await _list(listing, said)
            if not listing.tools:
                listing.error = "it lists no tools: is its environment complete?"
        except TimeoutError:
            listing.error = f"it did not answer within {server.timeout:g} s"
        except Exception as error:
            listing.error = reason_of(error, server)
        if listing.error:
            said.seek(0)
            lines = [line for line in (clean(line) for line in said.read()[-4000:].splitlines()) if line]
            if lines:
                listing.error += f"; it wrote: {masked(cut(lines[-1], 200), server.secrets)}"
            listing.tools = []


async def _list(listing: Listing, said: TextIO) -> None:
    """By the transport that the server is said to speak; where nobody said, by the older one of HTTP after the newer one failed."""
    server = listing.server
    try:
        await _list_by(listing, said, sse=bool(server.sse))
    except Exception as error:
        if not server.url or server.sse is not None:
            raise
        try:
            await _list_by(listing, said, sse=True)
        except Exception:
            raise error from None


async def _list_by(listing: Listing, said: TextIO, *, sse: bool) -> None:
    from mcp import Client

    async with transport_to(listing.server, said, sse) as transport, Client(lists := ToolLists(transport), cache=None) as client:
        listing.tools, listing.faults = lists.tools, lists.faults
        about = client.server_info
        listing.name, listing.text = about.name if about else "", client.instructions or ""
        await read_pages(client, lists)


async def read_pages(client: Any, lists: ToolLists) -> None:
    """All pages of `tools/list` into `lists`; InputError where they do not end."""
    cursor, seen = None, set[str]()
    for _ in range(PAGES):
        page = await client.list_tools(cursor=cursor)
        cursor = page.next_cursor
        if len(lists.tools) > TOOLS:
            raise InputError(f"it lists more than {TOOLS:,} tools")
        if cursor is None or cursor in seen:
            return
        seen.add(cursor)
    raise InputError(f"its list has more than {PAGES:,} pages")


@asynccontextmanager
async def transport_to(server: Server, said: TextIO, sse: bool) -> AsyncIterator[Any]:
    """A transport of the SDK to a server, which is started where it is a program; what it writes on stderr goes to `said`."""
    if server.command:
        from mcp import StdioServerParameters
        from mcp.client.stdio import stdio_client

        command, *args = server.command
        params = StdioServerParameters(command=command, args=args, env=dict(server.env), cwd=server.cwd)
        yield stdio_client(params, errlog=said)
    elif sse:
        from mcp.client.sse import sse_client

        yield sse_client(server.url, headers=dict(server.headers), timeout=server.timeout)
    else:
        import httpx2
        from mcp.client.streamable_http import streamable_http_client

        async with httpx2.AsyncClient(headers=dict(server.headers), timeout=server.timeout) as http:
            yield streamable_http_client(server.url, http_client=http)


def reason_of(error: BaseException, server: Server) -> str:
    """The first thing that went wrong, in one line, without what is secret."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    response = getattr(error, "response", None)
    if response is not None and hasattr(response, "status_code"):
        return f"it answered with status {response.status_code}"
    if isinstance(error, OSError) and error.strerror:
        return f"it cannot be reached: {error.strerror}" if server.url else f"it cannot be started: {error.strerror}"
    said = clean(str(error)) or type(error).__name__
    return masked(cut(said, 300), server.secrets)


@contextmanager
def silent() -> Iterator[None]:
    """Nothing that a server said, and no URL, goes into a log."""
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    handler, before = logging.NullHandler(), [logger.propagate for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.propagate = False
    try:
        yield
    finally:
        for logger, propagate in zip(loggers, before, strict=True):
            logger.removeHandler(handler)
            logger.propagate = propagate
