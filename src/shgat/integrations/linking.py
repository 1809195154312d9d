"""Which search a call follows: the one it names, else the latest of its session that offered the tool; and searches that are one, asked
again and again."""

import threading
from collections import OrderedDict, deque
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from .. import _fork
from ..model.words import asked

MOST, KEPT = 10_000, 16  # sessions, and searches of one, that are remembered
ALIKE = 0.5  # share of the words, or of the tools offered, that two searches for much the same have in common
PERSISTENT = 3  # searches in a row for much the same from which an answer says so


@dataclass(eq=False)
class Search:
    """One answered search.

    Attributes
    ----------
    id : of its decision, "" where nothing was written down
    session : whose it is
    offered : names of the tools, best first
    words : of the query
    explicit : did the model ask for it, and not the host on its behalf?
    calls : that followed it
    """

    id: str
    session: str
    offered: tuple[str, ...]
    words: frozenset[str] = frozenset()
    explicit: bool = True
    calls: int = 0

    @classmethod
    def of(cls, id: str, session: str, offered: Collection[str], query: str, explicit: bool = True) -> "Search":
        """Of a query, of which the words alone are kept."""
        return cls(id, session, tuple(offered), frozenset(asked(query)), explicit)

    def is_like(self, other: "Search") -> bool:
        """Do both ask for much the same, by their words or by what answers them?"""
        return _share(self.words, other.words) >= ALIKE or _share(set(self.offered), set(other.offered)) >= ALIKE


class Searches:
    """The latest searches of each session. Safe from any thread.

    Parameters
    ----------
    most, kept : sessions, and searches of one; what was heard of longest ago is forgotten first
    """

    def __init__(self, most: int = MOST, kept: int = KEPT) -> None:
        self._most, self._kept = most, kept
        self._of: OrderedDict[str, deque[Search]] = OrderedDict()
        self._by_id: OrderedDict[str, Search] = OrderedDict()
        self.after_fork()
        _fork.renew(self)

    def after_fork(self) -> None:
        """A thread of the parent may have held the lock."""
        self._lock = threading.Lock()

    def __contains__(self, session: str) -> bool:
        return session in self._of

    def add(self, search: Search) -> int:
        """One more; how many it makes in a row for much the same, with nothing called since the first."""
        with self._lock:
            latest = self._of.setdefault(search.session, deque(maxlen=self._kept))
            latest.append(search)
            self._of.move_to_end(search.session)
            while len(self._of) > self._most:
                self._of.popitem(last=False)
            if search.id:
                self._by_id[search.id] = search
                while len(self._by_id) > self._most:
                    self._by_id.popitem(last=False)
            return 1 + sum(1 for _ in self._row_before(search)) if search.explicit else 1

    def also(self, session: str, other: str) -> None:
        """Another name for a session's latest search: calls may know it by that alone."""
        with self._lock:
            latest = self._of.get(session)
            if latest and other != session:
                self._of.setdefault(other, deque(maxlen=self._kept)).append(latest[-1])
                self._of.move_to_end(other)

    def followed(self, name: str, session: str, search_id: str = "") -> tuple[Search, list[Search], bool] | None:
        """What a call of a tool follows, noted there. None where no search offered the tool.

        Returns
        -------
        the search; those before it for much the same, after which nothing was called; whether it is the first call after it
        """
        with self._lock:
            search = self._by_id.get(search_id) if search_id else None
            if search is None:
                search = next((s for s in reversed(self._of.get(session, ())) if name in s.offered), None)
            if search is None:
                return None
            missed = [] if search.calls or not search.explicit else list(self._row_before(search))
            search.calls += 1
            return search, missed, search.calls == 1

    def _row_before(self, search: Search) -> Iterator[Search]:
        """The searches before one for much the same, the latest first, up to the first that is another or was followed by a call."""
        earlier = iter(reversed(self._of.get(search.session, ())))
        for other in earlier:
            if other is search:
                break
        for other in earlier:
            if other.calls or not other.explicit or not other.is_like(search):
                return
            yield other


def _share(one: Collection[str], other: Collection[str]) -> float:
    """Of all that both have, what they have in common; 0 where they have nothing."""
    together = set(one) | set(other)
    return len(set(one) & set(other)) / len(together) if together else 0.0
