"""Questions to a ranker: one intent, many, text, sets; and what their answers may hold."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Unpack

from ..graph import Catalog
from ..model.candidates import Kind
from ..registry import Slots, Traffic
from .answer import Answer
from .answering import Answering
from .request import Options, Order, Request, requests_of


class Asking:
    """The part of a ranker that answers.

    Attributes
    ----------
    catalog : tools and capabilities
    slots : the version that answers, and the places beside it
    """

    catalog: Catalog
    slots: Slots
    _answering: Answering
    _traffic: Traffic
    _within: list[frozenset[int]]  # tools of each capability, members of members included

    def rank(
        self,
        intent: object,
        top_k: int = 10,
        kind: Kind = "tools",
        *,
        text: str | None = None,
        context_tools: Iterable[str] | None = (),
        candidates: Iterable[str] | None = None,
        session: str | int | uuid.UUID | None = None,
        order: Order = "score",
        min_score: float | None = None,
        explain: bool = False,
    ) -> Answer:
        """The best items for an intent.

        Parameters
        ----------
        intent : (d,) embedding, or the text itself; None, zero, or one that cannot be used, leaves the text
        text : of the intent
        context_tools : ids of tools that the session has used before; those that the catalogue does not know are left out
        candidates : ids to choose among, None for all; ids that the catalogue does not know come last, with a score of 0
        session : whose set grows where `order` is "stable": what it was shown before stays in place as long as a request may have it, what
            is new follows in catalogue order
        min_score : leave out items with a lower score, but not what the session was shown already. Before a training has calibrated the
            scores they are no probabilities, and `Answer.degraded` says so
        explain : also say why

        Raises
        ------
        InputError
            for what no request can mean: an unknown `kind` or `order`, text where a list is expected, ids that are no strings.
        """
        request = Request.of(
            self.catalog.tool_column, intent, top_k, kind, text=text, context_tools=context_tools, candidates=candidates,
            session=session, order=order, min_score=min_score, explain=explain,
        )  # fmt: skip
        return self._answering.answer(self._traffic.of(request.session or request.text), request)

    async def arank(self, intent: object, top_k: int = 10, kind: Kind = "tools", **options: Unpack[Options]) -> Answer:
        """`rank` without holding up the event loop."""
        import asyncio

        return await asyncio.to_thread(self.rank, intent, top_k, kind, **options)

    def rank_many(
        self, intents: Sequence[object], top_k: int = 10, kind: Kind = "tools", *, texts: Sequence[str | None] | None = None,
        **options: Unpack[Options],
    ) -> list[Answer]:  # fmt: skip
        """An answer, with a decision of its own, for each of several intents, by one product with the whole catalogue.

        Parameters
        ----------
        intents : as `rank` takes them, or (B, d)
        texts : one for each intent, or None
        options : of all of them, as those of `rank`
        """
        requests = requests_of(self.catalog.tool_column, intents, texts, top_k, kind, options)
        return self._answering.answers(self._traffic.of(requests[0].session if requests else None), requests)

    def rank_sets(self, intent: object, top_k: int = 5, **options: Unpack[Options]) -> Answer:
        """The best capabilities for an intent, each with all the tools it needs in `Answer.tools`; options as those of `rank`."""
        answer = self.rank(intent, top_k, "capabilities", **options)
        column, tools = self.catalog.capability_column, self.catalog.tools
        within = [sorted(self._within[column[c]]) if c in column else [] for c in answer.ids]
        return replace(answer, tools=tuple(tuple(tools[t].id for t in needed) for needed in within))
