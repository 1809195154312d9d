"""From a checked request to the answer that goes out: ranked, in the order of its session, written down, counted."""

import logging
import time
from collections.abc import Callable, Sequence
from functools import partial

from ..graph import Catalog
from ..model.evidence import Evidence, Recent
from ..registry import ServedVersion
from ..registry.shadow import Rank
from .answer import Answer
from .fallback import Chain
from .items import Found
from .latency import Latency
from .request import Request
from .session import Sessions

_log = logging.getLogger("shgat")
Answered = Callable[[ServedVersion, float, bool, Callable[[ServedVersion], Rank], tuple[str, ...]], None]
Record = Callable[[Request, Found], tuple[str, str]]  # the decision's id, and why it could not be recorded or will not be soon


class Answering:
    """Answers over one catalogue.

    Parameters
    ----------
    record : writes a decision down, and gives its id and what is wrong with the record, "" where nothing is
    encoder : what makes vectors of texts, as `Chain.of` takes it

    Attributes
    ----------
    chain : the ways to rank
    latency : how many answers, and how long they took
    recent : what was executed since the version that serves was made
    answered : is told of each answer: whose it was, how long it took, whether something else than the model ranked, what a shadow would answer,
        and what went out
    """

    def __init__(self, catalog: Catalog, record: Record, encoder: object = None) -> None:
        self.chain, self.latency = Chain.of(catalog, encoder), Latency()
        self.chain.prepare()
        self._sessions, self._record = Sessions(), record
        self.recent = Recent()
        self.answered: Answered = lambda served, seconds, failed, rank, ids: None

    def answer(self, served: ServedVersion, request: Request) -> Answer:
        """The answer to one request by the version that serves."""
        started = time.perf_counter()
        evidence, fault = self._heard(served)
        return self._out(served, request, self.chain.answer(served, request, evidence), evidence, fault, started)

    def answers(self, served: ServedVersion, requests: Sequence[Request]) -> list[Answer]:
        """The same to several that differ in nothing but intent and text."""
        started = time.perf_counter()
        evidence, fault = self._heard(served)
        found = self.chain.answers(served, requests, evidence)
        each = (time.perf_counter() - started) / max(len(requests), 1)
        return [self._out(served, r, f, evidence, fault, time.perf_counter() - each) for r, f in zip(requests, found, strict=True)]

    def _heard(self, served: ServedVersion) -> tuple[Evidence | None, str]:
        """What came in since the version was made, and why that cannot be told."""
        try:
            return self.recent.evidence(served.model.index(), served.beside), ""
        except Exception as error:  # the agent needs its tools
            _log.warning("answers do without what came in lately: %s", error)
            return None, f"without what came in lately: {error}"

    def _out(
        self, served: ServedVersion, request: Request, found: Found, evidence: Evidence | None, unheard: str, started: float
    ) -> Answer:
        if request.order == "stable":
            found = self.chain.in_order_of(self._sessions, served, request, found, evidence)
        items = found.items
        key, fault = self._record(request, found)
        why = (*found.why, *(trouble for trouble in (unheard, served.trouble, fault) if trouble))
        seconds = time.perf_counter() - started
        self.latency.add(seconds, bool(why))
        self.answered(served, seconds, found.by not in ("model", "words"), partial(self._beside, request), items.ids)
        return Answer(
            key, request.kind, items.ids, items.scores, found.version, found.by, why, items.calibrated, items.explanations,
            encoder=found.encoder,
        )  # fmt: skip

    def _beside(self, request: Request, shadow: ServedVersion) -> Rank:
        """What a shadow would answer to a request, not asked yet."""
        return lambda: self.chain.answer(shadow, request).items.ids
