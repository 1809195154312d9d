"""From a checked request to the answer that goes out: filtered, ranked, ruled, explored, in the order of its session, written down, counted."""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from .. import _fork
from ..features import IntentEncoder
from ..graph import Capability, Catalog, Tool
from ..model.evidence import Evidence, Recent
from ..model.index import Index
from ..registry import ServedVersion
from ..registry.shadow import Rank
from ..store import Ranked
from .answer import Answer
from .arrangement import Arrangement
from .exploration import Explorer
from .fallback import Chain
from .items import Found
from .observing import Answered, Observations
from .request import Request
from .session import Sessions

_log = logging.getLogger("shgat")
Told = Callable[[ServedVersion, float, bool, Callable[[ServedVersion], Rank], tuple[str, ...]], None]
Heard = Callable[[str, Index, bool], Evidence | None]  # of a principal, for a model, beside production or not
Record = Callable[[Request, Found, Sequence[Ranked]], tuple[str, str]]  # the decision's id, and what is wrong with its record
KEPT = 4  # catalogues whose chains stay: the one that serves, and those of versions beside it


class Answering:
    """Answers, each over the catalogue of the version that gives it.

    Parameters
    ----------
    record : writes a decision down, and gives its id and why it could not be recorded or will not be soon, "" where all is well
    encoder : what makes vectors of texts, None where nothing does
    explorer : None where the order is always the ranking's

    Attributes
    ----------
    encoder : as given
    observed : how many answers, how long they took, and who is told
    recent : what was executed since the version that serves was made
    sessions : what each was shown
    heard : what counts beside the model for who asks; only `recent` at first
    answered : is told of each answer: whose it was, how long it took, whether something else than the model ranked, what a shadow would answer,
        and what went out
    """

    def __init__(
        self, catalog: Catalog, record: Record, encoder: IntentEncoder | None = None, explorer: Explorer | None = None
    ) -> None:
        self.encoder, self.observed, self.sessions, self.recent = encoder, Observations(), Sessions(), Recent()
        self.heard: Heard = lambda principal, index, beside: self.recent.evidence(index, beside)
        self.answered: Told = lambda served, seconds, failed, rank, ids: None
        self._record, self._explorer = record, explorer
        self._chains: dict[int, Chain] = {}
        self.after_fork()
        self.prepare(catalog)
        _fork.renew(self)

    def after_fork(self) -> None:
        """A thread of the parent may have held the lock."""
        self._building = threading.Lock()

    def prepare(self, catalog: Catalog) -> Chain:
        """The ways to rank a catalogue, built before a request waits for them."""
        with self._building:
            found = self._chains.get(id(catalog))  # the chain holds the catalogue, so that nothing else takes its address
            if found is None:
                found = Chain.of(catalog, self.encoder)
                found.prepare()
                self._chains = {**dict(list(self._chains.items())[1 - KEPT :]), id(catalog): found}
            return found

    def chain(self, catalog: Catalog) -> Chain:
        """The ways to rank a catalogue."""
        return self._chains.get(id(catalog)) or self.prepare(catalog)

    def answer(self, served: ServedVersion, request: Request) -> Answer:
        """The answer to one request by the version that serves."""
        started = time.perf_counter()
        chain, (evidence, fault) = self.chain(served.model.catalog), self._heard(served, request.principal)
        found = chain.answer(served, self._wider(request), evidence)
        return self._out(chain, served, request, found, evidence, fault, started)

    def answers(self, served: ServedVersion, requests: Sequence[Request]) -> list[Answer]:
        """The same to several that differ in nothing but intent and text."""
        started = time.perf_counter()
        if not requests:
            return []
        chain, (evidence, fault) = self.chain(served.model.catalog), self._heard(served, requests[0].principal)
        found = chain.answers(served, [self._wider(r) for r in requests], evidence)
        each = (time.perf_counter() - started) / len(requests)
        return [
            self._out(chain, served, r, f, evidence, fault, time.perf_counter() - each)
            for r, f in zip(requests, found, strict=True)
        ]

    def _wider(self, request: Request) -> Request:
        """With as many items as rules and exploration choose from."""
        more = len(request.rules.boost) + (0 if self._explorer is None or request.order == "stable" else self._explorer.how.pool)
        return replace(request, k=request.k + more) if more else request

    def _heard(self, served: ServedVersion, principal: str) -> tuple[Evidence | None, str]:
        """What came in since the version was made, and what the principal ran itself; and why that cannot be told."""
        try:
            return self.heard(principal, served.model.index(), served.beside), ""
        except Exception as error:  # the agent needs its tools
            _log.warning("answers do without what came in lately: %s", error)
            return None, f"without what came in lately: {error}"

    def _out(
        self,
        chain: Chain,
        served: ServedVersion,
        request: Request,
        found: Found,
        evidence: Evidence | None,
        unheard: str,
        started: float,
    ) -> Answer:
        ranked_at, eligible, arranged = time.perf_counter(), found.eligible, Arrangement(request, _nodes(chain, request))
        found = chain.scored(served, request, found, [i for i in request.rules.sought if i in eligible], evidence)
        found = arranged.ruled(found)
        placed: tuple[Ranked, ...] = ()
        if request.order == "stable":
            found = chain.in_order_of(self.sessions, served, request, found, evidence)
        elif self._explorer is not None:
            found, placed = arranged.explored(found, self._explorer)
        else:
            found = arranged.cut(found)
        found = arranged.afforded(found)
        items = found.items
        ranked = placed or tuple([Ranked(i, place) for place, i in enumerate(items.ids, 1)])
        arranged_at = time.perf_counter()
        key, fault = self._record(request, found, ranked)
        why = (*found.why, *(trouble for trouble in (unheard, served.trouble, fault) if trouble))
        ended = time.perf_counter()
        seconds, ranking, encoding = ended - started, ranked_at - started, found.encoding
        self.observed.answered(
            Answered(
                found.by, found.version, bool(why), seconds, encoding, ranking - encoding, arranged_at - ranked_at, ended - arranged_at
            )
        )  # fmt: skip
        self.answered(served, seconds, found.by not in ("model", "words"), partial(self._beside, request), items.ids)
        return Answer(
            key, request.kind, items.ids, items.scores, found.version, found.by, why, items.calibrated, items.explanations,
            encoder=found.encoder, propensities=tuple([r.propensity for r in ranked[: len(items.ids)]]),
            rules=found.rules, latency_ms=1000.0 * seconds, principal=request.principal,
            own_weight=_own_weight(evidence, found, request),
        )  # fmt: skip

    def _beside(self, request: Request, shadow: ServedVersion) -> Rank:
        """What a shadow would answer to a request, not asked yet."""
        return lambda: self.chain(shadow.model.catalog).answer(shadow, request).items.ids


def _own_weight(evidence: Evidence | None, found: Found, request: Request) -> float:
    """How much what the principal ran itself counted."""
    own = None if evidence is None or found.by != "model" or request.kind != "tools" else evidence.own
    return 0.0 if own is None or found.intent is None else own.weight(found.intent)


def _nodes(chain: Chain, request: Request) -> Callable[[str], Tool | Capability | None]:
    """Id -> record of the catalogue."""
    of_kind: Sequence[Tool | Capability] = chain.catalog.tools if request.kind == "tools" else chain.catalog.capabilities
    column: Mapping[str, int] = chain.plain(request.kind).column
    return lambda item: of_kind[column[item]] if item in column else None
