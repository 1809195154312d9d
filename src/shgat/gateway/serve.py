"""Serving a gateway over stdio or HTTP, until the client leaves or a signal says so; then everything that was started is ended."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
from mcp.server.lowlevel import Server

from ..importers.connection import silent
from ..serving import Ranker
from .endpoint import Endpoint
from .gateway import Gateway
from .settings import Settings

LONGEST_MESSAGE = 64 << 20  # bytes of one line
PATH = "/mcp"
_STOP = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def serve(settings: Settings, http: tuple[str, int] | None = None, listening: Callable[[str], None] = lambda url: None) -> None:
    """Serves until stdin ends or a signal says so, which is no failure.

    Parameters
    ----------
    http : host and port; None: stdio
    listening : is told the URL
    """
    with silent():
        gateway = Gateway.open(settings)
        try:
            _run(_serve(gateway, http, listening))
        finally:
            gateway.close()


async def _serve(gateway: Gateway, http: tuple[str, int] | None, listening: Callable[[str], None]) -> None:
    endpoint = Endpoint(gateway)
    async with anyio.create_task_group() as group:
        gateway.list_changed = lambda: group.start_soon(endpoint.tell_changed)
        await group.start(gateway.run)
        await _until_signal(endpoint.server, http, listening, gateway.drain)
        group.cancel_scope.cancel()


def serve_catalog(
    catalog: Path, store: str, user: str, http: tuple[str, int] | None = None, listening: Callable[[str], None] = lambda url: None
) -> None:
    """`catalog_server` over a catalogue's folder, served as a gateway is."""
    from .catalog_server import catalog_server

    with Ranker.open(store, catalog, user_id=user) as ranker:
        server = catalog_server(ranker)._lowlevel_server
        _run(_until_signal(server, http, listening))


def _run(work: Coroutine[Any, Any, None]) -> None:
    """To its end; what went wrong in one of its tasks is raised as it is."""
    try:
        asyncio.run(work)
    except BaseExceptionGroup as several:
        error: BaseException = several
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        raise error from None


async def _nothing() -> None: ...


async def _until_signal(
    server: Server[Any],
    http: tuple[str, int] | None,
    listening: Callable[[str], None],
    drain: Callable[[], Awaitable[None]] = _nothing,
) -> None:
    async with anyio.create_task_group() as group:

        async def stop_on_signal() -> None:
            try:
                with anyio.open_signal_receiver(*_STOP) as signals:
                    async for _ in signals:
                        await drain()
                        group.cancel_scope.cancel()
            finally:  # it is ending: another signal must not keep it from ending its servers
                for number in _STOP:
                    signal.signal(number, signal.SIG_IGN)

        group.start_soon(stop_on_signal)
        await over(server, http, listening)
        await drain()
        group.cancel_scope.cancel()


async def over(server: Server[Any], http: tuple[str, int] | None, listening: Callable[[str], None]) -> None:
    """Serves over stdio until that ends, or over HTTP until this is cancelled."""
    if http is not None:
        await _over_http(server, *http, listening)
        return
    from mcp.server.stdio import stdio_server

    async with _pipes() as (stdin, stdout), stdio_server(stdin, stdout) as (reading, writing):
        await server.run(reading, writing, server.create_initialization_options())


async def _over_http(server: Server[Any], host: str, port: int, listening: Callable[[str], None]) -> None:
    import uvicorn

    class Quiet(uvicorn.Server):
        """Signals are the gateway's."""

        @contextlib.contextmanager
        def capture_signals(self) -> Any:
            yield

    app = server.streamable_http_app(streamable_http_path=PATH, host="127.0.0.1")
    web = Quiet(uvicorn.Config(app, host, port, log_level="critical", access_log=False, timeout_graceful_shutdown=3))
    async with anyio.create_task_group() as group:

        async def tell() -> None:
            while not web.started:
                await anyio.sleep(0.01)
            there = web.servers[0].sockets[0].getsockname()
            listening(f"http://{f'[{there[0]}]' if ':' in there[0] else there[0]}:{there[1]}{PATH}")

        group.start_soon(tell)
        try:
            await web.serve()
        except SystemExit:  # the address is taken; uvicorn has said so
            raise OSError(98, "the address is in use, or not of this machine", f"{host}:{port}") from None


class _Lines:
    """Lines of stdin as the SDK reads them, without a thread that waits: such a one could not be ended."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader

    def __aiter__(self) -> "_Lines":
        return self

    async def __anext__(self) -> str:
        line = await self._reader.readline()
        if not line:
            raise StopAsyncIteration
        return line.decode("utf-8", "replace")


class _Writer:
    """Stdout as the SDK writes to it."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer

    async def write(self, text: str) -> None:
        self._writer.write(text.encode())

    async def flush(self) -> None:
        with contextlib.suppress(ConnectionError):
            await self._writer.drain()


@asynccontextmanager
async def _pipes() -> AsyncIterator[tuple[Any, Any]]:
    """Stdin and stdout for messages alone: what else reads or prints meanwhile has an empty stdin, and stderr."""
    loop = asyncio.get_running_loop()
    sys.stdout.flush()
    wire_in, wire_out = os.fdopen(os.dup(0), "rb", 0), os.fdopen(os.dup(1), "wb", 0)
    try:
        reader = asyncio.StreamReader(limit=LONGEST_MESSAGE)
        coming, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), wire_in)
        going, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, wire_out)
    except ValueError:  # a file, not a pipe
        yield None, None
        return
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    os.close(nothing)
    try:
        yield _Lines(reader), _Writer(asyncio.StreamWriter(going, protocol, None, loop))
    finally:
        os.dup2(wire_out.fileno(), 1)
        coming.close()
        going.close()
