"""Questions to a ranker: one intent, many, text, sets; and what their answers may hold."""

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Unpack

import numpy as np

from ..graph import Catalog
from ..model import intents as asked
from ..model import suggestion
from ..model.candidates import Kind
from ..model.why_not import WhyNot
from ..registry import Slots, Traffic
from .answer import Answer
from .answering import Answering
from .floor import Nearest
from .request import Options, Order, Request, named, requests_of
from .rules import Rules


class InferenceService:
    """The answering side of a `Ranker`: rankings of the version that serves, over the catalogue that it serves.

    Attributes
    ----------
    slots : the version that answers, and the places beside it
    rules : business rules that hold for every request
    blind : what makes of an intent's text what is written down in its place, and learned from; None: the text is written down as it is.
        It gives the same words for the same words, in any text
    """

    blind: Callable[[str], str] | None = None
    slots: Slots
    rules: Rules
    _answering: Answering
    _traffic: Traffic

    @property
    def catalog(self) -> Catalog:
        """Tools and capabilities, as they are now; immutable, and replaced as a whole."""
        return self.slots.production.model.catalog

    def rank(
        self, intent: object, top_k: int = 10, kind: Kind = "tools", *, text: str | None = None, context_tools: Iterable[str] | None = (),
        candidates: Iterable[str] | None = None, servers: Iterable[str] | None = None, tags: Iterable[str] | None = None,
        exclude: Iterable[str] = (), rules: Rules | Mapping[str, Any] | None = None, session: str | int | uuid.UUID | None = None,
        principal: str | int | uuid.UUID | None = None, order: Order = "score", min_score: float | None = None, explain: bool = False,
    ) -> Answer:  # fmt: skip
        """The best items for an intent.

        Parameters
        ----------
        intent : (d,) embedding, or the text itself; None, zero, or one that cannot be used, leaves the text
        text : of the intent
        context_tools : ids of tools that the session has used before; those that the catalogue does not know are left out
        candidates : ids to choose among, None for all; ids that the catalogue does not know come last, with a score of 0
        servers, tags : names, of which a tool has one at least, None for any. A tag is a declared capability, `tag:NAME` or by its id; a
            capability may be had where all its tools may
        exclude : ids that the answer may not hold
        rules : of this request, beside those of the ranker. All filters and blocks hold before anything is ranked, so that `top_k` items come
            where there are as many
        session : whose set grows where `order` is "stable": what it was shown before stays in place as long as a request may have it, what
            is new follows in catalogue order
        principal : who asks, a team or a tenant or a person: its sessions are its own, what it ran counts for it at once, and what it does
            otherwise than all others where its gate says so. None: nobody in particular
        min_score : leave out items with a lower score, but not what the session was shown already. Before a training has calibrated the
            scores they are no probabilities, and `Answer.degraded` says so
        explain : also say why, and which rule did what

        Raises
        ------
        InputError
            for what no request can mean: an unknown `kind` or `order`, text where a list is expected, ids that are no strings.
        """
        production = self.slots.production
        request = Request.of(
            production.model.catalog.tool_column, intent, top_k, kind, text=text, context_tools=context_tools, candidates=candidates,
            servers=servers, tags=tags, exclude=exclude, rules=rules, standing=self.rules, session=session, principal=principal, order=order,
            min_score=min_score, explain=explain,
        )  # fmt: skip
        return self._answering.answer(self._traffic.of(request.session or request.text, production), self._blinded(request))

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
        production = self.slots.production
        requests = requests_of(production.model.catalog.tool_column, intents, texts, top_k, kind, options, self.rules)
        served = self._traffic.of(requests[0].session if requests else None, production)
        return self._answering.answers(served, [self._blinded(r) for r in requests])

    def rank_sets(self, intent: object, top_k: int = 5, **options: Unpack[Options]) -> Answer:
        """The best capabilities for an intent, each with all the tools it needs in `Answer.tools`; options as those of `rank`."""
        answer = self.rank(intent, top_k, "capabilities", **options)
        return replace(answer, tools=tuple(self._tools_of(c) for c in answer.ids))

    def suggest(
        self, context_tools: Iterable[str], intent: object = None, top_k: int = 5, *, text: str | None = None,
        followers: Sequence[str] = (), servers: Iterable[str] | None = None, session: str | int | uuid.UUID | None = None,
        principal: str | int | uuid.UUID | None = None, explain: bool = False,
    ) -> Answer:  # fmt: skip
        """What to use next in a session; never what was used last. Where the version that serves has learned values they speak.

        Parameters
        ----------
        context_tools : ids of what was used, the latest last; those that the catalogue does not know are left out
        intent, text : as `rank` takes them; without either what was used stands for it, the latest three tools
        followers : ids that stand first, as what came next before
        servers, session, principal, explain : as those of `rank`

        Raises
        ------
        InputError
            where there is no intent and nothing that was used is known.
        """
        catalog = self.catalog
        used = [key for key in asked.used(context_tools) if key in catalog.tool_column]
        wanted = suggestion.intent_of(catalog, used) if intent is None and not text else intent
        first = tuple(key for key in followers if key in catalog.tool_column and key not in used[-1:])
        return self.rank(
            wanted, top_k, text=text, context_tools=used, servers=servers, exclude=used[-1:], rules={"pin": first}, session=session,
            principal=principal, explain=explain,
        )  # fmt: skip

    def why_not(
        self, intent: object, tool: str, *, text: str | None = None, context_tools: Iterable[str] | None = (),
        principal: str | int | uuid.UUID | None = None,
    ) -> WhyNot:  # fmt: skip
        """Why the version that serves does not put a tool first, for a principal with what counts for it; see `SHGAT.why_not`."""
        model, name = self.slots.production.model, named(principal, "principal")
        evidence = None if name is None else self._answering.heard(name, model.index(), False)
        return model.why_not(intent, tool, text=text, context_tools=context_tools, evidence=evidence)

    def nearest(self, text: str, servers: Iterable[str] | None = None) -> Nearest:
        """How near the nearest tools of some servers, or of all, are to a text, whatever was learned; nothing is written down.

        Who has to tell a question that no tool answers asks this first.
        """
        production = self.slots.production
        catalog, chain = production.model.catalog, self._answering.chain(production.model.catalog)
        request = Request.of(catalog.tool_column, None, 1, "tools", text=text, servers=servers)
        columns = chain.eligible(request).columns
        places = np.arange(len(catalog.tools)) if columns is None else columns
        encoder, plain = self._answering.encoder, chain.plain("tools")
        vector = None if encoder is None or not request.text else encoder.encode([request.text])[0].vector
        return Nearest.of(catalog, plain, request.text or "", vector, places)

    def _blinded(self, request: Request) -> Request:
        """With its words as they are written down, so that what was learned of them is found."""
        return request if self.blind is None or not request.text else replace(request, blinded=self.blind(request.text))

    def _tools_of(self, capability: str) -> tuple[str, ...]:
        """Ids of all tools that a capability needs, members of members included; () for one that nobody knows."""
        catalog = self.catalog
        place = catalog.capability_column.get(capability)
        within = () if place is None else sorted(self._answering.chain(catalog).membership.within[place])
        return tuple(catalog.tools[t].id for t in within)
