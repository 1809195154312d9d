"""What each client searched and called."""

from collections import OrderedDict, deque
from dataclasses import dataclass, field

from .. import _ids
from ..serving.searches import History, Search

MOST, USED = 1000, 20  # sessions, and tools of one, that are remembered


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
    searches: History = field(default_factory=History)
    used: deque[str] = field(default_factory=lambda: deque(maxlen=USED))
    listed: list[str] = field(default_factory=list)
    told: set[tuple[str, float]] = field(default_factory=set)


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
