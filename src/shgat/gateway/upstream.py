"""One MCP server behind the gateway: started, listed, watched, called, and started again where it ends."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal, TextIO

import anyio

from ..importers import Server
from ..importers.connection import read_pages, reason_of, transport_to
from ..importers.secrets import masked
from ..importers.texts import clean, cut
from ..importers.tool_lists import ToolLists

Outcome = Literal["worked", "failed", "protocol error", "time-out", "gone"]
State = Literal["starting", "ready", "without tools", "waiting"]
FIRST_WAIT, LONGEST_WAIT = 0.5, 60.0  # seconds before a server is started again; doubled each time
STEADY = 30.0  # seconds after which one that ended may be started again at once
BACK_WITHIN = 10.0  # seconds that a call waits for a server that is being started
SETTLE = 0.05  # seconds after `list_changed`, so that several are one
AGAIN = 5.0  # seconds until a lost stream of events is opened again
_TAIL = 4000  # bytes of stderr that are remembered
EMPTY = "it lists no tools: is its environment complete?"
_CHANGED = "notifications/tools/list_changed"
_CLOSED, _TIMED_OUT = -32000, -32001  # the SDK's codes


@dataclass(frozen=True)
class Reply:
    """What became of one call.

    Attributes
    ----------
    result : of the SDK, None where there is none
    outcome : "failed" says the tool (`isError`), "protocol error" the server; "gone": the server ended, of which the tool is not guilty
    why : in one line, "" where it worked
    milliseconds : that it took
    """

    result: Any
    outcome: Outcome
    why: str
    milliseconds: float


class Upstream:
    """Run by `run` until that is cancelled.

    Parameters
    ----------
    changed : is told when its tools or its state changed
    answers_within : seconds that a tool has to answer

    Attributes
    ----------
    state, error : how it is, and why it is not ready
    tools : definitions as it listed them last
    starts, lost : how often it was started, and calls that were under way when it ended
    since : when `state` began, seconds since 1970
    """

    def __init__(self, server: Server, changed: Callable[["Upstream"], None], answers_within: float) -> None:
        self.server, self._changed, self.answers_within = server, changed, answers_within
        self.state: State = "starting"
        self.error, self.tools, self.starts, self.lost = "", list[dict[str, Any]](), 0, 0
        self.since, self.faults = time.time(), list[tuple[str, str]]()
        self._client: Any = None
        self._other_way = False
        self._ended, self._listed, self._wanted, self._ready = anyio.Event(), anyio.Event(), anyio.Event(), anyio.Event()

    @property
    def name(self) -> str:
        """What its tools belong to."""
        return self.server.name

    def to_dict(self) -> dict[str, Any]:
        """How it is, as JSON values."""
        return {
            "state": self.state, "error": self.error, "tools": len(self.tools), "starts": self.starts, "lost_calls": self.lost,
            "since": self.since, "faults": [f"{name}: {why}" for name, why in self.faults],
        }  # fmt: skip

    async def run(self) -> None:
        """Starts it, and starts it again whenever it ended: after half a second, then after twice as long each time, up to a minute."""
        wait = FIRST_WAIT
        while True:
            self._set("starting", self.error)
            began = time.monotonic()
            error = await self._live()
            self._other_way ^= self.starts > 0 and not self._was_up
            wait = FIRST_WAIT if time.monotonic() - began > STEADY else wait
            self._set("waiting", error)
            with anyio.move_on_after(wait):
                await self._wanted.wait()
                await anyio.sleep(min(wait, FIRST_WAIT))
            self._wanted = anyio.Event()
            wait = min(2.0 * wait, LONGEST_WAIT)

    async def call(self, name: str, arguments: dict[str, Any] | None) -> Reply:
        """Calls a tool. One that is being started is waited for, ten seconds at most."""
        began = time.perf_counter()
        result, outcome, why = await self._called(name, arguments)
        self.lost += outcome == "gone"
        return Reply(result, outcome, masked(cut(clean(why), 300), self.server.secrets), 1000.0 * (time.perf_counter() - began))

    async def _called(self, name: str, arguments: dict[str, Any] | None) -> tuple[Any, Outcome, str]:
        import mcp_types as types
        from pydantic import ValidationError

        if self._client is None:
            self._wanted.set()
            with anyio.move_on_after(BACK_WITHIN):
                await self._ready.wait()
        client = self._client
        if client is None:
            return None, "gone", f"the server {self.name} is not there: {self.error or 'it is being started'}"
        request = types.CallToolRequest(params=types.CallToolRequestParams(name=name, arguments=arguments))
        try:
            result = await client.session.send_request(request, types.CallToolResult, self.answers_within)
        except ValidationError:
            return None, "protocol error", f"the server {self.name} answered with what is no result of a tool"
        except Exception as error:  # of the protocol, or whatever a transport raises
            return None, *self._failed(name, error, client)
        return result, *(("failed", "the tool says that it failed") if result.is_error else ("worked", ""))

    def _failed(self, name: str, error: Exception, client: Any) -> tuple[Outcome, str]:
        from mcp.shared.exceptions import MCPError

        if not isinstance(error, MCPError):
            self._lose(client)
            return "gone", f"the server {self.name} cannot be reached: {reason_of(error, self.server)}"
        if error.error.code == _TIMED_OUT:
            self._listed.set()  # does it answer at all?
            return "time-out", f"{name} did not answer within {self.answers_within:g} s"
        if self._client is not client or error.error.code == _CLOSED:
            self._lose(client)
            return "gone", f"the server {self.name} ended before it answered"
        return "protocol error", f"the server {self.name} refused: {error.error.message} ({error.error.code})"

    def _lose(self, client: Any) -> None:
        """A connection is of no use any more: the next call waits for another one."""
        if client is not None and self._client is client:
            self._client, self._ready = None, anyio.Event()
            self._ended.set()

    # ---------------------------------------------------------------- one life
    async def _live(self) -> str:
        """From its start to its end; why it ended."""
        self.starts += 1
        self._was_up = False
        self._ended, self._listed = anyio.Event(), anyio.Event()
        async with _tail() as said:
            try:
                with anyio.CancelScope(deadline=anyio.current_time() + self.server.timeout) as limit:
                    await self._connected(said.file, limit)
                error = f"it did not answer within {self.server.timeout:g} s" if limit.cancelled_caught else "it ended"
            except Exception as failed:  # whatever a transport raises: it is started again
                error = "it ended" if self.server.command and self._ended.is_set() else reason_of(failed, self.server)
            finally:
                self._lose(self._client)
            lines = [line for line in (clean(line) for line in said.text().splitlines()) if line]
            return error + (f"; it wrote: {masked(cut(lines[-1], 200), self.server.secrets)}" if lines else "")

    async def _connected(self, said: TextIO, limit: anyio.CancelScope) -> None:
        from mcp import Client

        server = replace(self.server, timeout=max(self.server.timeout, self.answers_within + 5.0))
        sse = self._other_way if server.url and server.sse is None else bool(server.sse)
        mode = "legacy" if self._other_way and not server.url else "auto"  # some end when they are asked what they do not know
        async with transport_to(server, said, sse) as transport:
            lists = ToolLists(transport, self._ended.set)
            async with Client(lists, cache=None, mode=mode, message_handler=self._heard) as client:
                await self._list(client, lists)
                limit.deadline = float("inf")
                self._client, self._was_up = client, True
                self._ready.set()
                self._set("ready" if self.tools else "without tools", "" if self.tools else EMPTY)
                async with anyio.create_task_group() as group:
                    group.start_soon(self._listen, client)
                    group.start_soon(self._list_again, client, lists)
                    await self._ended.wait()
                    self._lose(client)
                    group.cancel_scope.cancel()

    async def _list(self, client: Any, lists: ToolLists) -> None:
        lists.tools.clear()
        lists.faults.clear()
        await read_pages(client, lists)
        self.tools = [tool for tool in lists.tools if isinstance(tool, dict) and isinstance(tool.get("name"), str)]
        self.faults = list(lists.faults)

    async def _list_again(self, client: Any, lists: ToolLists) -> None:
        """Whenever its tools changed, or it is not sure that it answers."""
        while True:
            await self._listed.wait()
            await anyio.sleep(SETTLE)
            self._listed = anyio.Event()
            try:
                with anyio.fail_after(self.server.timeout):
                    await self._list(client, lists)
            except Exception:  # it hangs, or ended
                self._ended.set()
                return
            self._set("ready" if self.tools else "without tools", "" if self.tools else EMPTY)

    async def _heard(self, message: Any) -> None:
        """A notification of a server of the generation before 2026-07-28."""
        if getattr(getattr(message, "root", message), "method", "") == _CHANGED:
            self._listed.set()

    async def _listen(self, client: Any) -> None:
        """The events of a server of the generation of 2026-07-28."""
        from mcp.client.subscriptions import ListenNotSupportedError
        from mcp.shared.exceptions import MCPError

        while True:
            try:
                async with client.listen(tools_list_changed=True) as events:
                    async for _ in events:
                        self._listed.set()
            except (ListenNotSupportedError, MCPError):  # it has none
                return
            except Exception:  # the stream is lost
                await anyio.sleep(AGAIN)
            self._listed.set()  # what came meanwhile

    def _set(self, state: State, error: str) -> None:
        if state != self.state:
            self.since = time.time()
        self.state, self.error = state, error
        self._changed(self)


class _Tail(asyncio.Protocol):
    """The last of what a server wrote on stderr, which it never has to wait with."""

    def __init__(self) -> None:
        self.file: TextIO
        self._last = b""

    def data_received(self, data: bytes) -> None:
        self._last = (self._last + data)[-_TAIL:]

    def text(self) -> str:
        return self._last.decode("utf-8", "replace")


@asynccontextmanager
async def _tail() -> AsyncIterator[_Tail]:
    reading, writing = os.pipe()
    transport, said = await asyncio.get_running_loop().connect_read_pipe(_Tail, os.fdopen(reading, "rb", 0))
    with os.fdopen(writing, "w") as said.file:
        try:
            yield said
        finally:
            transport.close()
