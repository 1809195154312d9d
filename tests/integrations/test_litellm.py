import asyncio
import os
import sys
from datetime import datetime, timedelta

import pytest

import habits
from hosts import needs, run_example
from shgat import MissingExtraError
from shgat.integrations import litellm as adapter

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
pytestmark = pytest.mark.filterwarnings("default")
TOOLS = habits.chat_tools()


@pytest.fixture
def callbacks():
    import litellm

    lists = ("callbacks", "success_callback", "failure_callback", "_async_success_callback", "_async_failure_callback")
    kept = {name: getattr(litellm, name) for name in lists}  # it gathers callbacks there as requests are made
    for name in lists:
        setattr(litellm, name, [])
    yield litellm.callbacks
    for name in lists:
        setattr(litellm, name, kept[name])


@pytest.fixture
def search(tmp_path):
    with habits.open_search(tmp_path, TOOLS) as opened:
        yield opened


async def complete(messages, tools=TOOLS, calls=(), **options):
    """One answer of a model that calls some tools; the names of the tools that the model was given."""
    import litellm
    from litellm.integrations.custom_logger import CustomLogger

    given = []

    class Sees(CustomLogger):
        async def async_pre_call_deployment_hook(self, kwargs, call_type):
            given.extend(t.get("function", t).get("name", t["type"]) for t in kwargs["tools"])

    litellm.callbacks.append(Sees())
    mocked = [{"id": f"c{i}", "type": "function", "function": {"name": n, "arguments": "{}"}} for i, n in enumerate(calls)]
    scripted = {"mock_tool_calls": mocked} if calls else {"mock_response": "done"}
    await litellm.acompletion(model="gpt-4o", messages=messages, tools=tools, **scripted, **options)
    litellm.callbacks.pop()
    return given


def asked(text):
    return [{"role": "user", "content": text}]


def answered(names):
    calls = [{"id": f"c{i}", "type": "function", "function": {"name": n, "arguments": "{}"}} for i, n in enumerate(names)]
    results = [
        {"role": "tool", "tool_call_id": f"c{i}", "content": "done" if habits.worked(n) else "Error: it does not work"}
        for i, n in enumerate(names)
    ]
    return [{"role": "assistant", "content": None, "tool_calls": calls}, *results]


def test_without_the_host_it_says_what_to_install(search, monkeypatch):
    monkeypatch.setitem(sys.modules, "litellm.integrations.custom_logger", None)
    with pytest.raises(MissingExtraError, match="litellm is not installed"):
        adapter.tool_callback(search)


@needs("litellm")
def test_a_request_has_the_tools_that_fit_and_the_one_it_insists_on(search, callbacks):
    callbacks.append(adapter.tool_callback(search, 2))

    async def use():
        assert await complete(asked("send a letter to Anna")) == ["send_letter", "letter_service"]
        choice = {"type": "function", "function": {"name": "plot_chart"}}
        assert await complete(asked("query the logs"), tool_choice=choice) == ["plot_chart", "query_logs", "logs_trail"]

    asyncio.run(use())


@needs("litellm")
def test_calls_are_learned_from_in_the_next_request(search, callbacks):
    callbacks.append(adapter.tool_callback(search, 2))

    async def use():
        messages = asked("send a letter to Anna")
        seen = await complete(messages, calls=["send_letter", "letter_service"], litellm_trace_id="1")  # as the proxy does
        await complete([*messages, *answered(seen)], litellm_trace_id="2")

    asyncio.run(use())
    assert [(t.tools, t.outcome) for t in habits.traces(search)] == [(("send_letter",), 0.0), (("letter_service",), 1.0)]


@needs("litellm")
@pytest.mark.parametrize("told", ["session", "key"])
def test_calls_through_the_mcp_gateway_are_learned_from_where_their_outcome_is_told(search, callbacks, told):
    from litellm.litellm_core_utils.litellm_logging import Logging
    from mcp_types import CallToolResult, TextContent

    callbacks.append(adapter.tool_callback(search, 2))
    about = {"litellm_session_id": "s1"} if told == "session" else {"metadata": {"user_api_key_hash": "k1"}}

    async def use():
        await complete(asked("send a letter to Anna"), **about)
        started = datetime.now()
        ended = started + timedelta(milliseconds=30)
        for name, failed in (("send_letter", True), ("letter_service", False), ("letter_service", None)):
            log = Logging("MCP", [], False, "call_mcp_tool", started, "id", "function", kwargs={})
            log.model_call_details.update(mcp_tool_call_metadata={"name": name}, litellm_params={}, **about)
            result = CallToolResult(content=[TextContent(type="text", text="Anna")], is_error=bool(failed))
            if failed is None:
                result = "text alone"
            if failed:
                await log.async_failure_handler(RuntimeError("Anna is away"), "", started, ended)
            else:
                await log.async_success_handler(result=result, start_time=started, end_time=ended)

    asyncio.run(use())
    got = habits.traces(search)
    assert [(t.tools, t.outcome, t.error) for t in got] == [
        (("send_letter",), 0.0, "RuntimeError"), (("letter_service",), 1.0, None),
    ]  # fmt: skip
    assert got[1].duration_ms == pytest.approx(30)
    assert search.counts["unknown"] == 1


@needs("litellm")
def test_where_ranking_fails_a_request_has_all_tools(search, callbacks):
    search._ranker.slots = None
    callbacks.append(adapter.tool_callback(search, 2))
    assert asyncio.run(complete(asked("send a letter"))) == habits.names()


@needs("litellm")
def test_it_learns_a_habit(search, callbacks):
    async def use():
        async def hits():
            callbacks[:] = [adapter.tool_callback(search, 1, stable=False)]
            found = [(await complete(asked(w)))[0] == works for w, works in habits.LATER.items()]
            return sum(found) / len(found)

        before = await hits()
        callbacks[:] = [adapter.tool_callback(search, 2)]
        for n in range(7):
            for wish in habits.FIRST:
                seen = await complete(asked(wish), litellm_session_id=f"{n} {wish}")
                await complete([*asked(wish), *answered(seen)], litellm_session_id=f"{n} {wish}")
        assert habits.trained(search).accepted
        return before, await hits()

    assert asyncio.run(use()) == (0.0, 1.0)


@needs("litellm")
def test_the_example_runs(tmp_path):
    assert run_example("callback_litellm", tmp_path) == ["the model: The report is sent.", "searches: 2 - learned from: 1 call"]
