"""Searching the tools that a host offers, and telling the ranking what was called then: what all adapters share."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import partial
from types import TracebackType
from typing import Any, Self

import numpy as np

from .. import _check, _fork
from ..errors import InputError, ShgatError
from ..graph import Catalog
from ..importers.names import digest
from ..model import unit_scores
from ..serving import Ranker
from ..serving.floor import Floor, Nearest
from ..serving.plain import PlainRanking
from ..serving.searches import Search
from ..shgat import SHGAT
from ..traces.record import SUCCESS
from .found import Found
from .linking import Searches
from .offered import Offered, catalog_of, flat, name_of

_log = logging.getLogger("shgat")
Outcome = bool | float | BaseException | None
_Held = Ranker | SHGAT


class ToolSearch(AbstractContextManager["ToolSearch"]):
    """The tools of a host, ranked by a `Ranker`, which learns, or by a bare `SHGAT`, which does not. Safe from any thread.

    Parameters
    ----------
    ranker : or None: opened with the first tools that are offered, by `make`
    tools : definitions as the model, an SDK or a server is given them; more may come with each search
    k : tools that a search finds at most
    make : opens a ranker over a catalogue of texts

    Attributes
    ----------
    k : as given
    searches : the latest of each session
    counts : searches, those that found nothing or asked again; calls of these tools that followed a search or none, and of unknown outcome
    """

    def __init__(
        self, ranker: _Held | None, tools: Any = None, *, k: int = 5, make: Callable[[Catalog], _Held] | None = None
    ) -> None:
        if not (ranker is None and make is not None) and not isinstance(ranker, Ranker | SHGAT):
            raise InputError(
                f"ranker is a Ranker or an SHGAT, not {type(ranker).__name__}; ToolSearch.open makes one of definitions"
            )
        self.k, self.searches = _check.positive_integer(k, "k"), Searches()
        self.counts = dict.fromkeys(("searches", "empty", "repeated", "linked", "unlinked", "unknown"), 0)
        self._ranker, self._make, self._offered = ranker, make, Offered()
        self._calibrated = False
        self._plain: tuple[str, PlainRanking | None] = "", None
        self._floor = Floor(self._nearest, lambda: self.ranker.catalog)
        self.after_fork()
        _fork.renew(self)
        if tools is not None:
            self.offer(tools)

    @classmethod
    def open(cls, tools: Any = None, store: str | None = None, *, k: int = 5, keep_texts: bool = False, **options: Any) -> Self:
        """Over definitions alone, whose texts are encoded here.

        Parameters
        ----------
        tools : None: those that the host offers first
        store : URL of the store that learning goes by; None: nothing is written down and nothing learned
        keep_texts : False: of a query its SHA-256 and its embedding are written down, of an error its type, and no text
        options : of `Ranker.open`
        """
        if store is None:
            if options.keys() - {"encoder"}:
                raise InputError(f"{min(options.keys() - {'encoder'})} is an option of a ranker, which needs a store")
            return cls(None, tools, k=k, make=lambda catalog: SHGAT.from_catalog(catalog, **options))
        return cls(None, tools, k=k, make=lambda catalog: _opened(store, catalog, keep_texts, options))

    def after_fork(self) -> None:
        """The thread that tells is the parent's."""
        self._telling = ThreadPoolExecutor(1, thread_name_prefix="shgat-calls")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Tells what came of calls, and closes the ranker where it was opened here."""
        self._telling.shutdown()
        if self._make is not None and isinstance(self._ranker, Ranker):
            self._ranker.close()

    @property
    def ranker(self) -> _Held:
        """What ranks; InputError where no tool was offered yet."""
        if self._ranker is None:
            raise InputError("no tool was offered yet; give the definitions to ToolSearch.open or to offer")
        return self._ranker

    # ---------------------------------------------------------------- what there is
    def offer(self, tools: Any) -> None:
        """Makes tools known. What the catalogue has already stays as it is until its definition changes; what is new is encoded, once."""
        self._offer([(name_of(t), t) for t in flat(tools["tools"] if isinstance(tools, Mapping) and "tools" in tools else tools)])

    def _offer(self, given: list[tuple[str, Any]]) -> None:
        if not self._offered.unseen(given):
            return
        with self._offered.changing:
            if self._ranker is None and self._make is not None:
                self._ranker = self._make(catalog_of(t for _, t in given))
            ranker = self.ranker
            fresh = self._offered.new(self._offered.unseen(given), ranker.catalog)
            if not fresh:
                return
            if isinstance(ranker, Ranker):
                ranker.add(fresh)
            else:
                known = ranker.catalog.tool_column
                ranker.add_tools([t for t in fresh if t.id not in known])
                for tool in [t for t in fresh if t.id in known and len(ranker.catalog.tools) > 1]:  # a model is never empty
                    ranker.remove(tool.id)
                    ranker.add_tools([tool])

    # ---------------------------------------------------------------- asking
    def search(
        self,
        query: str,
        tools: Iterable[Any] | None = None,
        *,
        k: int | None = None,
        session: str = "",
        context: Sequence[str] = (),
        explicit: bool = True,
        stable: bool = False,
    ) -> Found:
        """The tools for a query, nothing where nothing fits. It never raises because ranking failed: the first ones come then, and why.

        Parameters
        ----------
        tools : definitions, or names, of what this caller may see; nothing else is found. None: all that are known
        session : of the conversation; calls find their search by it, and a hash of it is written down
        context : names of tools that were called before
        explicit : did the model ask? Then a query that nothing answers finds nothing, and asking again and again is said to it
        stable : what the session was offered before is offered again
        """
        k = self.k if k is None else _check.positive_integer(k, "k")
        self.counts["searches"] += 1
        names = None
        try:
            if tools is not None:
                given = [(t, None) if isinstance(t, str) else (name_of(t), t) for t in flat(tools)]
                names = [name for name, _ in given]
                self._offer([pair for pair in given if pair[1] is not None])
            found = self._rank(query, names, k, session, context, explicit, stable)
        except Exception as error:  # whatever it is: the agent needs its tools
            _log.log(logging.DEBUG if isinstance(error, InputError) else logging.WARNING, "a search was not ranked: %s", error)
            known = list(self._offered.ids) if names is None else [n for n in names if n]
            found = Found("", tuple(known[:k]), degraded=(f"not ranked: {error}",), unranked=True)
        self.counts["empty"] += not found.names
        n = self.searches.add(session, Search.of(found.search_id, found.names, query, explicit=explicit))
        self.counts["repeated"] += n > 1
        return found.noted(n) if explicit else found

    async def asearch(self, query: str, tools: Iterable[Any] | None = None, **options: Any) -> Found:
        """`search` without holding up the event loop."""
        return await asyncio.to_thread(self.search, query, tools, **options)

    def _rank(
        self, query: str, names: list[str] | None, k: int, session: str, context: Sequence[str], explicit: bool, stable: bool
    ) -> Found:
        ranker = self.ranker
        catalog = ranker.catalog
        if names is None:
            called, candidates = {i: n for n, i in list(self._offered.ids.items())}, None
        else:
            called = {i: n for n in names if n and (i := self._offered.id_of(n, catalog)) is not None}
            candidates = None if len(called) == len(catalog.tools) else list(called)
        if not query.strip():
            raise InputError("the query is empty")
        used = [i for n in context if (i := self._offered.id_of(n, catalog)) is not None]
        near = not explicit or self._calibrated or self._floor.reached(self._nearest(query))
        if isinstance(ranker, Ranker):
            rank = partial(
                ranker.rank, None, k, text=query, context_tools=used, session=digest(session) if session else None,
                order="stable" if stable and session else "score",
            )  # fmt: skip
            answer = rank(candidates=candidates if near else ())
            if near:
                self._calibrated = answer.calibrated
            if explicit and not answer.fallback and not self._floor.passed(answer.calibrated, answer.scores):
                answer = rank(candidates=())  # what is written down is that nothing was offered
            key, ids, scores, why = answer.decision_id, answer.ids, answer.scores, answer.degraded
            if not near:
                why = ()
        else:
            ranking = ranker.rank(query, k, context_tools=used, candidates=candidates)
            said, self._calibrated = unit_scores.of_ranking(ranker.index(), ranking)
            key, ids, scores, why = "", ranking.ids, tuple(said.tolist()), ranking.degraded
            if explicit and not (near and self._floor.passed(self._calibrated, scores)):
                ids, scores = (), ()
        return Found(key, tuple(called.get(i, i) for i in ids), scores, "", why)

    def _nearest(self, query: str) -> Nearest:
        """How near the nearest of all tools are."""
        ranker = self.ranker
        if isinstance(ranker, Ranker):
            return ranker.nearest(query)
        catalog, encoder = ranker.catalog, ranker.encoder
        if self._plain[0] != catalog.checksum:
            self._plain = catalog.checksum, PlainRanking.of(catalog, "tools")
        plain = self._plain[1]
        assert plain is not None
        vector = None if encoder is None else np.asarray(encoder.encode([query]), np.float32)[0]
        return Nearest.of(catalog, plain, query, vector, np.arange(len(catalog.tools)))

    # ---------------------------------------------------------------- learning
    def called(
        self,
        name: str,
        outcome: Outcome,
        *,
        session: str = "",
        search_id: str = "",
        duration_ms: float | None = None,
        error: str | BaseException | None = None,
    ) -> bool:
        """What came of one call; is something learned of it? It never raises, and waits for no disk: the call was answered.

        It is the feedback to the search that it names, else to the latest of its session that offered the tool. Where it worked, it answers
        the searches for much the same before that one too, after which nothing was called.

        Parameters
        ----------
        outcome : 0 (failed) to 1 (worked), a boolean, or the exception that it ended with; None: unknown, and nothing is learned
        error : message or exception. Without `keep_texts` only the exception's type is kept: messages quote arguments
        """
        ranker = self._ranker
        tool = None if ranker is None else self._offered.id_of(name, ranker.catalog)
        if ranker is None or tool is None:  # none of these tools
            return False
        followed = self.searches.followed(name, session, search_id)
        linked = followed is not None or bool(search_id)
        self.counts["linked" if linked else "unlinked"] += 1
        self.counts["unknown"] += outcome is None
        if not linked or outcome is None or not isinstance(ranker, Ranker):
            return False
        if isinstance(outcome, BaseException):
            error = outcome if error is None else error
            outcome = 0.0
        if error is not None and ranker.blind is not None:
            error = type(error).__name__ if isinstance(error, BaseException) else "failed"
        key, missed, first = (search_id, [], True) if followed is None else (followed[0].decision, *followed[1:])
        answers = missed if float(outcome) >= SUCCESS else []
        for search in answers:
            search.calls += 1
        try:
            self._telling.submit(
                _tell, ranker, key, first, [s.decision for s in answers if s.decision], tool, outcome, duration_ms, error
            )
        except RuntimeError:  # it is closed
            return False
        return True


def _opened(store: str, catalog: Catalog, keep_texts: bool, options: Mapping[str, Any]) -> Ranker:
    ranker = Ranker.open(store, catalog, **options)
    if not _check.flag(keep_texts, "keep_texts"):
        ranker.blind = _nothing
    return ranker


def _nothing(text: str) -> str:
    """Of a text nothing is written down."""
    return ""


def _tell(
    ranker: Ranker, key: str, first: bool, missed: list[str], tool: str, outcome: float, duration_ms: float | None, error: Any
) -> None:
    """Gives the feedback: to the decision, or where it has some, to another one like it; and to the searches that it answers too."""
    try:
        decision = key if first else ranker.once_more(key)
        ranker.feedback(decision, tools=[tool], outcome=outcome, duration_ms=duration_ms, error=error)
        for other in missed:
            ranker.feedback(other, tools=[tool], outcome=1.0)
    except ShgatError as trouble:
        _log.warning("of a call of %r nothing is learned: %s", tool, trouble)
