"""The loop beside the answers: when to train and with what, what other processes trained, pauses after failures."""

import logging
import math
import os
import threading
import time
import uuid
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

from .. import _fork
from ..errors import DamagedError, ShgatError, StoreError
from ..graph import Catalog
from ..model.channels import Fusion
from ..registry import ServedVersion, Slots, Versions
from ..store import Backlog, Retention, Store
from .journal import Journal
from .learner import Learner, Plan, Training

_log = logging.getLogger("shgat")
LIVE, BATCH = Plan(50, 1, False), Plan(5000, 3, True)
FIRST = 50  # traces from which a model that was only updated so far begins anew with a batch
AGAIN = 1.5  # times the traces that the model was fitted on, from which it begins anew
BATCH_AGE = 3600.0  # seconds below which a model is young enough for the batch mode
REFRESH = 0.5  # seconds between looks at what other processes trained
LONGEST_PAUSE = 60.0  # seconds after failures
REST = 0.05  # seconds at least between two trainings
RETAIN = 60.0  # seconds between looks at what the store need not keep
_RETENTION = "shgat: retention"  # the claim of it, beside the users' to train
_NAMED = 20  # traces that were set aside, by name


class Scheduler:
    """A thread that learns while a `Ranker` answers, and puts what it learned into production.

    Parameters
    ----------
    slots : where the version that serves stands
    mode : see `Ranker.open`
    debounce : seconds between the first sign of something new and the training that learns from it
    retention : what the store keeps, None for everything

    Attributes
    ----------
    backlog : what there is to learn from, as of the latest look
    elsewhere : did another process claim the training that was due? It is tried again later
    trouble : why learning fails, "" where it does not
    last : the latest training, None before
    beside : called with the store at each look at what other processes did: what serves beside production
    on_trained : called with the ids of the traces of each training, whatever came of it, when its version serves
    """

    def __init__(
        self, journal: Journal, learner: Learner, slots: Slots, mode: str, debounce: float, retention: Retention | None = None
    ) -> None:
        self.slots, self.mode, self.trouble = slots, mode, ""
        self.last: Training | None = None
        self.beside: Callable[[Store], None] = lambda store: None
        self.on_trained: Callable[[Collection[str]], None] = lambda ids: None
        self.trainings: dict[str, int] = {"accepted": 0, "refused": 0, "failed": 0}
        self._journal, self._learner, self._debounce = journal, learner, debounce
        self._retention, self._closing = retention, False
        self._active, self._enough = 0, FIRST
        self.backlog = Backlog(0, None, 0)
        self._aside: list[tuple[str, str]] = []
        self._size: dict[str, int] = {}
        self._placed = slots.production, slots.production  # as it was made, and as it serves
        self._reset()
        journal.stored = self.notice
        try:
            self.refresh()
            self._observe(journal.store)
        except ShgatError as error:
            self._failed(error)
        self.start()
        _fork.renew(self)

    def _reset(self) -> None:
        self._wake, self._turn, self._placing = threading.Condition(), threading.Lock(), threading.Lock()
        self._due, self._more, self.elsewhere = self.mode != "off", False, False
        self._owner = f"process {os.getpid()}, {uuid.uuid4().hex}"
        self._next_retention = time.monotonic() + RETAIN
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Starts the thread, where there is none: at first, and in a forked child."""
        with self._wake:
            if self._thread is None and not self._closing:
                self._thread = threading.Thread(target=self._work, name="shgat-learner", daemon=True)
                self._thread.start()

    def after_fork(self) -> None:
        """The thread is the parent's, and so is a training that is under way."""
        self._reset()

    def close(self) -> None:
        """Ends the loop, and the training that is under way."""
        with self._wake:
            self._closing = True
            self._wake.notify_all()
        self._learner.close()
        while self._thread is not None and self._thread.is_alive():
            self._thread.join(0.1)
            self._learner.close()  # it may have started a child meanwhile

    @property
    def versions(self) -> Versions:
        """Opens versions over the catalogue that is served."""
        return self._learner.versions

    @property
    def training(self) -> bool:
        """Is a training under way?"""
        return self._turn.locked()

    def notice(self) -> None:
        """There is something new to learn from; in the live mode a training follows."""
        if self.mode == "live":
            with self._wake:
                self._due = True
                self._wake.notify_all()

    def maybe_train(self) -> Training | None:
        """See `Ranker.maybe_train`."""
        with self._turn:
            self._journal.settle()
            store, self.elsewhere = self._journal.store, False
            if not self._is_due(store):
                return None
            with store.claimed(self._owner, self._learner.versions.user_id) as mine:
                self.elsewhere = not mine
                if not mine:
                    return None
                self._take_over(store)
                training = self._train(store) if self._is_due(store) else None
                self._observe(store)
                return training

    def _train(self, store: Store) -> Training | None:
        plan = BATCH if self.mode == "batch" or self._begins(store) else LIVE
        try:
            after, training = self._learner.train(store, self.slots.production, plan)
        except ShgatError:
            self.trainings["failed"] += 1
            raise
        if training is not None:
            self.trainings["accepted" if training.accepted else "refused"] += 1
            self.last = training
            if training.version:
                self._active = after.number
                self._place(after)
            self.on_trained(training.ids)
        return training

    def _take_over(self, store: Store) -> None:
        """What another process trained a moment ago is what to go on from; where all versions are damaged, this one is."""
        try:
            self.refresh()
        except DamagedError as error:
            _log.error("%s", error)

    def refresh(self) -> bool:
        """See `Ranker.refresh`."""
        store = self._journal.store
        self.beside(store)
        active = store.active_model(self._learner.versions.user_id)
        if active is None or active == self._active:
            return False
        newest = self._learner.versions.newest(store)
        self._active = active
        if newest is None or newest.name == self.slots.production.name:
            return False
        self._place(newest)
        return True

    def move(self, catalog: Catalog) -> None:
        """Serves another catalogue from now on. What served is moved as it was made, so that a tool that comes back has what it had; what is
        being trained meanwhile is moved when it comes."""
        with self._placing:
            self._learner.versions.catalog = catalog
            made, placed = self._placed
            self._put(made if self.slots.production is placed else self.slots.production)

    def _place(self, version: ServedVersion) -> None:
        """Puts a version into production, over the catalogue that is served by now."""
        with self._placing:
            self._put(version)

    def _put(self, made: ServedVersion) -> None:
        catalog, version = self._learner.versions.catalog, made
        if made.model.catalog is not catalog:
            version = replace(made, model=made.model.over(catalog))
        self._placed = made, version
        self.slots.put(version)

    def stats(self) -> dict[str, Any]:
        """As JSON values. "doubted": feedback teaches nothing that is better than cosine, which ranks for that reason."""
        learned = self.slots.production.model.learned
        return {
            "training": self.training,
            "trainings": dict(self.trainings),
            "doubted": learned is not None and learned.fusion == Fusion.doubted(),
            "last_training": None if self.last is None else self.last.to_dict(),
            "backlog": {"traces": self.backlog.untrained, "oldest": self.backlog.oldest},
            "set_aside": {"traces": self.backlog.aside, "latest": [{"id": key, "reason": why} for key, why in self._aside]},
            "store": dict(self._size),
        }

    def _observe(self, store: Store) -> None:
        """Looks at what there is to learn from, and from time to time at what need not be kept."""
        user = self._learner.versions.user_id
        before, self.backlog = self.backlog, store.backlog(user)
        if self.backlog.aside != before.aside:
            self._aside = store.aside(_NAMED, user)
        if not self._size or time.monotonic() >= self._next_retention:
            if self._retention is not None and self._size:
                with store.claimed(self._owner, _RETENTION) as mine:
                    removed = store.retain(self._retention) if mine else {}
                if any(removed.values()):
                    _log.info("the store keeps to its bounds: %s", removed)
            self._size, self._next_retention = store.size(), time.monotonic() + RETAIN

    def _is_due(self, store: Store) -> bool:
        """Is there something to learn from?"""
        first = self._learner.urgent(store, 1, self.slots.production)
        if self.mode != "batch" or not first:
            return bool(first) and first[0].priority is None
        age = store.model_age(self._learner.versions.user_id)
        return age is None or age >= BATCH_AGE

    def _begins(self, store: Store) -> bool:
        """Are there traces enough for a batch: the first fifty, then half more than the model was fitted on?

        After an attempt that was refused a quarter more has to come in.
        """
        model = self.slots.production.model
        n = store.replayable(self._learner.versions.user_id)
        if model.learned is not None and model.learned.fusion.fitted and model.report is not None:
            self._enough = max(self._enough, math.ceil(AGAIN * int(model.report["n_traces"])))
        if n < self._enough:
            return False
        self._enough = n + n // 4
        return True

    def _failed(self, error: Exception) -> None:
        _log.warning("learning failed, and is tried again: %s", error)
        self.trouble = str(error)

    def _work(self) -> None:
        if self.mode == "live":
            try:
                self._learner.warm()
            except ShgatError as error:
                self._failed(error)
        failures, gone = 0, False
        while (due := self._next(failures)) is not None:
            try:
                training = None
                if due:
                    self._take_over(self._journal.store)
                    self.trouble = "" if gone else self.trouble  # the store is back, and a training may take a while
                    training = self.maybe_train()
                    self._due = self._due or self._held_up()
                else:
                    self.refresh()
                self._observe(self._journal.store)
                self._more = training is not None and self.mode == "live" and self.backlog.untrained > 0
                self._due = self._due or self._more
                self.trouble, failures, gone = "", 0, False
            except Exception as error:
                gone = isinstance(error, StoreError) and not isinstance(error, DamagedError)
                failures = 0 if gone else failures + 1  # a store that is away costs little to look for
                self._due = self._due or due
                if not self._closing:
                    self._failed(error)

    def _held_up(self) -> bool:
        """Does a training that is due have to wait: for a failure to pass, another process, or feedback that is not in the store yet?"""
        return bool(self.trouble) or self.elsewhere or self._journal.behind

    def _rest(self) -> float:
        """Seconds before a training that is due. One that follows another comes after as long as that took: answers have half of the time."""
        if not self._more or self.last is None:
            return self._debounce
        return max(REST, self.last.seconds)

    def _next(self, failures: int) -> bool | None:
        """Waits for the next round: is a training due? None where the loop has to end."""
        with self._wake:
            pause = min(REFRESH * 2.0**failures, LONGEST_PAUSE) if self.trouble else REFRESH
            self._wake.wait_for(lambda: self._closing or (self._due and not self._held_up()), pause)
            if self._due and not self._closing:
                self._wake.wait_for(lambda: self._closing, self._rest())
            if self._closing:
                return None
            due, self._due = self._due, False
            return due
