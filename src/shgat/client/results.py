"""What a server answers, as records. Members that a newer server adds are left alone."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Generic, Self, TypeVar

from ..errors import RemoteError

T = TypeVar("T")


class _Record:
    @classmethod
    def of(cls, found: Any) -> Self:
        """From JSON; RemoteError where it is something else."""
        try:
            return cls(**{f.name: found[f.name] for f in fields(cls) if f.name in found})  # type: ignore[arg-type]
        except (TypeError, KeyError):
            raise RemoteError(f"the server answered something else than a {cls.__name__}: is it another version?") from None


@dataclass(frozen=True)
class Item(_Record):
    """One place of a ranking: score in [0, 1]; `tools` of a set; `explanation` where it was asked for."""

    id: str
    score: float
    propensity: float = 1.0
    tools: list[str] | None = None
    explanation: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Ranking(_Record):
    """What fits an intent, best first; as `shgat.serving.Answer`, whose fields these are."""

    decision_id: str
    kind: str
    items: list[Item]
    model_version: str
    ranked_by: str
    calibrated: bool
    degraded: list[str]
    encoder: str = ""
    fallback: bool = False
    rules: list[Mapping[str, str]] = field(default_factory=list)
    latency_ms: float = 0.0

    @classmethod
    def of(cls, found: Any) -> Self:
        """From JSON."""
        items = [Item.of(item) for item in _listed(found, "items")]
        return super().of({**found, "items": items})

    @property
    def ids(self) -> list[str]:
        """Of the items."""
        return [item.id for item in self.items]

    def __iter__(self) -> Iterator[Item]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


@dataclass(frozen=True)
class WhyNot(_Record):
    """Why a tool does not stand first; as `SHGAT.why_not` says it."""

    tool: str
    rank: int
    n_tools: int
    score: float
    sentences: list[str]
    gaps: Mapping[str, float]
    cosine: float
    cosine_rank: int
    blamed: str | None = None


@dataclass(frozen=True)
class Taken(_Record):
    """What became of feedback: "durable", "waiting", or "known", which was not counted again."""

    decision_id: str
    receipt: str
    counted: bool


@dataclass(frozen=True)
class Tool(_Record):
    """A tool of the catalogue."""

    id: str
    text: str
    server: str


@dataclass(frozen=True)
class Capability(_Record):
    """A capability of the catalogue, with its direct members."""

    id: str
    text: str
    level: int
    tools: list[str]
    capabilities: list[str]
    success_rate: float | None
    uses: int


@dataclass(frozen=True)
class Page(Generic[T]):
    """Some of many: `next_offset` is None on the last page."""

    items: list[T]
    total: int
    next_offset: int | None

    @classmethod
    def of(cls, found: Any, read: Callable[[Any], T]) -> "Page[T]":
        """From JSON."""
        return cls([read(item) for item in _listed(found, "items")], found["total"], found.get("next_offset"))


@dataclass(frozen=True)
class Version(_Record):
    """A version of the model."""

    version: int
    aliases: list[str]
    created_at: float
    bytes: int
    traces: int | None = None
    parent: int | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Versions(_Record):
    """All versions, the latest first, and which serves."""

    serving: str
    versions: list[Version]
    aliases: Mapping[str, int]
    moves: list[Mapping[str, Any]]

    @classmethod
    def of(cls, found: Any) -> Self:
        """From JSON."""
        return super().of({**found, "versions": [Version.of(row) for row in _listed(found, "versions")]})


@dataclass(frozen=True)
class Moved(_Record):
    """A move of an alias, and what serves since."""

    move: Mapping[str, Any]
    serving: str


def read_tools(found: Any) -> Page[Tool]:
    """A page of tools from JSON."""
    return Page.of(found, Tool.of)


def read_capabilities(found: Any) -> Page[Capability]:
    """A page of capabilities from JSON."""
    return Page.of(found, Capability.of)


def _listed(found: Any, name: str) -> list[Any]:
    rows = found.get(name) if isinstance(found, dict) else None
    if not isinstance(rows, list):
        raise RemoteError(f"the server answered without {name}: is this the address of a shgat server?")
    return rows
