"""Lists of tools as a server sent them: the MCP SDK refuses a whole list for one tool, of which it says itself what is wrong."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

Streams = tuple[Any, Any]  # what a transport of the SDK gives: messages to read, and to write


class ToolLists(AbstractAsyncContextManager[Streams]):
    """A transport of the SDK around another one. What answers of `tools/list` hold stays here, and the SDK gets them empty.

    Attributes
    ----------
    tools : every item of every list, in order, as JSON gives it
    faults : (name, why) of tools that are not as MCP wants them
    ended : is called when nothing more comes
    """

    def __init__(self, transport: AbstractAsyncContextManager[Streams], ended: Callable[[], object] = lambda: None) -> None:
        self._transport, self.ended = transport, ended
        self.tools: list[Any] = []
        self.faults: list[tuple[str, str]] = []

    async def __aenter__(self) -> Streams:
        read, write = await self._transport.__aenter__()
        return _Messages(read, self), write

    async def __aexit__(self, *error: Any) -> bool | None:
        return await self._transport.__aexit__(*error)

    def take(self, result: dict[str, Any]) -> dict[str, Any]:
        """An answer's result without the tools in it; any other one as it is."""
        listed = result.get("tools")
        if not isinstance(listed, list):
            return result
        self.tools += listed
        self.faults += [(tool["name"], why) for tool in listed if (why := _fault(tool))]
        return {**result, "tools": []}


class _Messages:
    """A stream of the SDK to read messages from."""

    def __init__(self, stream: Any, lists: ToolLists) -> None:
        self._stream, self._lists = stream, lists

    @property
    def last_context(self) -> Any:
        """The context of who sent the latest message, where the transport keeps it."""
        return getattr(self._stream, "last_context", None)

    async def receive(self) -> Any:
        return self._without_tools(await self._stream.receive())

    async def aclose(self) -> None:
        await self._stream.aclose()

    def __aiter__(self) -> "_Messages":
        return self

    async def __anext__(self) -> Any:
        try:
            return self._without_tools(await self._stream.__anext__())
        except StopAsyncIteration:
            self._lists.ended()
            raise

    async def __aenter__(self) -> "_Messages":
        return self

    async def __aexit__(self, *error: Any) -> None:
        await self.aclose()

    def _without_tools(self, item: Any) -> Any:
        """The message, or whatever went wrong instead, which passes."""
        result = getattr(getattr(item, "message", None), "result", None)
        if isinstance(result, dict):
            item.message.result = self._lists.take(result)
        return item


def _fault(tool: Any) -> str:
    """Why a tool that has a name is not as MCP wants it, "" where it is."""
    from mcp_types import Tool
    from pydantic import ValidationError

    if not isinstance(tool, dict) or not isinstance(tool.get("name"), str):
        return ""  # a list says so of any source
    try:
        Tool.model_validate(tool, by_name=False)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        return f"{'.'.join(map(str, first['loc'])) or 'it'}: {first['msg']}"
    return ""
