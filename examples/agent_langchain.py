"""A LangChain agent whose model sees the tools that fit, and whose calls are learned from.

python agent_langchain.py [sqlite:///tools.db]
"""

import sys
from collections.abc import Iterator
from typing import Any

from langchain.agents import create_agent
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_core.tools import tool

from shgat.integrations import ToolSearch
from shgat.integrations.langchain import tool_middleware


@tool
def send_mail(to: str) -> str:
    """Sends an e-mail to a person"""
    return f"sent to {to}"


@tool
def read_file(path: str) -> str:
    """Reads a file from the disk"""
    return path


@tool
def list_events(day: str) -> str:
    """Lists the events of a calendar"""
    return "none"


class Scripted(GenericFakeChatModel):
    """Stands in for a model, so that this runs without a key; in its place: "openai:gpt-5.4", "anthropic:claude-sonnet-5", ..."""

    def bind_tools(self, tools: Any, **options: Any) -> "Scripted":
        print("the model sees:", [t.name for t in tools])
        return self


def answers() -> Iterator[AIMessage]:
    yield AIMessage("", tool_calls=[{"name": "send_mail", "args": {"to": "Anna"}, "id": "c1"}])
    yield AIMessage("The report is sent.")


def main(store: str) -> None:
    tools = [send_mail, read_file, list_events]
    with ToolSearch.open(tools, store) as search:
        agent = create_agent(Scripted(messages=answers()), tools, middleware=[tool_middleware(search, k=1)])
        done = agent.invoke({"messages": [{"role": "user", "content": "Mail the report to Anna"}]})
        print("the agent:", done["messages"][-1].content)
        print("learned from:", search.counts["linked"], "call")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "sqlite:///tools.db")
