"""A request as a gateway makes it: what is a mistake is refused, what is only careless is understood and said."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypedDict

import numpy as np

from .. import _check
from ..errors import InputError
from ..model import intents
from ..model.candidates import KINDS, Kind
from .filters import NO_FILTERS, Filters
from .rules import NO_RULES, Rules
from .session import whose

Order = Literal["score", "stable"]
ORDERS: tuple[Order, Order] = ("score", "stable")
LONGEST_TEXT = 32_768  # characters of an intent's text that are read and kept


class Options(TypedDict, total=False):
    """The options of `Ranker.rank`, where they are described."""

    text: str | None
    context_tools: Iterable[str] | None
    candidates: Iterable[str] | None
    servers: Iterable[str] | None
    tags: Iterable[str] | None
    exclude: Iterable[str]
    rules: Rules | Mapping[str, Any] | None
    session: str | int | uuid.UUID | None
    principal: str | int | uuid.UUID | None
    order: Order
    min_score: float | None
    explain: bool


@dataclass(frozen=True, eq=False)
class Request:
    """What is asked for, checked; see `Ranker.rank`.

    Attributes
    ----------
    intent : as it came, still to be checked against the catalogue; None where there is only text
    k : how many items
    text : that every store and file can hold, or None
    context : tools of the catalogue
    filters : what of the catalogue it may have
    rules : business rules of the ranker and of the request
    session : None where there is none
    principal : who asks, "" where nobody said
    why : what of the request could not be used as it was
    blinded : what is written down in place of the text, "" where that is the text
    """

    intent: object
    k: int
    kind: Kind = "tools"
    text: str | None = None
    context: tuple[str, ...] = ()
    filters: Filters = NO_FILTERS
    rules: Rules = NO_RULES
    session: str | None = None
    order: Order = "score"
    min_score: float | None = None
    explain: bool = False
    why: tuple[str, ...] = ()
    principal: str = ""
    blinded: str = ""

    @property
    def sessions_key(self) -> str | None:
        """Of the session among those of all principals."""
        return None if self.session is None else whose(self.principal, self.session)

    @property
    def words(self) -> str | None:
        """What is looked up of the text: itself, for descriptions, and what is written down of it, for what was learned."""
        return f"{self.text} {self.blinded}" if self.blinded else self.text

    @classmethod
    def of(
        cls,
        tools: Mapping[str, int],
        intent: object,
        top_k: object,
        kind: object,
        *,
        text: object = None,
        context_tools: object = (),
        candidates: object = None,
        servers: object = None,
        tags: object = None,
        exclude: object = (),
        rules: Any = None,
        standing: Rules = NO_RULES,
        session: object = None,
        principal: object = None,
        order: object = "score",
        min_score: object = None,
        explain: object = False,
    ) -> "Request":
        """From what `Ranker.rank` was given.

        Parameters
        ----------
        tools : the catalogue's, by id
        standing : rules of the ranker

        Raises
        ------
        InputError
            for what no request can mean.
        """
        why: list[str] = []
        said = intents.text(text)
        if isinstance(intent, str):
            said, intent = intent if said is None else said, None
        key = named(session, "session")
        if _check.choice(order, ORDERS, "order") == "stable" and key is None:
            raise InputError("order='stable' needs the session whose set grows")
        return cls(
            intent,
            _check.positive_integer(top_k, "top_k"),
            _check.choice(kind, KINDS, "kind"),
            None if said is None else _readable(said, why),
            _context(context_tools, tools, why),
            _filters(candidates, servers, tags, exclude, why),
            standing if rules is None else standing.with_those(Rules.of(rules)),
            key,
            "stable" if order == "stable" else "score",
            None if min_score is None else _check.number(min_score, 0.0, 1.0, "min_score"),
            _check.flag(explain, "explain"),
            tuple(why),
            named(principal, "principal") or "",
        )


def requests_of(
    tools: Mapping[str, int],
    given: object,
    texts: object,
    top_k: object,
    kind: object,
    options: Options,
    standing: Rules = NO_RULES,
) -> list[Request]:
    """One for each of several intents, which share all options; see `Ranker.rank_many`."""
    rows = intents.rows(given)
    if "text" in options:
        raise InputError("text belongs to one intent; give texts=, one for each")
    if texts is not None and (isinstance(texts, (str, bytes)) or not isinstance(texts, Iterable)):
        raise InputError(f"texts is a list of strings, one for each intent, not {type(texts).__name__}")
    spoken = [None] * len(rows) if texts is None else list(texts)
    if len(spoken) != len(rows):
        raise InputError(f"texts: {len(spoken)} for {len(rows)} intents")
    shared: dict[str, Any] = {**options}
    for name in ("candidates", "servers", "tags", "exclude", "context_tools"):
        if shared.get(name) is not None:
            shared[name] = listed(shared[name], name)  # an iterator is read once
    return [Request.of(tools, x, top_k, kind, text=text, standing=standing, **shared) for x, text in zip(rows, spoken, strict=True)]


def listed(value: object, what: str) -> list[Any]:
    """The items of a list of ids, whatever they are; text is no list."""
    if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
        remedy = f"; write {what}=[{value!r:.60}]" if isinstance(value, str) else ""
        raise InputError(f"{what} is a list of ids, not {type(value).__name__}{remedy}")
    return list(value)


def identifier(value: object, what: str) -> str:
    """An id, which is a string."""
    if isinstance(value, str):
        return str(value)  # NumPy's strings too
    remedy = f'; ids are strings: write "{value}"' if isinstance(value, (int, np.integer, uuid.UUID)) else ", which is no string"
    raise InputError(f"{what} is {value!r:.60}{remedy}")


def _filters(candidates: object, servers: object, tags: object, exclude: object, why: list[str]) -> Filters:
    if candidates is None and servers is None and tags is None and isinstance(exclude, tuple) and not exclude:
        return NO_FILTERS
    names = [None if v is None else frozenset(_each(v, what)) for v, what in ((servers, "servers"), (tags, "tags"))]
    gone = frozenset(_each(() if exclude is None else exclude, "exclude"))
    return Filters(None if candidates is None else _candidates(candidates, why), names[0], names[1], gone)


def _each(value: object, what: str) -> list[str]:
    given = listed(value, what)
    if {*map(type, given)} <= {str}:  # as nearly always; an allow-list may hold a thousand
        return given
    return [identifier(item, f"{what}[{i}]") for i, item in enumerate(given)]


def _candidates(value: object, why: list[str]) -> tuple[str, ...]:
    """The ids, each once; those that no catalogue can have are left out."""
    given = dict.fromkeys(_each(value, "candidates"))
    all_of_them = "".join(given)
    plain = all_of_them.isascii() and "\0" not in all_of_them and "" not in given
    usable = tuple(given) if plain else tuple(key for key in given if _storable(key))
    if len(usable) < len(given):
        why.append(f"{len(given) - len(usable)} candidates are empty, or hold U+0000 or half of a surrogate pair, and are left out")
    return usable


def _context(value: object, tools: Mapping[str, int], why: list[str]) -> tuple[str, ...]:
    """Those of the tools used before that the catalogue knows: of others nothing can be learned."""
    if value is None or (isinstance(value, tuple) and not value):
        return ()
    given = listed(value, "context_tools")
    known = tuple(str(item) for item in given if isinstance(item, str) and item in tools)
    if len(known) < len(given):
        other = next(item for item in given if not (isinstance(item, str) and item in tools))
        why.append(f"{len(given) - len(known)} context_tools are not in the catalogue, among them {other!r:.60}; the others count")
    return known


def _readable(text: str, why: list[str]) -> str:
    """The text without what no store can hold, and not longer than anybody reads."""
    if len(text) > LONGEST_TEXT:
        why.append(f"of the text the first {LONGEST_TEXT} of {len(text)} characters are read")
        text = text[:LONGEST_TEXT]
    if not _storable(text) and text:
        why.append("the text holds U+0000 or half of a surrogate pair; U+FFFD is read instead")
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\0", "\ufffd")
    return text


def _storable(text: str) -> bool:
    """Can every store hold it as an id?"""
    if not text or "\0" in text:
        return False
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            return False
    return True


def named(value: object, what: str) -> str | None:
    """Who or what a gateway means by a name, a number or a UUID; None where it says nothing."""
    if value is None or (isinstance(value, str) and not value):
        return None
    if isinstance(value, (uuid.UUID, int, np.integer)) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise InputError(f"{what} is a string, a whole number or a UUID, not {type(value).__name__}; pass str(...) of it")
    return _check.storable_text(str(value), what)
