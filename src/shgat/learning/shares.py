"""How much of what all learn from one principal may give: so that nobody's flood is what everybody learns.

A principal has at most the share s of the traces, or 50 where that is more. Where there are fewer than 1 / s groups, which are the principals
and those whom nobody named together, s is one group's even share. With one group nothing is bounded.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..store import Portion, Reason
from ..store.principals import NEED
from ..traces import Trace

SHARE = 0.25
ALWAYS = 50  # traces of a principal that are heard in any case
SPARE = 0.1  # of its room that has to be free before what was set aside comes back


@dataclass(frozen=True)
class Shares:
    """Room for the traces of each principal.

    Attributes
    ----------
    portions : what there is of each, what was set aside too; "" for those of nobody in particular
    room : principal -> traces that may be learned from, as many as there are where nothing is bounded
    """

    portions: Mapping[str, Portion]
    room: Mapping[str, float]

    @classmethod
    def of(cls, portions: Mapping[str, Portion], share: float = SHARE) -> "Shares":
        """Several floods at once do not make room for each other: what is over in one does not count among the others' traces."""
        sizes = {name: float(sum(portion)) for name, portion in portions.items()}
        if len(sizes) < 2:
            return cls(portions, dict.fromkeys(sizes, math.inf))
        s = max(share, 1.0 / len(sizes))
        if s >= 1.0:
            return cls(portions, dict.fromkeys(sizes, math.inf))
        counted, room = dict(sizes), dict(sizes)
        for _ in range(100):
            total, before = sum(counted.values()), dict(counted)
            room = {name: math.inf if not name else max(float(ALWAYS), s / (1.0 - s) * (total - n)) for name, n in counted.items()}
            counted = {name: min(sizes[name], n) for name, n in room.items()}
            if all(abs(counted[name] - before[name]) < 0.5 for name in counted):
                break
        return cls(portions, room)

    def over(self, traces: Iterable[Trace]) -> dict[str, Reason]:
        """Those of the traces, by id, that are new and for which their principal has no room."""
        left = {name: self.room[name] - self.portions[name].learned for name in self.room}
        found: dict[str, Reason] = {}
        for trace in traces:
            if trace.priority is None and trace.principal in left:
                left[trace.principal] -= 1.0
                if left[trace.principal] < 0.0:
                    found[trace.id] = Reason(
                        f"its principal {trace.principal!r:.60} has its share of what all learn from", NEED + trace.principal
                    )
        return found

    def within(self, traces: Iterable[Trace]) -> list[Trace]:
        """The traces less those beyond the room of their principals, the first ones stay."""
        heard, found = Counter[str](), []
        for trace in traces:
            heard[trace.principal] += 1
            if heard[trace.principal] <= self.room.get(trace.principal, math.inf):
                found.append(trace)
        return found

    def free(self, principal: str) -> bool:
        """Is there room again for what was set aside?"""
        if principal not in self.room:
            return True
        room = self.room[principal]
        heard = self.portions[principal].learned + self.portions[principal].waiting
        return room == math.inf or room - heard >= max(1.0, SPARE * room)
