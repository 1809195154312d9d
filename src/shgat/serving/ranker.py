"""The ranker that a gateway holds: answers at once, records what was shown and what came of it, and learns from that beside it."""

import logging
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from .. import _check
from ..config import SHGATConfig
from ..errors import CatalogError, InputError
from ..features import embedded
from ..graph import Catalog
from ..learning.journal import Journal
from ..learning.learner import Learner, Training
from ..learning.scheduler import Scheduler
from ..model.channels import tools_within
from ..model.evidence import Execution
from ..registry import ServedVersion, Slots, Versions
from ..shgat import SHGAT
from ..store import Decision, Ranked, Store
from ..traces import Trace
from ..worker import Child
from .answering import Answering
from .asking import Asking
from .feedback import Feedback, Unlearnable
from .items import Found
from .request import Request

_log = logging.getLogger("shgat")
MODES = ("live", "batch", "off")
STORE_TIMEOUT = 2.0  # seconds


class Ranker(Asking):
    """Opened by `Ranker.open`; safe from any number of threads.

    `rank` never raises because something else failed: what cannot be ranked by the model is ranked by cosine, by shared words or by the
    catalogue's order, and `Answer.degraded` says so.

    Attributes
    ----------
    catalog : tools and capabilities
    slots : the version that answers, and the places beside it; another one put into production answers from now on
    mode : see `open`
    """

    def __init__(self, catalog: Catalog, slots: Slots, journal: Journal, scheduler: Scheduler, clock: Callable[[], float]) -> None:
        self.catalog, self.slots, self.mode = catalog, slots, scheduler.mode
        self._journal, self._scheduler, self._clock = journal, scheduler, clock
        self._answering = Answering(catalog, self._record)
        self._within = tools_within(catalog.hierarchy)
        self._unlearnable = Unlearnable()
        scheduler.on_trained = self._answering.recent.forget

    @classmethod
    def open(
        cls,
        url: str,
        catalog: Catalog | str | Path,
        *,
        mode: Literal["live", "batch", "off"] = "live",
        config: SHGATConfig | None = None,
        user_id: str = "local",
        debounce: float = 1.0,
        timeout: float = 300.0,
        memory_limit: int | None = None,
        seed: int = 0,
        clock: Callable[[], float] = time.time,
    ) -> Self:
        """Opens a ranker over a store and a catalogue. A store that cannot be reached now is used as soon as it can.

        Parameters
        ----------
        url : of the store
        mode : "live" trains on at most 50 traces after executions; "batch" on at most 500 at the start, unless the model is
            younger than an hour; "off" when `maybe_train` is called
        catalog : or its folder, of which what is broken is left out; `stats()["catalogue"]` names it. A catalogue without embeddings is
            given some of the words of its texts; intents are texts then
        config : of a model that was never trained
        user_id : whose model
        debounce : seconds between an execution and the training that learns from it, so that one learns from several
        timeout, memory_limit : seconds and MiB of a training child

        Raises
        ------
        CatalogError
            for a folder without `tools.jsonl`, and for a store that holds embeddings of another encoder.
        """
        _check.choice(mode, MODES, "mode")
        _check.number(debounce, 0.0, 86400.0, "debounce")
        catalog = _served(catalog)
        model = SHGAT.from_catalog(catalog, config, seed)
        child = Child(timeout=timeout, memory_limit=memory_limit)
        dimension = catalog.dimension
        journal = Journal(lambda: Store.open(url, dimension, timeout=STORE_TIMEOUT, clock=clock), catalog)
        if not journal.trouble:
            try:
                journal.store.check_catalog(catalog)
            except CatalogError:
                journal.close()
                raise
        learner = Learner(Versions(catalog, user_id), child, seed)
        slots = Slots(ServedVersion("untrained", 0, model))
        return cls(catalog, slots, journal, Scheduler(journal, learner, slots, mode, debounce), clock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Stops learning, writes what waits for the store, and closes it."""
        self._scheduler.close()
        self._journal.close()

    def __repr__(self) -> str:
        served = self.slots.production
        return f"Ranker({served.name}: {served.model!r}, mode={self.mode!r})"

    # ---------------------------------------------------------------- asking it
    @property
    def training(self) -> bool:
        """Is a training under way?"""
        return self._scheduler.training

    @property
    def model_version(self) -> str:
        """Of the model that answers now."""
        return self.slots.production.name

    def _record(self, request: Request, found: Found) -> tuple[str, str]:
        """(decision id, what is wrong with the record)."""
        try:
            decision = Decision(
                ranked=tuple(Ranked(i, place) for place, i in enumerate(found.items.ids, 1)), model_version=found.version,
                intent=request.text or None, intent_hash="" if request.text else "none", embedding=found.intent,
                context_tools=request.context, session=request.session, created_at=self._clock(),
            )  # fmt: skip
        except InputError as error:
            return "", f"not recorded: {error}"
        self._journal.decided(decision)
        return decision.id, self._journal.trouble

    # ---------------------------------------------------------------- telling it
    def feedback(
        self,
        decision_id: str | uuid.UUID,
        capability_id: str | None = None,
        tools: Iterable[str] | None = None,
        *,
        outcome: float | BaseException,
        duration_ms: float | None = None,
        error: str | BaseException | None = None,
    ) -> bool:
        """What was executed after a decision and how it went; False, and nothing changes, where that is known already.

        Parameters
        ----------
        capability_id, tools : what was executed; without `tools`, all tools of the capability. Tools that the catalogue does not know are
            kept, and `stats()["trouble"]` names them: nothing can be learned from them
        outcome : 0 (failed) to 1 (worked), a boolean, or the exception that the execution ended with
        error : message or exception

        Raises
        ------
        InputError
            for an unknown decision, or a capability of which no tools are known.
        """
        told = Feedback.of(decision_id, capability_id, tools, outcome, error)
        decision, ran = self._journal.decision(told.decision_id), told.tools
        if ran is None:
            column = None if told.capability is None else self.catalog.capability_column.get(told.capability)
            if column is None:
                raise InputError(f"feedback to {decision_id!r}: say which tools were run; {capability_id!r} is no known capability")
            ran = tuple(self.catalog.tools[t].id for t in sorted(self._within[column]))
        new = self._journal.executed(Trace(
            id=told.decision_id, decision_id=told.decision_id, intent=decision.intent or "", embedding=decision.embedding,
            tools=ran, capability=told.capability, context_tools=decision.context_tools, outcome=told.outcome, duration_ms=duration_ms,
            error=told.error, timestamp=self._clock(),
        ))  # fmt: skip
        if new:
            self._unlearnable.look(ran, self.catalog.tool_column.keys(), self._clock())
            self._remember(told, decision, ran)
            self._scheduler.notice()
        return new

    def _remember(self, told: Feedback, decision: Decision, tools: Sequence[str]) -> None:
        """Lets the next answer know what came of this one, long before a training does."""
        session = decision.session or ""
        key, outcome = told.decision_id, told.outcome
        done = Execution(key, decision.embedding, decision.intent or "", tuple(tools), outcome, session, self._clock())
        self._answering.recent.add(done, self.slots.production.model.index())

    async def afeedback(
        self, decision_id: str, capability_id: str | None = None, tools: Sequence[str] | None = None, **options: Any
    ) -> bool:
        """`feedback` without holding up the event loop."""
        import asyncio

        return await asyncio.to_thread(self.feedback, decision_id, capability_id, tools, **options)

    # ---------------------------------------------------------------- learning
    def maybe_train(self) -> Training | None:
        """Trains now if there is something to learn from, for a cron job too; None where there is not, or where another process trains.

        Live: where a trace was never trained on. Batch: where the model is older than an hour.
        """
        return self._scheduler.maybe_train()

    def refresh(self) -> bool:
        """Takes over the active version of the store if it is not the one that serves; was there anything to take over?"""
        return self._scheduler.refresh()

    def stats(self) -> dict[str, Any]:
        """What it did and how it is, as JSON values."""
        served, scheduler = self.slots.production, self._scheduler
        return {
            "model_version": served.name,
            "swaps": self.slots.swaps,
            "catalogue": {"shown": repr(self.catalog), "left_out": list(self.catalog.left_out)},
            **scheduler.stats(),
            "answers": dict(self._answering.latency.answers),
            "latency_ms": self._answering.latency.percentiles(),
            "waiting_for_store": self._journal.waiting,
            "dropped_decisions": self._journal.dropped,
            "unlearnable_feedback": self._unlearnable.count,
            "trouble": [
                t for t in (served.trouble, self._journal.trouble, scheduler.trouble, self._unlearnable.trouble(self._clock())) if t
            ],
        }


def _served(catalog: Catalog | str | Path) -> Catalog:
    """The catalogue that is served: of a folder what holds together, and of texts alone with embeddings of their words."""
    if not isinstance(catalog, Catalog):
        catalog = Catalog.load(catalog, strict=False)
    if catalog.left_out:
        _log.warning("%d items of the catalogue are broken, the first: %s", len(catalog.left_out), catalog.left_out[0])
    return catalog if catalog.has_embeddings else embedded(catalog)
