"""LangChain: an agent's middleware that shows the model the tools that fit, and learns from those that the agent runs. Needs
`pip install '.[langchain]'`."""

import time
from collections.abc import Awaitable, Callable, Collection
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
        from langgraph.errors import GraphBubbleUp
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
            started = time.perf_counter()
            try:
                result = handler(request)
            except GraphBubbleUp:  # somebody is asked meanwhile: the call is not over
                raise
            except Exception as error:
                self.search.called(**_call(request, error, started))
                raise
            self.search.called(**_call(request, result, started))
            return result

        async def awrap_tool_call(self, request: Any, handler: Callable[[Any], Awaitable[Any]]) -> Any:
            started = time.perf_counter()
            try:
                result = await handler(request)
            except GraphBubbleUp:
                raise
            except Exception as error:
                self.search.called(**_call(request, error, started))
                raise
            self.search.called(**_call(request, result, started))
            return result

        def _kept(self, request: Any) -> list[Any]:
            messages = [{"role": _ROLES.get(m.type, m.type), **_content(m)} for m in request.messages]
            return self._filter(request.tools, messages, _session(request))

    return ShgatMiddleware


def _content(message: Any) -> dict[str, Any]:
    """A message of LangChain as chats have them."""
    calls = [{"id": call["id"], "name": call["name"]} for call in getattr(message, "tool_calls", None) or ()]
    about = {"tool_call_id": key} if (key := getattr(message, "tool_call_id", None)) else {}
    return {"content": message.content, "tool_calls": calls, "status": getattr(message, "status", None), **about}


def _call(request: Any, came: Any, started: float) -> dict[str, Any]:
    """What there is to tell of a call: it worked unless it raised or says that it failed."""
    outcome = came if isinstance(came, BaseException) else getattr(came, "status", "success") != "error"
    return {
        "name": request.tool_call["name"],
        "outcome": outcome,
        "session": _session(request),
        "duration_ms": 1000.0 * (time.perf_counter() - started),
    }


def _session(request: Any) -> str:
    """The thread, or where nothing is kept between runs, the first message."""
    about = getattr(request.runtime, "execution_info", None)
    thread = getattr(about, "thread_id", None)
    if thread:
        return f"thread {thread}"
    state = request.state
    messages = state.get("messages", ()) if isinstance(state, dict) else getattr(state, "messages", ())
    return f"run {messages[0].id}" if messages else ""
