"""What the OpenAPI document says of bodies and answers."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ..store.aliases import ALIASES, Move
from .asked import MOST

Id = Annotated[str, Field(min_length=1, description="an id of the catalogue")]
Ids = list[str]
Principal = str | int | None
Alias = Literal["production", "staging", "shadow", "canary"]
assert Alias.__args__ == ALIASES  # type: ignore[attr-defined]  # a literal has to be written out
Number = Annotated[float, Field(ge=-1e15, le=1e15)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class RulesBody(_Body):
    """Business rules of one request; those of the server hold besides."""

    pin: Ids | None = None
    boost: dict[str, Annotated[float, Field(gt=0, le=1000)]] | None = None
    block: Ids | None = None
    budget: Annotated[int, Field(ge=1)] | None = None
    tokens: dict[str, Annotated[int, Field(ge=1)]] | None = None


class _Intent(_Body):
    embedding: list[Number] | None = Field(
        None, description="Of the intent, as many numbers as the catalogue's embeddings have, not all of them zero."
    )
    embedding_base64: str | None = Field(
        None,
        description="The same as little-endian float32 in base64 (standard alphabet, with padding): a quarter of the bytes.",
        json_schema_extra={"contentEncoding": "base64"},
    )
    text: str | None = Field(None, description="The intent in words. Alone, a vector is made of it.")
    context_tools: Ids | None = Field(None, description="Tools that the session has used before; unknown ones are left out.")
    principal: Principal = Field(
        None, description="Who asks, where several share the ranker: what they ran themselves counts besides."
    )


class RankBody(_Intent):
    """An intent, and what the answer may hold. One of embedding, embedding_base64 and text is needed."""

    kind: Literal["tools", "capabilities", "sets"] | None = Field(None, description="tools if it is not said.")
    top_k: Annotated[int, Field(ge=1, le=MOST)] | None = Field(None, description="How many items; 10 if it is not said.")
    candidates: Ids | None = Field(None, description="Choose among these alone.")
    servers: Ids | None = Field(None, description="Tools of these servers alone.")
    tags: Ids | None = Field(None, description="Tools of one of these declared capabilities alone.")
    exclude: Ids | None = Field(None, description="What the answer may not hold.")
    rules: RulesBody | None = None
    session: str | int | None = Field(None, description="Whose set grows where the order is stable.")
    order: Literal["score", "stable"] | None = Field(None, description="score if it is not said; stable needs a session.")
    min_score: Annotated[float, Field(ge=0, le=1)] | None = Field(None, description="Leave out what scores less.")
    explain: bool | None = Field(None, description="Also say why.")


class WhyNotBody(_Intent):
    """An intent, and the tool that is asked about. One of embedding, embedding_base64 and text is needed."""

    tool: str


class FeedbackBody(_Body):
    """What was executed after a decision, and how it went. `tools` or a known `capability_id` is needed."""

    decision_id: Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
    outcome: Annotated[float, Field(ge=0, le=1)] | bool = Field(description="0 or false: it failed; 1 or true: it worked.")
    tools: Ids | None = None
    capability_id: str | None = None
    duration_ms: Annotated[float, Field(ge=0, le=1e15)] | None = None
    error: str | None = None
    principal: Principal = Field(None, description="Who ran it, where the decision names nobody.")
    session: str | int | None = Field(None, description="That it is a step of, where the decision names none.")
    step: Annotated[int, Field(ge=0, lt=2**31)] | None = Field(
        None, description="Its number in the session; the next one if it is not said."
    )
    end: Literal["terminal", "truncated"] | None = Field(
        None, description="Whether the session came to its end with it, or was broken off."
    )
    rating: Annotated[float, Field(ge=1, le=5)] | None = Field(None, description="What people said of it, 5 is best.")


class SyncBody(_Body):
    """A `tools/list` snapshot; the catalogue becomes what it holds."""

    snapshot: dict[str, Any] | list[Any] = Field(description="The result of tools/list, pages of it, or a list of definitions.")
    server: str = Field("", description="Whose tools it lists; the others stay. Empty: those of the whole catalogue.")


class PromoteBody(_Body):
    """Which alias is to name the version, and why."""

    alias: Alias = "production"
    why: str = ""
    force: bool = Field(False, description="Past a gate that says no; needs why.")
    percent: Annotated[float, Field(ge=0.1, le=50)] | None = Field(
        None, description="Of the sessions, for a canary; 5 if it is not said."
    )
    hours: Annotated[float, Field(gt=0, le=87600)] | None = Field(None, description="That a canary serves; 24 if it is not said.")


class RollbackBody(_Body):
    """Which alias goes back, and why."""

    alias: Alias = "production"
    why: str = ""


class Item(BaseModel):
    id: str
    score: float
    propensity: float | None = None
    tools: list[str] | None = Field(None, description="Of a set: all tools that it needs.")
    explanation: dict[str, Any] | None = Field(None, description="Where it was asked for.")


class RuleSaid(BaseModel):
    id: str
    rule: str


class RankAnswer(BaseModel):
    decision_id: str = Field(description="What feedback refers to.")
    kind: str
    items: list[Item] = Field(description="Best first.")
    model_version: str
    ranked_by: str = Field(description='"model", or what stood in for it.')
    encoder: str
    calibrated: bool = Field(description="Is a score the probability that its tool is right?")
    degraded: list[str] = Field(description="Why the answer or its record is less than it should be.")
    fallback: bool
    rules: list[RuleSaid]
    latency_ms: float


class Carrier(BaseModel):
    id: str
    probability: float
    rank: int


class Scored(BaseModel):
    id: str
    score: float


class WhyNotAnswer(BaseModel):
    sentences: list[str] = Field(description="The rest in words.")
    blamed: str | None
    tool: str
    n_tools: int
    rank: int
    cosine_rank: int
    score: float
    cosine: float
    probability: float | None
    gaps: dict[str, float]
    above: list[Scored]
    carrier: Carrier | None
    carrier_of_first: Carrier | None
    seen: bool | None
    traces: int


class FeedbackAnswer(BaseModel):
    decision_id: str
    receipt: Literal["durable", "waiting", "known"] = Field(description='"known": the decision has its feedback already.')
    counted: bool


class ToolRow(BaseModel):
    id: str
    text: str
    server: str


class CapabilityRow(BaseModel):
    id: str
    level: int
    text: str
    uses: int
    success_rate: float | None
    capabilities: list[str]
    tools: list[str]


class ToolPage(BaseModel):
    items: list[ToolRow]
    total: int
    next_offset: int | None


class CapabilityPage(BaseModel):
    items: list[CapabilityRow]
    total: int
    next_offset: int | None


class GraphNode(BaseModel):
    kind: Literal["tool", "capability"]
    id: str
    text: str
    server: str | None = None
    level: int | None = None
    success_rate: float | None = None
    uses: int | None = None
    size: int | None = None


class GraphAnswer(BaseModel):
    focus: GraphNode | None
    parents: list[GraphNode]
    members: list[GraphNode]
    more: int


class DifferenceRow(BaseModel):
    added: list[str]
    changed: list[str]
    removed: list[str]


class SyncAnswer(BaseModel):
    tools: DifferenceRow
    capabilities: DifferenceRow
    renamed: dict[str, str]
    left_out: list[str]


class VersionRow(BaseModel):
    version: int
    aliases: list[str]
    created_at: float
    trained_at: float | None
    parent: int | None
    bytes: int
    catalog: str | None
    encoder: str | None
    traces: int | None
    reason: str | None
    validation: dict[str, dict[str, float | None]]


class ModelsAnswer(BaseModel):
    serving: str
    versions: list[VersionRow]
    aliases: dict[str, int]
    moves: list[Move]


class MovedAnswer(BaseModel):
    move: Move
    serving: str


class StatsAnswer(BaseModel):
    ranker: dict[str, Any]
    server: dict[str, Any]


class HistoryAnswer(BaseModel):
    usefulness: list[dict[str, Any]]
    samples: list[dict[str, Any]]
    every: float
    group: int


class AlertsAnswer(BaseModel):
    firing: list[dict[str, Any]]
    ended: list[dict[str, Any]]
    every: float
    rules: list[dict[str, Any]]
    trouble: str


class Status(BaseModel):
    status: str


class ProblemDocument(BaseModel):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    request_id: str
