"""The order of one answer: rules, what is explored, the order of a session, and the budget."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ..graph import Capability, Tool
from ..store import Ranked
from .exploration import Draw, Explorer
from .items import CATALOGUE, Found
from .request import Request


@dataclass(frozen=True, eq=False)
class Arrangement:
    """Of one request.

    Attributes
    ----------
    node : id -> record of the catalogue, None for what it does not know
    """

    request: Request
    node: Callable[[str], Tool | Capability | None]

    def ruled(self, found: Found) -> Found:
        """Boosted ones by their new scores, pinned ones first; there may be more than the request asks for."""
        rules = self.request.rules
        return replace(found, items=rules.pinned(rules.boosted(found.items))) if rules.sought else found

    def cut(self, found: Found) -> Found:
        """As many as the request asks for."""
        k = self.request.k
        return found if len(found.items.ids) <= k else replace(found, items=found.items.at(range(k)))

    def explored(self, found: Found, explorer: Explorer) -> tuple[Found, tuple[Ranked, ...]]:
        """The answer with its last places drawn, and what is to be written down of it; () where it is the ranking's alone."""
        k, how = self.request.k, explorer.how
        ids = found.items.ids
        first = max(k - how.places, len([i for i in self.request.rules.pin if i in ids[:k]]), 1)
        places = k - first
        if places < 1 or len(ids) <= k or found.by == CATALOGUE or (how.by == "thompson" and not found.items.calibrated):
            return self.cut(found), ()
        pool = self._pool(found, first, places)[: how.pool]
        draw = explorer.draw([found.items.scores[at] for at in pool], places)
        if draw is None:
            return self.cut(found), ()
        chosen = [*range(first), *(pool[i] for i in draw.order)]
        return replace(found, items=found.items.at(chosen)), _written(ids, first, pool, draw)

    def _pool(self, found: Found, first: int, places: int) -> list[int]:
        """Positions behind the first ones whose items fit into the budget whichever of them are drawn; strangers take no part."""
        rules, ids, column = self.request.rules, found.items.ids, found.eligible.column
        rest = [at for at in range(first, len(ids)) if ids[at] in column]
        if rules.budget is None:
            return rest
        left = rules.budget - sum(rules.cost(self.node(i), i) for i in ids[:first])
        return [at for at in rest if rules.cost(self.node(ids[at]), ids[at]) * places <= left]

    def afforded(self, found: Found) -> Found:
        """What fits into the budget, and what rules did where the request wants to know."""
        request = self.request
        over: list[tuple[str, int]] = []
        if request.rules.budget is not None:
            items, over = request.rules.affordable(found.items, self.node)
            found = replace(found, items=items)
        if not request.explain:
            return found
        gone = {i: "excluded" for i in request.filters.exclude if i in found.eligible.column}
        touched = request.rules.touched(found.items.ids, over, found.eligible.column)
        return replace(found, rules=(*touched, *sorted(gone.items())))


def _written(ids: Sequence[str], first: int, pool: Sequence[int], draw: Draw) -> tuple[Ranked, ...]:
    """What is shown, and then what might have been."""
    certain = [Ranked(ids[at], at + 1) for at in range(first)]
    chances = [tuple((first + p + 1, float(c)) for p, c in enumerate(row)) for row in draw.chances]
    drawn = [Ranked(ids[pool[i]], first + p + 1, float(draw.chances[i, p]), chances[i]) for p, i in enumerate(draw.order)]
    other = [Ranked(ids[pool[i]], 0, 0.0, chances[i]) for i in range(len(chances)) if i not in draw.order]
    return (*certain, *drawn, *other)
