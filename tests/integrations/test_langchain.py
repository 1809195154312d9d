import asyncio
import sys

import pytest

import habits
from hosts import needs, run_example
from shgat import MissingExtraError
from shgat.integrations import langchain as adapter

pytestmark = pytest.mark.filterwarnings("default")


def tools():
    from langchain_core.tools import StructuredTool

    def tool(name):
        def run(of: str = "") -> str:
            if not habits.worked(name):
                raise ValueError(f"{name} does not work")
            return "done"

        return StructuredTool.from_function(run, name=name, description=habits.description(name))

    return [tool(name) for name in habits.names()]


def agent(search, seen, choose, k=2, extra=(), stable=True):
    """An agent whose model calls what `choose(names of the tools that it sees)` says, once, and whose failed tools answer so."""
    from langchain.agents import create_agent
    from langchain.agents.middleware import AgentMiddleware
    from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
    from langchain_core.messages import AIMessage, ToolMessage

    class Model(GenericFakeChatModel):
        def bind_tools(self, tools, **options):
            seen.append([t if isinstance(t, dict) else t.name for t in tools])
            return self

        def _generate(self, messages, *rest, **options):
            if messages[-1].type == "human":
                calls = [{"name": n, "args": {"of": "x"}, "id": f"c{i}"} for i, n in enumerate(choose(seen[-1]))]
                self.messages = iter([AIMessage("", tool_calls=calls)])
            else:
                self.messages = iter([AIMessage("done")])
            return super()._generate(messages, *rest, **options)

    class Answers(AgentMiddleware):
        """What most agents do with a tool that raises."""

        def wrap_tool_call(self, request, handler):
            try:
                return handler(request)
            except ValueError as error:
                return ToolMessage(str(error), tool_call_id=request.tool_call["id"], status="error")

        async def awrap_tool_call(self, request, handler):
            try:
                return await handler(request)
            except ValueError as error:
                return ToolMessage(str(error), tool_call_id=request.tool_call["id"], status="error")

    mine = adapter.tool_middleware(search, k, stable=stable)
    return create_agent(Model(messages=iter([])), [*tools(), *extra], middleware=[*([] if extra else [Answers()]), mine])


def ask(of, text):
    return of.invoke({"messages": [{"role": "user", "content": text}]})["messages"][-1].content


def test_without_the_host_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "langchain", None)
    monkeypatch.setitem(sys.modules, "langchain.agents.middleware", None)
    with habits.open_search(tmp_path) as search, pytest.raises(MissingExtraError, match="langchain is not installed"):
        adapter.tool_middleware(search)


@needs("langchain")
def test_the_model_sees_what_fits_in_the_order_given_and_a_vendors_tools(tmp_path):
    vendors = {"type": "web_search"}
    with habits.open_search(tmp_path) as search:
        seen = []
        assert ask(agent(search, seen, lambda names: [], extra=[vendors]), "query the logs or send a letter") == ""
        assert seen == [["send_letter", "query_logs", vendors]]


@needs("langchain")
@pytest.mark.parametrize("asynchronous", [False, True])
def test_calls_are_learned_from_and_failures_too(tmp_path, asynchronous):
    with habits.open_search(tmp_path) as search:
        seen = []
        made = agent(search, seen, list)
        if asynchronous:
            asyncio.run(made.ainvoke({"messages": [{"role": "user", "content": "send a letter to Anna"}]}))
        else:
            ask(made, "send a letter to Anna")
        assert seen == [["send_letter", "letter_service"]] * 2
        got = sorted(habits.traces(search), key=lambda t: t.outcome)
        assert [(t.tools, t.outcome, t.error) for t in got] == [
            (("send_letter",), 0.0, "ValueError"), (("letter_service",), 1.0, None),
        ]  # fmt: skip
        assert all(t.duration_ms >= 0 for t in got)


@needs("langchain")
def test_where_ranking_fails_the_model_sees_all(tmp_path):
    with habits.open_search(tmp_path, habits.chat_tools()) as search:
        search._ranker.slots = None
        seen = []
        ask(agent(search, seen, lambda names: []), "send a letter")
        assert seen == [habits.names()]


@needs("langchain")
def test_who_is_asked_meanwhile_is_no_failure(tmp_path):
    from langgraph.errors import GraphInterrupt

    with habits.open_search(tmp_path, habits.chat_tools()) as search:
        made = adapter.tool_middleware(search)

        def interrupted(request):
            raise GraphInterrupt

        with pytest.raises(GraphInterrupt):
            made.wrap_tool_call(None, interrupted)
        assert search.counts["linked"] == search.counts["unlinked"] == 0


@needs("langchain")
def test_it_learns_a_habit(tmp_path):
    with habits.open_search(tmp_path) as search:
        seen = []
        pair, one = agent(search, seen, list), agent(search, seen, lambda names: [], k=1)

        def first(wish):
            ask(one, wish)
            return seen[-1][0]

        assert habits.hits(first, habits.LATER) == 0.0
        habits.live_through(lambda wish, session: ask(pair, wish))
        assert habits.trained(search).accepted
        assert habits.hits(first, habits.LATER) == 1.0


@needs("langchain")
def test_the_example_runs(tmp_path):
    assert run_example("agent_langchain", tmp_path) == [
        *["the model sees: ['send_mail']"] * 2, "the agent: The report is sent.", "learned from: 1 call",
    ]  # fmt: skip
