"""Searches of one conversation: which of them a call follows, and which ask for much the same again."""

from collections import deque
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from .._types import Float32
from ..model.words import asked

KEPT = 32  # searches of one conversation that are remembered
ALIKE, EQUAL = 0.6, 0.75  # cosines from which two queries ask for much the same; and from which what answers one answers the other
SHARED = 0.5  # share of their words, or of the tools offered, where there is no embedding
PERSISTENT = 3  # searches in a row for much the same from which an answer says so


@dataclass(eq=False)
class Search:
    """One answered search.

    Attributes
    ----------
    decision : its id, "" where nothing was written down
    offered : the tools, best first
    unit : (d,) of the query, of length 1; None where it has none
    words : of the query
    explicit : did the model ask for it, and not the host on its behalf?
    calls : that followed it
    told : (tool, outcome) of calls that something was learned from
    """

    decision: str
    offered: tuple[str, ...]
    unit: Float32 | None = None
    words: frozenset[str] = frozenset()
    explicit: bool = True
    calls: int = 0
    told: set[tuple[str, float]] = field(default_factory=set)

    @classmethod
    def of(
        cls, decision: str, offered: Collection[str], query: str, unit: Float32 | None = None, explicit: bool = True
    ) -> "Search":
        """Of a query, of which the words alone are kept."""
        return cls(decision, tuple(offered), unit, frozenset(asked(query)), explicit)

    def is_like(self, other: "Search", least: float = ALIKE) -> bool:
        """Do both ask for much the same: by meaning where both have one, else by their words or by what answers them?"""
        if self.unit is not None and other.unit is not None:
            return float(self.unit @ other.unit) >= least
        return _share(self.words, other.words) >= SHARED or _share(set(self.offered), set(other.offered)) >= SHARED


class History(deque[Search]):
    """The latest searches of one conversation, the latest last."""

    def __init__(self, searches: Sequence[Search] = (), kept: int = KEPT) -> None:
        super().__init__(searches, kept)

    def in_a_row(self, search: Search) -> int:
        """How many searches for much the same this one is, with nothing called since the first."""
        return 1 + sum(1 for _ in self._before(search)) if search.explicit else 1

    def following(self, tool: str, decision: str = "") -> Search | None:
        """The search that a call of a tool follows: the one it names, else the latest that offered the tool."""
        named = next((s for s in reversed(self) if decision and s.decision == decision), None)
        return named or next((s for s in reversed(self) if tool in s.offered), None)

    def missed(self, search: Search) -> list[Search]:
        """The searches before it for the same, with nothing called since: what answers it would have answered them."""
        return [other for other in self._before(search) if other.is_like(search, EQUAL)] if search.explicit else []

    def _before(self, search: Search) -> Iterator[Search]:
        earlier = list(self)
        if search in earlier:
            earlier = earlier[: earlier.index(search)]
        for other in reversed(earlier):
            if other.calls or not other.explicit or not other.is_like(search):
                return
            yield other


def note(n: int, anything: bool, where: str = "") -> str:
    """What to tell a model of the n-th search in a row for much the same, "" for nothing.

    Parameters
    ----------
    anything : was any tool offered?
    where : what else helps
    """
    if n >= PERSISTENT:
        return (
            f"This is search {n} in a row for much the same, and nothing was called. If none of these tools does it, no tool here "
            f"does: tell the user so instead of searching again, or search for one step of it.{where}"
        )
    return "" if anything else f"No tool here answers this. Tell the user so, or search for one step of it.{where}"


def _share(one: Collection[str], other: Collection[str]) -> float:
    """Of all that both have, what they have in common; 0 where they have nothing."""
    together = set(one) | set(other)
    return len(set(one) & set(other)) / len(together) if together else 0.0
