"""LiteLLM: a callback that cuts the tools of each request to those that fit, in the SDK and in the proxy, and learns from what came of
calls. Needs `pip install '.[litellm]'`."""

import asyncio
from collections.abc import Collection, Mapping
from typing import Any

from ..errors import MissingExtraError
from .conversation import conversation_of
from .filtering import ToolFilter
from .searching import Outcome, ToolSearch


def tool_callback(search: ToolSearch, k: int = 10, *, always: Collection[str] = (), stable: bool = True) -> Any:
    """A `CustomLogger`: append it to `litellm.callbacks`, or name it in the proxy's `litellm_settings: {callbacks: module.name}`.

    Asynchronous requests alone are filtered: LiteLLM asks nobody before `completion`. What became of a call is read from the results in
    the conversation's next request, and of calls through the MCP gateway from LiteLLM's events.

    Parameters
    ----------
    k, always, stable : as those of `ToolFilter`
    """
    return _callback_class()(ToolFilter(search, k, always=always, stable=stable))


def _callback_class() -> Any:
    try:
        from litellm.integrations.custom_logger import CustomLogger
    except ImportError:
        raise MissingExtraError("litellm", "litellm") from None

    class ShgatCallback(CustomLogger):
        def __init__(self, cut: ToolFilter) -> None:
            super().__init__()
            self.search, self._filter = cut.search, cut

        async def async_pre_call_deployment_hook(self, kwargs: dict[str, Any], call_type: Any) -> dict[str, Any]:
            tools, messages = kwargs.get("tools"), kwargs.get("messages") or kwargs.get("input")
            if isinstance(tools, list) and isinstance(messages, str | list):
                session = _session(kwargs) or conversation_of(messages)
                always = _chosen(kwargs.get("tool_choice"))
                kwargs["tools"] = await asyncio.to_thread(self._filter, tools, messages, session, always=always)
                if key := _key(kwargs):  # calls through the MCP gateway may name nothing but their key
                    self.search.searches.also(session, key)
            return kwargs

        async def async_log_success_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
            self._ran(kwargs, _outcome(response_obj), start_time, end_time)

        async def async_log_failure_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
            error = kwargs.get("exception")
            self._ran(kwargs, error if isinstance(error, Exception) else False, start_time, end_time)

        def _ran(self, kwargs: Any, outcome: Outcome, started: Any, ended: Any) -> None:
            about = kwargs.get("mcp_tool_call_metadata")
            name = about.get("name") if isinstance(about, Mapping) else None
            if not isinstance(name, str):
                return
            milliseconds = 1000.0 * (ended - started).total_seconds() if started and ended else None
            session = _session(kwargs)
            if session not in self.search.searches:
                session = _key(kwargs)
            self.search.called(name, outcome, session=session, duration_ms=milliseconds)

    return ShgatCallback


def _outcome(result: Any) -> bool | None:
    """Did a call through the MCP gateway work? None where LiteLLM hands over its text alone."""
    failed = getattr(result, "is_error", None)
    return not failed if isinstance(failed, bool) else None


def _session(kwargs: Mapping[str, Any]) -> str:
    """What the caller says that its requests belong to, "" where it does not say. Trace ids say nothing: the proxy makes one a request."""
    found = (kwargs.get("litellm_session_id"), _metadata(kwargs).get("session_id"))
    return next((f"session {f}" for f in found if isinstance(f, str) and f), "")


def _key(kwargs: Mapping[str, Any]) -> str:
    """The proxy's hash of the caller's key, "" where there is none."""
    found = _metadata(kwargs).get("user_api_key_hash")
    return f"key {found}" if isinstance(found, str) and found else ""


def _metadata(kwargs: Mapping[str, Any]) -> Mapping[str, Any]:
    inside = kwargs.get("litellm_params")
    found = (
        kwargs.get("metadata")
        or kwargs.get("litellm_metadata")
        or (inside.get("metadata") if isinstance(inside, Mapping) else None)
    )
    return found if isinstance(found, Mapping) else {}


def _chosen(choice: Any) -> tuple[str, ...]:
    """The tool that a request insists on."""
    inside = choice.get("function", choice) if isinstance(choice, Mapping) else {}
    name = inside.get("name") if isinstance(inside, Mapping) else None
    return (name,) if isinstance(name, str) else ()
