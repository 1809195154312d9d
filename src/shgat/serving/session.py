"""Sessions whose sets of tools only grow, so that the beginning of a prompt stays the same and its cache stays warm."""

import threading
from collections import OrderedDict
from collections.abc import Container, Iterable, Mapping, Sequence

from .. import _fork
from ..graph import Catalog

MOST = 10_000  # sessions remembered, the latest
MOST_ITEMS = 256  # of a set
MOST_BYTES = 64 << 20  # of all sets, about
_ITEM_BYTES, _SET_BYTES = 120, 600  # beside the characters of ids


class Sessions:
    """What each session has been shown, in the order in which it was.

    Parameters
    ----------
    most : sessions; the one that was asked for longest ago is forgotten first
    most_items : of a set; one that grows beyond keeps the half that was wanted latest, and what the request wants
    most_bytes : of all sets together, about
    """

    def __init__(self, most: int = MOST, most_items: int = MOST_ITEMS, most_bytes: int = MOST_BYTES) -> None:
        self._most, self._most_items, self._most_bytes = most, most_items, most_bytes
        self._lock = threading.Lock()
        self._sets: OrderedDict[tuple[str, str], _Set] = OrderedDict()
        self.bytes = 0
        _fork.renew(self)

    def after_fork(self) -> None:
        """A thread of the parent may have held the lock."""
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._sets)

    def restore(self, shown: Iterable[tuple[str, str, Sequence[str]]], catalog: Catalog) -> None:
        """What sessions were shown before a restart, oldest first, as the store has it."""
        for principal, session, ids in shown:
            capabilities = any(i in catalog.capability_column for i in ids) and not any(i in catalog.tool_column for i in ids)
            self.grown(
                whose(principal, session), "capabilities" if capabilities else "tools", ids, {i: at for at, i in enumerate(ids)}, ()
            )

    def grown(
        self, session: str, kind: str, ids: Sequence[str], column: Mapping[str, int], allowed: Container[str]
    ) -> tuple[str, ...]:
        """What was shown before and is still allowed, then what is new in catalogue order (ids that the catalogue does not know last).

        What is not allowed now keeps its place for a request that allows it again: any two items always stand in the same order.
        """
        with self._lock:
            shown = self._sets.pop((session, kind), None)
            if shown is None:
                shown = _Set(session)
            else:
                self.bytes -= shown.bytes
            shown.want(ids, column)
            if len(shown.items) > self._most_items:
                shown.halve(ids, self._most_items)
            answer = tuple(i for i in shown.items if i in allowed)
            self._sets[session, kind] = shown
            self.bytes += shown.bytes
            while len(self._sets) > self._most or (self.bytes > self._most_bytes and self._sets):
                self.bytes -= self._sets.popitem(last=False)[1].bytes
            return answer


def whose(principal: str, session: str) -> str:
    """The key of a principal's session: another principal's of the same name is another one. Neither holds U+0000."""
    return f"{principal}\0{session}" if principal else session


class _Set:
    """The items of one session in the order in which they were shown, each with the number of the latest request that wanted it."""

    __slots__ = ("bytes", "items", "requests")

    def __init__(self, session: str) -> None:
        self.items: dict[str, int] = {}
        self.requests = 0
        self.bytes = _SET_BYTES + len(session)

    def want(self, ids: Sequence[str], column: Mapping[str, int]) -> None:
        self.requests += 1
        fresh = [i for i in dict.fromkeys(ids) if i not in self.items]
        fresh.sort(key=lambda i: column.get(i, len(column)))  # stable
        self.items.update(dict.fromkeys(fresh, 0))
        self.items.update(dict.fromkeys(ids, self.requests))
        self.bytes += _size(fresh)

    def halve(self, ids: Sequence[str], most: int) -> None:
        """Leaves the half that was wanted latest, `ids` in any case, in the same order."""
        latest = sorted(self.items, key=self.items.__getitem__, reverse=True)[: most // 2]
        kept = {*latest, *ids}
        self.bytes -= _size([i for i in self.items if i not in kept])
        self.items = {i: n for i, n in self.items.items() if i in kept}


def _size(ids: Sequence[str]) -> int:
    return sum(_ITEM_BYTES + len(i) for i in ids)
