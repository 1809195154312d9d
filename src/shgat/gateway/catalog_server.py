"""An MCP server over one ranker, for gateways of others: discover, suggest, feedback, explain."""

from typing import Annotated, Any

from mcp.server.caching import CacheHint
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ToolAnnotations
from pydantic import BaseModel, Field

from .. import __version__
from ..errors import InputError, ShgatError
from ..serving import Answer, Ranker
from .searching import next_tools

MOST = 50  # tools of an answer
FRESH_MS = 3_600_000  # for as long the list of tools may be kept: it never changes
Intent = Annotated[str, Field(min_length=1, max_length=8192, description="What is to be done, in words.")]
TopK = Annotated[int, Field(ge=1, le=MOST, description="How many tools.")]
Used = Annotated[list[str], Field(max_length=200, description="Ids of tools that the session used before, the latest last.")]


class RankedTool(BaseModel):
    """One tool of an answer."""

    id: str
    server: str
    text: str
    score: float = Field(description="In [0, 1]; the probability that it is right where `calibrated`.")


class Ranking(BaseModel):
    """Tools, best first."""

    decision_id: str = Field(description="What `feedback` refers to.")
    tools: list[RankedTool]
    calibrated: bool
    ranked_by: str
    model_version: str
    degraded: list[str] = Field(description="Why it is less than it should be; empty where all is well.")


class Taken(BaseModel):
    """What became of feedback."""

    receipt: str = Field(description="durable, waiting, or known: the decision had its feedback already.")


class Place(BaseModel):
    """Why a tool stands where it stands."""

    tool: str
    rank: int
    of: int
    score: float
    sentences: list[str]


def catalog_server(ranker: Ranker) -> MCPServer:
    """The server; its list of tools is always the same."""
    homes = sorted({t.server for t in ranker.catalog.tools if t.server})
    shown = ", ".join(homes[:50]) + (f" and {len(homes) - 50} more" if len(homes) > 50 else "")
    of = f"{len(ranker.catalog.tools)} tools" + (f" of these servers: {shown}" if homes else "")
    server = MCPServer(
        "shgat", version=__version__, title="shgat", log_level="WARNING",
        instructions=f"Ranks {of}. Ask discover for the tools for an intent, and tell feedback what came of them.",
        cache_hints={"tools/list": CacheHint(ttl_ms=FRESH_MS, scope="private")},
    )  # fmt: skip
    seen = ToolAnnotations(read_only_hint=True, open_world_hint=False)

    @server.tool(title="Find tools", description=f"The tools for an intent, among {of}.", annotations=seen)
    async def discover(
        intent: Intent,
        context_tools: Used = [],  # noqa: B006
        servers: Annotated[list[str] | None, Field(description="Names of servers to choose among; null: all.")] = None,
        top_k: TopK = 5,
    ) -> Ranking:
        with _Refusals():
            return _ranking(ranker, await ranker.arank(None, top_k, text=intent, context_tools=context_tools, servers=servers))

    @server.tool(
        title="What next?", description="The tools that are likely to be needed after those that were used.", annotations=seen
    )
    async def suggest(context_tools: Used, top_k: TopK = 5) -> Ranking:
        with _Refusals():
            answer = next_tools(ranker, context_tools, top_k)
            if answer is None:
                raise InputError("of the context_tools the catalogue knows none; ask discover")
            return _ranking(ranker, answer)

    @server.tool(
        title="What came of it",
        description="What was executed after a decision and how it went; of several, the first counts.",
        annotations=ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=True, open_world_hint=False),
    )
    async def feedback(
        decision_id: Annotated[str, Field(description="Of the answer of discover or suggest.")],
        tools: Annotated[list[str], Field(min_length=1, max_length=200, description="Ids of the tools that were run.")],
        outcome: Annotated[float, Field(ge=0.0, le=1.0, description="0 (failed) to 1 (worked).")],
        duration_ms: Annotated[float | None, Field(ge=0.0)] = None,
        error: Annotated[str | None, Field(max_length=1000, description="One line without arguments or results.")] = None,
    ) -> Taken:
        with _Refusals():
            taken = await ranker.afeedback(decision_id, tools=tools, outcome=outcome, duration_ms=duration_ms, error=error)
        return Taken(receipt=taken.name.lower())

    @server.tool(title="Why there?", description="Why a tool stands where it stands for an intent.", annotations=seen)
    async def explain(intent: Intent, tool: str, context_tools: Used = []) -> Place:  # noqa: B006
        with _Refusals():
            found = ranker.why_not(ranker.nearest(intent).vector, tool, text=intent, context_tools=context_tools)
        return Place(tool=found.tool, rank=found.rank, of=found.n_tools, score=found.score, sentences=found.sentences())

    return server


class _Refusals:
    """What is refused reaches the client as it is said."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, ShgatError):
            raise ToolError(str(error)) from None


def _ranking(ranker: Ranker, answer: Answer) -> Ranking:
    tools, column = ranker.catalog.tools, ranker.catalog.tool_column
    return Ranking(
        decision_id=answer.decision_id, calibrated=answer.calibrated, ranked_by=answer.ranked_by, model_version=answer.model_version,
        degraded=list(answer.degraded),
        tools=[
            RankedTool(id=i, server=tools[column[i]].server, text=tools[column[i]].text, score=score) for i, score in answer if i in column
        ],
    )  # fmt: skip
