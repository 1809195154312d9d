"""The ranker that a gateway holds: answers at once, records what was shown and what came of it, and learns from that beside it."""

import contextlib
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from .. import _check, _fork
from ..config import SHGATConfig
from ..errors import CatalogError, InputError, ShgatError, StoreError
from ..features import IntentEncoder
from ..features.cache import VectorCache
from ..features.shared import Redis
from ..graph import Catalog
from ..learning.journal import Journal
from ..learning.learner import Learner, Training
from ..learning.ledger import Ledger, folder_for
from ..learning.principals import Principals
from ..learning.scheduler import Scheduler
from ..learning.shares import SHARE
from ..learning.spool import Spool
from ..model.shared_arrays import SharedArrays
from ..registry import ServedVersion, Slots, Traffic, Versions
from ..shgat import SHGAT
from ..store import Decision, Ranked, Retention, Store
from ..worker import Child
from .answering import Answering
from .embedding import served_catalog
from .exploration import Exploration, Explorer
from .feedback import Unlearnable
from .intake import Intake
from .items import Found
from .observing import Listener
from .request import Request
from .rules import Rules
from .service import InferenceService
from .upkeep import Upkeep

MODES = ("live", "batch", "off")
STORE_TIMEOUT = 2.0  # seconds
RESTORED = 10_000  # decisions that sessions are restored from
FAILING = 10  # tools shown in `stats`, those that fail most
_DEFAULT_RETENTION = Retention()


