"""Business rules over a ranking: what comes first, what is lifted or put down, what nobody gets, how many tokens an answer may cost."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Self

from .. import _check
from ..errors import InputError
from ..graph import Capability, Tool
from .items import Items

CHARACTERS = 4  # of a token of English or JSON, about
LARGEST_BOOST = 1e6


@dataclass(frozen=True)
class Rules:
    """Checked at construction; the same for the same request, always.

    Attributes
    ----------
    pin : ids that come first, in this order, where the request may have them
    boost : id -> factor on the odds of its score: above 1 lifts it, below 1 puts it down
    block : ids that nobody gets, be they pinned or not
    budget : tokens that an answer may cost, None for any; in the order of the answer, what does not fit is left out
    tokens : id -> what its definition costs; of others a quarter of the characters of id and text

    Raises
    ------
    InputError
        for ids that are no strings, and factors, budgets or costs that are no numbers above 0.
    """

    pin: tuple[str, ...] = ()
    boost: Mapping[str, float] = field(default_factory=dict)
    block: frozenset[str] = frozenset()
    budget: int | None = None
    tokens: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        checked: dict[str, Any] = {
            "pin": tuple(dict.fromkeys(_check.texts(self.pin, "rules: pin"))),
            "block": frozenset(_check.texts(self.block, "rules: block")),
            "boost": {
                i: _check.number(f, 1e-6, LARGEST_BOOST, f"rules: boost of {i!r:.100}") for i, f in _pairs(self.boost, "boost")
            },
            "tokens": {i: _check.positive_integer(n, f"rules: tokens of {i!r:.100}") for i, n in _pairs(self.tokens, "tokens")},
            "budget": None if self.budget is None else _check.positive_integer(self.budget, "rules: budget"),
        }
        vars(self).update(checked)  # it is frozen for everybody else

    @classmethod
    def of(cls, given: "Rules | Mapping[str, Any] | None") -> Self:
        """From a mapping of the same names too; None: none."""
        if given is None:
            return cls()
        if isinstance(given, cls):
            return given
        if not isinstance(given, Mapping) or (strange := set(given) - {f.name for f in fields(cls)}):
            raise InputError(f"rules are a Rules or a mapping of {', '.join(f.name for f in fields(cls))}, not {_check.brief(given)}"
                             if not isinstance(given, Mapping) else f"rules: unknown {sorted(map(str, strange))[0]!r:.100}")  # fmt: skip
        return cls(**given)

    def with_those(self, of_request: "Rules") -> "Rules":
        """These and a request's: blocks of both, pins of these first, factors multiplied, the smaller budget."""
        if NO_RULES in (self, of_request):
            return of_request if self == NO_RULES else self
        boost = {i: self.boost.get(i, 1.0) * of_request.boost.get(i, 1.0) for i in (*self.boost, *of_request.boost)}
        budgets = [b for b in (self.budget, of_request.budget) if b is not None]
        return Rules(
            (*self.pin, *of_request.pin), boost, self.block | of_request.block, min(budgets, default=None),
            {**self.tokens, **of_request.tokens},
        )  # fmt: skip

    @property
    def sought(self) -> tuple[str, ...]:
        """Ids that need a score wherever the model has them."""
        return tuple(dict.fromkeys((*self.pin, *self.boost)))

    def cost(self, node: Tool | Capability | None, item: str) -> int:
        """Tokens of one item."""
        known = self.tokens.get(item)
        return known if known is not None else -(-(len(item) + (0 if node is None else len(node.text))) // CHARACTERS)

    def boosted(self, items: Items) -> Items:
        """In the order of their scores with the factors in them; equal ones as they stood."""
        if not self.boost.keys() & set(items.ids):
            return items
        scores = [_lifted(s, self.boost.get(i, 1.0)) for i, s in zip(items.ids, items.scores, strict=True)]
        order = sorted(range(len(scores)), key=lambda at: -scores[at])
        return items.at(order, tuple(scores[at] for at in order))

    def pinned(self, items: Items) -> Items:
        """The pinned ones first."""
        place = {item: at for at, item in enumerate(items.ids)}
        first = dict.fromkeys(place[i] for i in self.pin if i in place)
        return items.at([*first, *(at for at in range(len(items.ids)) if at not in first)]) if first else items

    def affordable(self, items: Items, node: Callable[[str], Tool | Capability | None]) -> tuple[Items, list[tuple[str, int]]]:
        """What fits into the budget, in order, and what does not with its tokens."""
        if self.budget is None:
            return items, []
        left, kept, over = self.budget, list[int](), list[tuple[str, int]]()
        for at, item in enumerate(items.ids):
            cost = self.cost(node(item), item)
            if cost <= left:
                kept.append(at)
                left -= cost
            else:
                over.append((item, cost))
        return (items.at(kept) if over else items), over

    def touched(
        self, shown: Sequence[str], over: Iterable[tuple[str, int]], known: Mapping[str, int]
    ) -> tuple[tuple[str, str], ...]:
        """(id, rule) of everything in the answer, or kept out of it, that a rule had a say in."""
        pins = set(self.pin)
        said = [(i, "pinned") for i in shown if i in pins]
        said += [(i, f"odds times {self.boost[i]:g}") for i in shown if i in self.boost]
        said += [(i, "blocked") for i in sorted(self.block) if i in known]
        return (*said, *((i, f"left out: its {cost} tokens do not fit into {self.budget}") for i, cost in over))


def _lifted(score: float, factor: float) -> float:
    """Its odds times the factor."""
    return score if factor == 1.0 else factor * score / (factor * score + 1.0 - score)


def _pairs(value: object, what: str) -> Iterable[tuple[str, Any]]:
    if not isinstance(value, Mapping):
        raise InputError(f"rules: {what} is a mapping from ids, not {_check.brief(value)}")
    return [(_check.text(key, f"rules: an id of {what}"), number) for key, number in value.items()]


NO_RULES = Rules()
