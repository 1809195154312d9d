"""Which search a call follows, over many conversations: the one it names, else the latest of its session that offered the tool."""

import threading
from collections import OrderedDict

from .. import _fork
from ..serving.searches import History, Search

MOST, KEPT = 10_000, 16  # sessions, and searches of one, that are remembered


class Searches:
    """The latest searches of each session. Safe from any thread.

    Parameters
    ----------
    most, kept : sessions, and searches of one; what was heard of longest ago is forgotten first
    """

    def __init__(self, most: int = MOST, kept: int = KEPT) -> None:
        self._most, self._kept = most, kept
        self._of: OrderedDict[str, History] = OrderedDict()
        self._by_id: OrderedDict[str, Search] = OrderedDict()
        self.after_fork()
        _fork.renew(self)

    def after_fork(self) -> None:
        """A thread of the parent may have held the lock."""
        self._lock = threading.Lock()

    def __contains__(self, session: str) -> bool:
        return session in self._of

    def add(self, session: str, search: Search) -> int:
        """One more of a session; how many it makes in a row for much the same, with nothing called since the first."""
        with self._lock:
            latest = self._of.setdefault(session, History(kept=self._kept))
            latest.append(search)
            self._of.move_to_end(session)
            while len(self._of) > self._most:
                self._of.popitem(last=False)
            if search.decision:
                self._by_id[search.decision] = search
                while len(self._by_id) > self._most:
                    self._by_id.popitem(last=False)
            return latest.in_a_row(search)

    def also(self, session: str, other: str) -> None:
        """Another name for a session's latest search: calls may know it by that alone."""
        with self._lock:
            latest = self._of.get(session)
            if latest and other != session:
                self._of.setdefault(other, History(kept=self._kept)).append(latest[-1])
                self._of.move_to_end(other)

    def followed(self, name: str, session: str, search_id: str = "") -> tuple[Search, list[Search], bool] | None:
        """What a call of a tool follows, noted there. None where no search offered the tool.

        Returns
        -------
        the search; those before it for much the same, after which nothing was called; whether it is the first call after it
        """
        with self._lock:
            history = self._of.get(session, History())
            search = (self._by_id.get(search_id) if search_id else None) or history.following(name)
            if search is None:
                return None
            missed = [] if search.calls else history.missed(search)
            search.calls += 1
            return search, missed, search.calls == 1
