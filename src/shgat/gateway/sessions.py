"""What each client searched and called: the search that a call follows, and searches that ask for much the same again."""

from collections import OrderedDict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from .. import _ids
from .._types import Float32

MOST, SEARCHES, USED = 1000, 32, 20  # sessions; searches and tools of one that are remembered
ALIKE, EQUAL = 0.6, 0.75  # cosines from which two queries ask for much the same; and from which what answers one answers the other
ALIKE_WORDS = 0.5  # share of their words, where there is no embedding
PERSISTENT = 3  # searches in a row for much the same from which an answer says so


@dataclass(eq=False)
class Search:
    """One answered search.

    Attributes
    ----------
    decision : its id
    offered : keys of the tools, best first
    unit : (d,) of the query, of length 1; None where it has none
    words : of the query
    calls : that followed it
    told : (key, outcome) of calls that something was learned from
    """

    decision: str
    offered: tuple[str, ...]
    unit: Float32 | None = None
    words: frozenset[str] = frozenset()
    calls: int = 0
    told: set[tuple[str, float]] = field(default_factory=set)

    def is_like(self, other: "Search", least: float = ALIKE) -> bool:
        """Do both ask for much the same?"""
        if self.unit is not None and other.unit is not None:
            return float(self.unit @ other.unit) >= least
        shared, all_words = self.words & other.words, self.words | other.words
        return bool(all_words) and len(shared) >= ALIKE_WORDS * len(all_words)


@dataclass(eq=False)
class Session:
    """One client's.

    Attributes
    ----------
    id : by which decisions name it
    principal : who asks, "" where nobody said
    used : keys of the tools that were called, the latest last
    listed : names that it was shown in the mode "filter", in their order
    told : (key, outcome) of calls without a search that something was learned from
    """

    id: str = field(default_factory=_ids.new)
    principal: str = ""
    searches: deque[Search] = field(default_factory=lambda: deque(maxlen=SEARCHES))
    used: deque[str] = field(default_factory=lambda: deque(maxlen=USED))
    listed: list[str] = field(default_factory=list)
    told: set[tuple[str, float]] = field(default_factory=set)

    def in_a_row(self, search: Search) -> int:
        """How many searches for much the same this one is, with nothing called since the first."""
        return 1 + sum(1 for _ in self._before(search))

    def following(self, key: str, decision: str) -> Search | None:
        """The search that a call of a tool follows: the one it names, else the latest that offered the tool."""
        if decision:
            for search in reversed(self.searches):
                if search.decision == decision:
                    return search
        return next((s for s in reversed(self.searches) if key in s.offered), None)

    def missed(self, search: Search) -> list[Search]:
        """The searches before it for the same, with nothing called since: what answers it would have answered them."""
        return [other for other in self._before(search) if other.is_like(search, EQUAL)]

    def _before(self, search: Search) -> Iterator[Search]:
        earlier: Sequence[Search] = list(self.searches)
        if search in earlier:
            earlier = earlier[: earlier.index(search)]
        for other in reversed(earlier):
            if other.calls or not other.is_like(search):
                return
            yield other


class Sessions:
    """Those of all clients; the one that was heard of longest ago is forgotten first."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._of: OrderedDict[str, Session] = OrderedDict()

    def of(self, key: str, principal: str = "") -> Session:
        """A client's session; those of two principals are two, whatever they are called."""
        key = f"{len(principal)} {principal}{key}"
        found = self._of.get(key)
        if found is None:
            found = self._of[key] = Session(principal=principal)
            while len(self._of) > self._most:
                self._of.popitem(last=False)
        self._of.move_to_end(key)
        return found

    def find(self, decision: str) -> tuple[Session, Search] | None:
        """Whose search it was, whoever asks."""
        for session in reversed(self._of.values()):
            for search in reversed(session.searches):
                if search.decision == decision:
                    return session, search
        return None
