"""LangChain: an agent's middleware that shows the model the tools that fit, and learns from those that the agent runs. Needs
`pip install '.[langchain]'`."""

import time
from collections.abc import Awaitable, Callable, Collection
from types import TracebackType
from typing import Any

from ..errors import MissingExtraError
from .filtering import ToolFilter
from .searching import ToolSearch

_ROLES = {"human": "user", "ai": "assistant"}


def tool_middleware(search: ToolSearch, k: int = 10, *, always: Collection[str] = (), stable: bool = True) -> Any:
    """An `AgentMiddleware` for `create_agent(..., middleware=[...])`, for `invoke` and `ainvoke`.

    The model sees the tools that fit the user's latest message, in the order they were given in, those of a vendor, and those that the
    conversation has called. Where ranking fails it sees all. A tool that raises, or whose message has the status "error", failed.

    Parameters
    ----------
    k, always, stable : as those of `ToolFilter`
    """
    return _middleware_class()(search, k, always, stable)


def _middleware_class() -> Any:
    try:
        from langchain.agents.middleware import AgentMiddleware
    except ImportError:
        raise MissingExtraError("langchain", "langchain") from None

    class ShgatMiddleware(AgentMiddleware):
        def __init__(self, search: ToolSearch, k: int, always: Collection[str], stable: bool) -> None:
            super().__init__()
            self.search = search
            self._filter = ToolFilter(search, k, always=always, stable=stable, learn=False)  # it sees the calls themselves

        def wrap_model_call(self, request: Any, handler: Callable[[Any], Any]) -> Any:
            return handler(request.override(tools=self._kept(request)))

        async def awrap_model_call(self, request: Any, handler: Callable[[Any], Awaitable[Any]]) -> Any:
            import asyncio

            return await handler(request.override(tools=await asyncio.to_thread(self._kept, request)))

        def wrap_tool_call(self, request: Any, handler: Callable[[Any], Any]) -> Any:
            with _Call(self.search, request) as call:
                call.result = handler(request)
            return call.result

        async def awrap_tool_call(self, request: Any, handler: Callable[[Any], Awaitable[Any]]) -> Any:
            with _Call(self.search, request) as call:
                call.result = await handler(request)
            return call.result

        def _kept(self, request: Any) -> list[Any]:
            messages = [{"role": _ROLES.get(m.type, m.type), **_content(m)} for m in request.messages]
            return self._filter(request.tools, messages, _session(request))

    return ShgatMiddleware


def _content(message: Any) -> dict[str, Any]:
    """A message of LangChain as chats have them."""
    calls = [{"id": call["id"], "name": call["name"]} for call in getattr(message, "tool_calls", None) or ()]
    about = {"tool_call_id": key} if (key := getattr(message, "tool_call_id", None)) else {}
    return {"content": message.content, "tool_calls": calls, "status": getattr(message, "status", None), **about}


class _Call:
    """A call while it runs; at its end the ranking is told: it worked unless it raised or says that it failed."""

    result: Any = None

    def __init__(self, search: ToolSearch, request: Any) -> None:
        self._search, self._request, self._started = search, request, time.perf_counter()

    def __enter__(self) -> "_Call":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        from langgraph.errors import GraphBubbleUp

        if isinstance(error, GraphBubbleUp) or not isinstance(error, Exception | None):
            return  # somebody is asked meanwhile, or it was given up: the call is not over
        outcome = error if error is not None else getattr(self.result, "status", "success") != "error"
        milliseconds = 1000.0 * (time.perf_counter() - self._started)
        name, session = self._request.tool_call["name"], _session(self._request)
        self._search.called(name, outcome, session=session, duration_ms=milliseconds)


def _session(request: Any) -> str:
    """The thread, or where nothing is kept between runs, the first message."""
    about = getattr(request.runtime, "execution_info", None)
    thread = getattr(about, "thread_id", None)
    if thread:
        return f"thread {thread}"
    state = request.state
    messages = state.get("messages", ()) if isinstance(state, dict) else getattr(state, "messages", ())
    return f"run {messages[0].id}" if messages else ""
