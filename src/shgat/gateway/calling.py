"""Calls: each goes to its server, and what came of it goes to the ranking, by the search that it follows."""

import logging
from collections.abc import Mapping
from typing import Any

import orjson

from ..errors import ShgatError
from ..serving import Ranker
from ..serving.searches import Search
from .facts import Facts
from .sessions import Session
from .tools import Tool
from .upstream import Reply
from .worked import Worked

_log = logging.getLogger("shgat")
OUTCOMES = {"worked": 1.0, "failed": 0.0, "protocol error": 0.0, "time-out": 0.0}  # of a server that ended nothing is learned


class Feedback:
    """Tells a ranking what came of calls.

    Parameters
    ----------
    worked : is told too
    keep_sizes : are the sizes of arguments and results counted?
    """

    def __init__(self, ranker: Ranker, worked: Worked, facts: Facts, keep_sizes: bool) -> None:
        self._ranker, self._worked, self._facts, self._keep_sizes = ranker, worked, facts, keep_sizes

    async def tell(
        self, session: Session, search: Search | None, tool: Tool, reply: Reply, arguments: Mapping[str, Any] | None
    ) -> None:
        """What came of one call: the feedback to its search, or to a decision of its own where it follows none.

        A tool that is called again and again after one search, in a loop, teaches what it does once; what it did besides is counted.

        A tool that worked is the answer to the searches for much the same before it too, after which nothing was called. Of what was
        offered and not called nothing is told.
        """
        if self._keep_sizes:
            self._facts.count(tool.id, "sizes", calls=1, arguments=_size(arguments), results=_size(reply.result))
        outcome = OUTCOMES.get(reply.outcome)
        if outcome is None:
            return
        before = session.used[-1] if session.used else ""
        told = session.told if search is None else search.told
        if (tool.key, outcome) in told:
            self._facts.count(tool.id, "repeats", **{"worked" if outcome else "failed": 1})
            return
        told.add((tool.key, outcome))
        missed = session.searches.missed(search) if search is not None and outcome > 0.0 else []
        try:
            decision = self._decision(session, search, tool)
            self._worked.add(None if search is None else search.unit, before, tool.key, outcome > 0.0, session.principal)
            if outcome > 0.0:
                session.used.append(tool.key)
            for other in missed:
                other.calls += 1
            why = None if outcome else reply.outcome
            await self._ranker.afeedback(decision, tools=[tool.key], outcome=outcome, duration_ms=reply.milliseconds, error=why)
            for other in missed:
                await self._ranker.afeedback(other.decision, tools=[tool.key], outcome=1.0)
        except ShgatError as error:  # the call was answered
            _log.warning("of a call of %s nothing is learned: %s", tool.id, error)

    def _decision(self, session: Session, search: Search | None, tool: Tool) -> str:
        """A decision that has no feedback yet."""
        if search is None:
            answer = self._ranker.rank(
                None, 1, candidates=[tool.key], context_tools=list(session.used), session=session.id, principal=session.principal
            )
            return answer.decision_id
        search.calls += 1
        return search.decision if search.calls == 1 else self._ranker.once_more(search.decision)


def _size(value: Any) -> int:
    """Bytes of a value as JSON."""
    if hasattr(value, "model_dump_json"):
        return len(value.model_dump_json(by_alias=True, exclude_none=True))
    try:
        return len(orjson.dumps(value, default=str))
    except TypeError:
        return 0
