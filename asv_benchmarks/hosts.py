"""What an adapter costs beside its host: processor time of one search, or of one request, over 500 tools; medians in milliseconds.

python asv_benchmarks/hosts.py        # needs pip install '.[test-adapters]'
"""

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")

from shgat.integrations import ToolFilter, ToolSearch, anthropic, openai

TOOLS, TIMES, WARM = 500, 60, 5
VERBS = ["send", "read", "list", "create", "delete", "update", "find", "count", "move", "copy"]
NOUNS = ["mail", "file", "invoice", "event", "ticket", "user", "report", "chart", "backup", "server"]
SCHEMA = {"type": "object", "properties": {"path": {"type": "string", "description": "where it is"}, "limit": {"type": "integer"}}}
SAID = {
    f"{VERBS[i % 10]}_{NOUNS[i // 10 % 10]}_{i // 100}": f"{VERBS[i % 10]} a {NOUNS[i // 10 % 10]} of the system number {i // 100}"
    for i in range(TOOLS)
}
CHAT = [{"type": "function", "function": {"name": n, "description": d, "parameters": SCHEMA}} for n, d in SAID.items()]
WISHES = [f"{verb} the {noun} of customer {n}" for n in range(7) for verb, noun in zip(VERBS, NOUNS, strict=True)]


def median(work: Callable[[str], Any]) -> float:
    """Milliseconds of processor time, all threads of the process, of one call with a wish that was not heard before."""
    took = []
    for wish in WISHES[: TIMES + WARM]:
        started = time.process_time()
        work(wish)
        took.append(1000.0 * (time.process_time() - started))
    return statistics.median(took[WARM:])


async def amedian(work: Callable[[str], Awaitable[Any]]) -> float:
    """The same of a coroutine."""
    took = []
    for wish in WISHES[: TIMES + WARM]:
        started = time.process_time()
        await work(wish)
        took.append(1000.0 * (time.process_time() - started))
    return statistics.median(took[WARM:])


def row(name: str, own: float, adapted: float) -> None:
    """One line: the host alone, with the adapter, and what the adapter adds."""
    print(f"{name:<34} {own:9.2f} {adapted:9.2f} {adapted - own:9.2f}")


def functions(search: ToolSearch) -> None:
    """Those that need no host."""
    use = {"type": "tool_use", "id": "t", "name": anthropic.SEARCH_TOOL}
    row("Anthropic: answer", 0.0, median(lambda w: anthropic.answer(search, [{**use, "input": {"query": w}}], w)))
    call = {"type": "tool_search_call", "call_id": "c"}
    responses = [t["function"] | {"type": "function"} for t in CHAT]
    row("OpenAI: answer", 0.0, median(lambda w: openai.answer(search, [{**call, "arguments": {"query": w}}], responses, w)))
    cut = ToolFilter(search)
    row("any chat: ToolFilter", 0.0, median(lambda w: cut(CHAT, [{"role": "user", "content": w}])))
    row("feedback of one call", 0.0, median(lambda w: search.called(search.search(w, session=w).names[0], True, session=w)))


async def fastmcp(folder: Path) -> None:
    from fastmcp import Client, FastMCP
    from fastmcp.server.transforms.search import BM25SearchTransform

    from shgat.integrations.fastmcp import add_search

    def server() -> Any:
        made = FastMCP("x")
        for name, said in SAID.items():
            made.tool(lambda path="": "done", name=name, description=said)
        return made

    plain, ours = server(), server()
    plain.add_transform(BM25SearchTransform())
    with ToolSearch.open(store=f"sqlite:///{folder / 'fastmcp.db'}", mode="off") as search:
        add_search(ours, search)
        async with Client(plain) as one, Client(ours) as other:
            searched = [await amedian(lambda w, c=c: c.call_tool("search_tools", {"query": w})) for c in (one, other)]
            row("FastMCP: search_tools (host: BM25)", *searched)
            called = [await amedian(lambda w, c=c: c.call_tool("call_tool", {"name": "send_mail_0"})) for c in (one, other)]
            row("FastMCP: call_tool", *called)


def langchain(folder: Path) -> None:
    from langchain.agents import create_agent
    from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
    from langchain_core.messages import AIMessage
    from langchain_core.tools import StructuredTool

    from shgat.integrations.langchain import tool_middleware

    class Model(GenericFakeChatModel):
        def bind_tools(self, tools: Any, **options: Any) -> Any:
            return self

    def forever() -> Any:
        while True:
            yield AIMessage("done")

    tools = [StructuredTool.from_function(lambda path="": "done", name=n, description=d) for n, d in SAID.items()]
    with ToolSearch.open(tools, f"sqlite:///{folder / 'langchain.db'}", mode="off") as search:
        agents = [create_agent(Model(messages=forever()), tools, middleware=m) for m in ([], [tool_middleware(search)])]
        row(
            "LangChain: one model call",
            *(median(lambda w, a=a: a.invoke({"messages": [{"role": "user", "content": w}]})) for a in agents),
        )


async def litellm(folder: Path) -> None:
    import litellm as host

    from shgat.integrations.litellm import tool_callback

    async def complete(wish: str) -> None:
        await host.acompletion(model="gpt-4o", messages=[{"role": "user", "content": wish}], tools=CHAT, mock_response="done")

    own = await amedian(complete)
    with ToolSearch.open(CHAT, f"sqlite:///{folder / 'litellm.db'}", mode="off") as search:
        host.callbacks = [tool_callback(search)]
        row("LiteLLM: one acompletion (mocked)", own, await amedian(complete))


def main() -> None:
    print(f"{'milliseconds of processor time':<34} {'host':>9} {'with it':>9} {'added':>9}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with ToolSearch.open(CHAT, f"sqlite:///{folder / 'chat.db'}", mode="off") as search:
            functions(search)
        asyncio.run(fastmcp(folder))
        langchain(folder)
        asyncio.run(litellm(folder))


if __name__ == "__main__":
    main()
