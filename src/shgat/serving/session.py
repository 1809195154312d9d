"""Sessions whose sets of tools only grow, so that the beginning of a prompt stays the same and its cache stays warm."""

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence

from .. import _fork

MOST = 10_000  # sessions remembered, the latest


class Sessions:
    """What each session has been shown, in the order in which it was."""

    def __init__(self, most: int = MOST) -> None:
        self._most, self._lock = most, threading.Lock()
        self._shown: OrderedDict[tuple[str, str], tuple[str, ...]] = OrderedDict()
        _fork.renew(self)

    def after_fork(self) -> None:
        """A thread of the parent may have held the lock."""
        self._lock = threading.Lock()

    def grown(self, session: str, kind: str, ids: Sequence[str], column: Mapping[str, int]) -> tuple[str, ...]:
        """What was shown before, then what is new in catalogue order (ids that the catalogue does not know last, as they came)."""
        with self._lock:
            before = self._shown.pop((session, kind), ())
            fresh = [i for i in dict.fromkeys(ids) if i not in before]
            fresh.sort(key=lambda i: column.get(i, len(column)))  # stable
            self._shown[session, kind] = now = (*before, *fresh)
            while len(self._shown) > self._most:
                self._shown.popitem(last=False)
            return now
