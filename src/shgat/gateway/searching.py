"""Searches: the tools for a query, nothing where none answers it, and a word to who asks for the same again and again."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from ..model.intents import unit
from ..serving import Answer, Ranker
from ..serving.floor import Floor
from ..serving.searches import Search
from ..serving.searches import note as said_of
from .sessions import Session
from .tools import Tool, Tools
from .worked import Worked

FOLLOWERS = 2  # tools that came next before, which stand first in a suggestion
_LONGEST_DESCRIPTION = 1024  # characters that are shown


@dataclass(frozen=True, eq=False)
class Offer:
    """What a search, or a suggestion, offers.

    Attributes
    ----------
    search : what a call may follow
    tools : best first
    scores : of each, in [0, 1]
    servers : those nearest to the query, the nearest first
    note : what else the client should know, "" for nothing
    """

    search: Search
    tools: tuple[Tool, ...]
    scores: tuple[float, ...]
    servers: tuple[str, ...] = ()
    note: str = ""

    def noted(self, session: Session, starting: Sequence[str] = ()) -> "Offer":
        """As one of a session's searches, with what there is to say of it; `starting`: servers whose tools are not there yet."""
        n = session.searches.in_a_row(self.search)
        session.searches.append(self.search)
        where = f" The servers nearest to it are: {', '.join(self.servers[:3])}." if self.servers else ""
        note = said_of(n, bool(self.tools), where)
        if starting:
            note = f"{note} Still being started: {', '.join(starting[:10])}.".lstrip()
        return replace(self, note=note)

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        shown = [_shown(tool, score) for tool, score in zip(self.tools, self.scores, strict=True)]
        return {"search_id": self.search.decision, "tools": shown, **({"note": self.note} if self.note else {})}


class Searching:
    """Answers from a ranking. `search` and `suggest` are slow enough to be called in a thread.

    The tool that worked when the same was asked lately stands first: a description alone, whatever it says, lifts no tool above that, and a
    model that was trained since does not take it back.

    Attributes
    ----------
    worked : what it goes by
    """

    def __init__(self, tools: Tools, limit: int) -> None:
        self._tools, self._limit = tools, limit
        self.worked, self._floor = Worked(), Floor(tools.ranker.nearest, lambda: tools.ranker.catalog)

    @property
    def _ranker(self) -> Ranker:
        return self._tools.ranker

    def search(self, query: str, used: Sequence[str], ready: Collection[str], session: Session, limit: int = 0) -> Offer:
        """The tools of servers that are ready for a query.

        Parameters
        ----------
        used : keys of tools that were called before, the latest last
        session : whose search it is
        """
        nearest = self._ranker.nearest(query, ready)
        x = unit(nearest.vector)
        answered = self._floor.reached(nearest) or (x is not None and self.worked.answers(x, session.principal))
        proven = "" if x is None else self._now(self.worked.proven(x, session.principal))
        rank = partial(
            self._ranker.rank, None, text=query, context_tools=self._there(used), servers=ready, session=session.id,
            principal=session.principal,
        )  # fmt: skip
        rules = {"pin": (proven,)} if proven else None
        answer = rank(limit or self._limit, candidates=None if answered else (), rules=rules)
        if not proven and not self._floor.passed(answer.calibrated, answer.scores):
            answer = rank(1, candidates=())  # what is written down is that nothing was offered
        search = Search.of(answer.decision_id, answer.ids, query, x)
        return Offer(search, *self._pairs(answer), nearest.servers)

    def suggest(self, used: Sequence[str], ready: Collection[str], session: Session, limit: int = 0) -> Offer:
        """What to use next, by what was used: what came next before, then what is near to it. Nothing where nothing was used."""
        used = self._there(used)
        followers = [self._now(key) for key in self.worked.after(used[-1], FOLLOWERS, session.principal)] if used else []
        answer = next_tools(
            self._ranker, used, limit or self._limit, followers, servers=ready, session=session.id, principal=session.principal
        )
        if answer is None:
            return Offer(Search("", ()), (), (), note="Nothing was called yet: search first.")
        return Offer(Search(answer.decision_id, answer.ids), *self._pairs(answer))

    def _pairs(self, answer: Answer) -> tuple[tuple[Tool, ...], tuple[float, ...]]:
        pairs = [(tool, score) for key, score in answer if (tool := self._tools.of_key(key)) is not None]
        return tuple(t for t, _ in pairs), tuple(s for _, s in pairs)

    def _now(self, key: str) -> str:
        """What a tool is called by now."""
        return self._ranker.catalog.aliases.get(key, key)

    def _there(self, keys: Sequence[str]) -> list[str]:
        column = self._ranker.catalog.tool_column
        return [key for key in keys if key in column]


def next_tools(
    ranker: Ranker,
    used: Sequence[str],
    k: int,
    followers: Sequence[str] = (),
    *,
    servers: Collection[str] | None = None,
    session: str | None = None,
    principal: str = "",
) -> Answer | None:
    """The tools that are likely to be needed next, by what was used alone: the mean of the latest three stands for an intent.

    Parameters
    ----------
    used : ids, the latest last, which is not suggested again
    followers : what came next before, which stands first

    Returns
    -------
    None where the catalogue knows nothing of what was used
    """
    if not any(key in ranker.catalog.tool_column for key in used):
        return None
    return ranker.suggest(used, None, k, followers=followers, servers=servers, session=session, principal=principal)


def _shown(tool: Tool, score: float) -> dict[str, Any]:
    said = tool.definition.get("description")
    said = said if isinstance(said, str) else ""
    shown: dict[str, Any] = {
        "name": tool.id,
        "server": tool.server,
        "description": said if len(said) <= _LONGEST_DESCRIPTION else said[: _LONGEST_DESCRIPTION - 1] + "…",
        "input_schema": tool.definition.get("inputSchema") or {"type": "object"},
        "score": round(score, 4),
    }
    if tool.changed is not None:
        shown["warning"] = "Its description changed since it was first seen: what was learned of it does not count any more."
    return shown