class Ranker(InferenceService, Intake, Upkeep):
    """Opened by `Ranker.open`; safe from any number of threads.

    `rank` never raises because something else failed: what cannot be ranked by the model is ranked by cosine, by shared words or by the
    catalogue's order, and `Answer.degraded` says so.

    Attributes
    ----------
    slots : the version that answers, and the places beside it; another one put into production answers from now on
    rules : business rules that hold for every request; other ones hold from now on
    mode : see `open`
    principals : who asks, what each ran itself, and what is decided of that
    """

    def __init__(
        self,
        catalog: Catalog,
        slots: Slots,
        journal: Journal,
        scheduler: Scheduler,
        clock: Callable[[], float],
        user_id: str,
        encoder: object = None,
        rules: Rules | Mapping[str, Any] | None = None,
        explore: Exploration | None = None,
        cache: VectorCache | None = None,
    ) -> None:
        self.slots, self.mode, self.rules = slots, scheduler.mode, Rules.of(rules)
        self._journal, self._scheduler, self._clock, self._user = journal, scheduler, clock, user_id
        self._asleep = self._closed = False
        self._cache = VectorCache() if cache is None else cache
        explorer = None if explore is None else Explorer(explore)
        self._answering = Answering(catalog, self._record, IntentEncoder.of(catalog, encoder, cache=self._cache), explorer)
        self._unlearnable, self._changing = Unlearnable(), threading.Lock()
        self._traffic = Traffic(slots, scheduler.versions, clock)
        self._answering.answered, scheduler.beside = self._traffic.answered, self._traffic.follow
        self.principals = Principals(journal, user_id, self._answering.recent, slots)
        self._answering.heard, scheduler.on_trained = self.principals.evidence, self.principals.forget
        journal.joined = self._remember
        _fork.renew(self)

    def after_fork(self) -> None:
        """In a forked child: threads start with the first request; a thread of the parent may have held the lock."""
        self._changing = threading.Lock()
        self._asleep = True

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
        journal: str | Path | None = "",
        retention: Retention | None = _DEFAULT_RETENTION,
        encoder: object = None,
        rules: Rules | Mapping[str, Any] | None = None,
        explore: float | Exploration | None = None,
        redis: str | None = None,
        principal_share: float = SHARE,
    ) -> Self:
        """Opens a ranker over a store and a catalogue. A store that cannot be reached now is used as soon as it can.

        What is opened may be forked: each process has its own journal, connections and training child.

        Parameters
        ----------
        url : of the store
        mode : "live" trains on at most 50 traces after executions; "batch" on at most 5000 at the start, unless the model is
            younger than an hour; "off" when `maybe_train` is called
        catalog : or its folder, of which what is broken is left out; `stats()["catalogue"]` names it. A catalogue without embeddings is
            given some by the encoder; intents are texts then
        config : of a model that was never trained
        user_id : whose model
        debounce : seconds between an execution and the training that learns from it, so that one learns from several
        timeout, memory_limit : seconds and MiB of a training child
        journal : folder for feedback that is not in the store yet; "": beside an SQLite file, else under $XDG_STATE_HOME/shgat, or
            ~/.local/state/shgat. None: in memory alone, so that feedback is durable only when the store has it
        retention : what the store keeps, None for everything
        encoder : what makes vectors of texts, as `shgat.features.open_encoder` takes it. None: what made the catalogue's embeddings if it is
            at hand; for a catalogue without embeddings the static vectors of the wheel
        rules : business rules that hold for every request, as a mapping too
        explore : the share of decisions whose last place is drawn, or an `Exploration`; None: the order is always the ranking's
        redis : URL of a Redis where vectors of texts are kept for other gateways too; None: for this one alone
        principal_share : of what all learn from, that one principal may give at most; 1: as much as it likes

        Raises
        ------
        CatalogError
            for a folder without `tools.jsonl`, and for a store that holds embeddings of another encoder.
        StoreURLError
            for a store of other embeddings than the catalogue's.
        """
        _check.choice(mode, MODES, "mode")
        _check.storable_text(user_id, "user_id")
        _check.number(debounce, 0.0, 86400.0, "debounce")
        _check.number(principal_share, 0.0, 1.0, "principal_share")
        rules, exploring = Rules.of(rules), Exploration.of(explore)
        cache = VectorCache(second=None if redis is None else Redis.of(redis))
        catalog = served_catalog(catalog, encoder, cache, url, STORE_TIMEOUT)
        folder = folder_for(url, journal)
        shared = None if folder is None else SharedArrays(folder.with_name(f"{folder.name}.arrays"))
        catalog = catalog if shared is None else shared.catalog(catalog)
        model = SHGAT.from_catalog(catalog, config, seed)
        model.share(shared)
        child = Child(timeout=timeout, memory_limit=memory_limit)
        dimension = catalog.dimension
        written = Journal(lambda: Store.open(url, dimension, timeout=STORE_TIMEOUT, clock=clock), catalog, Ledger(folder))
        known: dict[str, str] = {}
        if not written.trouble:
            try:
                with contextlib.suppress(StoreError):  # it went away; what comes in is kept
                    written.store.check_catalog(catalog)
                    known = written.store.former_ids()
            except CatalogError:
                written.close()
                raise
        if known := {old: new for old, new in known.items() if new in catalog.tool_column and old not in catalog.tool_column}:
            catalog = replace(catalog, aliases={**known, **catalog.aliases})
            model = model.over(catalog)
        learner = Learner(
            Versions(catalog, user_id, shared), child, seed, Spool(None if folder is None else folder.parent), principal_share
        )
        slots = Slots(ServedVersion("untrained", 0, model))
        scheduler = Scheduler(written, learner, slots, mode, debounce, retention)
        ranker = cls(catalog, slots, written, scheduler, clock, user_id, encoder, rules, exploring, cache)
        if not written.trouble:
            with contextlib.suppress(StoreError):  # sessions begin anew then
                ranker._answering.sessions.restore(written.store.shown(RESTORED, user_id), catalog)
        return ranker

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Stops learning, writes what waits for the store, and closes it. In a forked child nothing of the parent's is closed.

        `rank` goes on answering, without a record; anything else that needs the store is refused.
        """
        if not self._closed:
            self._closed = True
            self._scheduler.close()
            self._traffic.close()
            self.principals.close()
            self._journal.close()
            if isinstance(self._cache.second, Redis):
                self._cache.second.close()

    def _awake(self) -> None:
        """Its threads run: in a forked child from the first request on. ShgatError where it is closed."""
        if self._closed:
            raise ShgatError("the ranker is closed; open another one")
        if self._asleep:
            self._asleep = False
            self._journal.start()
            self._scheduler.start()

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

    def _record(self, request: Request, found: Found, ranked: Sequence[Ranked]) -> tuple[str, str]:
        """(decision id, what is wrong with the record)."""
        if self._closed:
            return "", "closed: not recorded"
        if self._asleep:
            self._awake()
        try:
            decision = Decision(
                ranked=tuple(ranked), model_version=found.version,
                **self._said(request.text), embedding=found.intent,
                context_tools=request.context, session=request.session, created_at=self._clock(), user_id=self._user,
                principal=request.principal,
            )  # fmt: skip
        except InputError as error:
            return "", f"not recorded: {error}"
        self._journal.decided(decision)
        return decision.id, self._journal.trouble

    # ---------------------------------------------------------------- learning
    def maybe_train(self) -> Training | None:
        """Trains now if there is something to learn from, for a cron job too; None where there is not, or where another process trains.

        Live: where a trace was never trained on. Batch: where the model is older than an hour.
        """
        self._awake()
        return self._scheduler.maybe_train()

    def refresh(self) -> bool:
        """Takes over the active version of the store if it is not the one that serves; was there anything to take over?"""
        self._awake()
        return self._scheduler.refresh()

    def watch(self, listener: Listener) -> None:
        """Tells of every answer and every execution from now on: see `shgat.serving.observing`.

        Parameters
        ----------
        listener : called in the thread that answers; it must be quick, and must not raise
        """
        self._answering.observed.listen(listener)

    def stats(self) -> dict[str, Any]:
        """What it did and how it is, as JSON values."""
        served, scheduler, encoder = self.slots.production, self._scheduler, self._encoder()
        return {
            "model_version": served.name,
            "swaps": self.slots.swaps,
            "catalogue": {"shown": repr(self.catalog), "left_out": list(self.catalog.left_out)},
            **scheduler.stats(),
            "answers": dict(self._answering.observed.answers),
            "latency_ms": self._answering.observed.percentiles(),
            "success": self._success(),
            "waiting_for_store": self._journal.waiting,
            "store_writes": {"seconds": self._journal.write_seconds, "trouble": self._journal.trouble},
            "dropped_decisions": self._journal.dropped,
            "feedback_without_decision": self._journal.without_decision,
            "refused_by_store": self._journal.refused,
            "unlearnable_feedback": self._unlearnable.count,
            "encoder": encoder,
            "principals": self.principals.stats(),
            **self._traffic.stats(),
            "cache": self._cache.stats(),
            "trouble": [t for t in self._troubles(served.trouble, encoder["trouble"]) if t],
        }

    def _troubles(self, *others: str) -> tuple[str, ...]:
        shared = "" if self._cache.second is None else self._cache.second.trouble
        learning = self._scheduler.trouble, self.principals.trouble, self._unlearnable.trouble(self._clock())
        return (*others, shared, *self._journal.troubles, *learning)

    def _encoder(self) -> dict[str, str]:
        """What makes vectors of texts, "" where nothing does, and why it rests."""
        found = self._answering.encoder
        return {"id": "", "trouble": ""} if found is None else {"id": found.encoder.id, "trouble": found.trouble}

    def _success(self) -> dict[str, Any]:
        """The share of executions that worked, and the tools that fail most: a smoothed rate of executions halved every thirty days."""
        index = self.slots.production.model.index()
        evidence = self._answering.recent.evidence(index)
        rates = index.channels.channels.success if evidence is None else evidence.success
        worst = sorted((rates.of_tool(t).rate, t) for t in rates.suspects.tolist())[:FAILING]
        failing = [{"tool": index.tools.ids[t], "rate": rate, "executions": rates.of_tool(t).executions} for rate, t in worst]
        fresh = None if evidence is None else evidence.fresh
        return {"rate": rates.of_all, "waiting_for_training": 0 if fresh is None else len(fresh), "failing": failing}
