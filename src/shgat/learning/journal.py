"""Catalogue, decisions and feedback on their way into the store: in the background, in batches, again after a failure, never twice."""

import itertools
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from .. import _fork
from ..errors import InputError, StoreError, StoreURLError
from ..graph import Catalog
from ..store import Decision, Store
from .entry import Entry
from .ledger import Ledger
from .pending import PATIENCE, Pending
from .receipt import Receipt
from .stopwatch import Stopwatch

_log = logging.getLogger("shgat")
BATCH = 500
RETRY = 1.0  # seconds between attempts
PAUSE = 0.05  # seconds between batches
ADOPTED = 10_000  # lines that are taken over at once, and those of one file more
ADOPTION = 30.0  # seconds between looks for what killed processes left behind


class Journal:
    """Writes to a store that may come and go. Nothing that a request calls ever waits for the store.

    Parameters
    ----------
    connect : opens the store
    catalog : what the store is to know before anything else
    ledger : where feedback is kept on the disk until the store has it

    Attributes
    ----------
    stored : is called when there is new feedback in the store
    joined : is called with feedback whose decision, of another process, was found
    trouble : what keeps the store from being written to, "" where nothing does
    without_decision : feedback to decisions that nobody ever stored; it is stored without an intent
    refused : decisions and feedback that no store takes

    Raises
    ------
    StoreURLError
        the store can be reached, and will never take this catalogue.
    """

    def __init__(self, connect: Callable[[], Store], catalog: Catalog, ledger: Ledger | None = None) -> None:
        self._connect = connect
        self._catalog: Catalog | None = catalog  # until it is written
        self._store: Store | None = None
        self._ledger = Ledger(None) if ledger is None else ledger
        self._pending = Pending()
        self.stored: Callable[[], None] = lambda: None
        self.joined: Callable[[Entry], None] = lambda entry: None
        self.trouble, self.without_decision, self.refused = "", 0, 0
        self._closing = False
        self._reset()
        try:
            _ = self.store
        except StoreURLError:
            raise
        except StoreError as error:
            self._failed(error)
        self.start()
        _fork.renew(self)

    def _reset(self) -> None:
        self._turn, self._connecting, self._writing = threading.Lock(), threading.Lock(), Stopwatch()
        self._next_adoption = 0.0
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Starts the thread, where there is none: at first, and in a forked child."""
        with self._pending.changed:
            if self._thread is None and not self._closing:
                self._thread = threading.Thread(target=self._work, name="shgat-journal", daemon=True)
                self._thread.start()

    def after_fork(self) -> None:
        """What waits is the parent's, which writes it."""
        self._pending.reset()
        self._reset()

    @property
    def store(self) -> Store:
        """The store; StoreError where it cannot be reached."""
        with self._connecting:
            if self._store is None:
                self._store = self._connect()
            return self._store

    @property
    def waiting(self) -> int:
        """Decisions and feedback that are not in the store yet."""
        return len(self._pending)

    @property
    def dropped(self) -> int:
        """Decisions that were given up because too many were waiting."""
        return self._pending.dropped

    @property
    def behind(self) -> bool:
        """Is there feedback that could be in the store and is not yet?"""
        return bool(self._pending.entries)

    @property
    def write_seconds(self) -> float:
        """The slowest write that is under way or ended in the last five seconds; 0.0 where there is none."""
        return self._writing.seconds

    @property
    def troubles(self) -> list[str]:
        """What is wrong with the store, and with the disk."""
        return [trouble for trouble in (self.trouble, self._ledger.trouble) if trouble]

    # ---------------------------------------------------------------- taking
    def keep(self, catalog: Catalog) -> None:
        """Takes another catalogue in place of the one that the store was to know."""
        with self._pending.changed:
            self._catalog = catalog
            self._pending.changed.notify_all()

    def decided(self, decision: Decision) -> None:
        """Takes a decision."""
        self._pending.decided(decision)

    def decision(self, key: str) -> Decision | None:
        """A decision that this process made a while ago or has not written yet."""
        return self._pending.decision(key)

    def executed(self, entry: Entry) -> "Future[Receipt]":
        """Takes the feedback to a decision. The receipt comes when it is on the disk, and at once where it is not going to be.

        Where this process does not know the decision, it is looked for in the store; where several processes take feedback to one
        decision, the first that is stored counts.

        Raises
        ------
        StoreError
            too much waits already.
        """
        receipt: Future[Receipt] = Future()
        if not self._pending.executed(entry):
            receipt.set_result(Receipt.KNOWN)
            return receipt

        def settle(written: "Future[bool]") -> None:
            receipt.set_result(Receipt.DURABLE if written.result() else Receipt.WAITING)

        self._ledger.append(entry.key, entry.to_line()).add_done_callback(settle)
        return receipt

    # ---------------------------------------------------------------- writing
    def settle(self) -> None:
        """Writes the feedback that was given so far, now; StoreError where the store cannot take it."""
        self._pending.look_soon()
        for write in (self._write_catalog, self._join, self._write_entries):
            if not self._attempt(write):
                raise StoreError(self.trouble)

    def flush(self) -> None:
        """Writes what is waiting. A failure is remembered in `trouble`."""
        for write in (self._write_catalog, self._join, self._write_entries, self._adopt):
            if not self._attempt(write):
                return
        while self._pending.decisions:
            if not self._attempt(self._write_decisions):
                return
            time.sleep(0.001)  # feedback goes first
        if self.trouble:
            self._attempt(lambda store: store.model_age())

    def close(self) -> None:
        """Writes what is left, once, and closes the store. What the store cannot take stays on the disk for whoever opens it next."""
        with self._pending.changed:
            self._closing = True
            self._pending.changed.notify_all()
        if self._thread is not None:
            self._thread.join()
        self.flush()
        for entry in map(Entry.alone, list(self._pending.decisions.values())):
            self._ledger.append(entry.key, entry.to_line())
        if self.waiting and self._ledger.folder is None:
            _log.warning("%d decisions and traces are lost: the store cannot take them, and there is no journal", self.waiting)
        self._ledger.close()
        if self._store is not None:
            self._store.close()

    def _attempt(self, write: Callable[[Store], object]) -> bool:
        try:
            store = self.store
            with self._turn:
                write(store)
        except StoreError as error:
            self._failed(error)
            return False
        if self.trouble:
            _log.warning("the store can be written to again")
        self.trouble = ""
        return True

    def _failed(self, error: StoreError) -> None:
        if not self.trouble:
            _log.warning("the store cannot be written to; what comes in is kept: %s", error)
        self.trouble = str(error)

    def _write_catalog(self, store: Store) -> None:
        catalog = self._catalog
        if catalog is None:
            return
        try:
            store.keep_catalog(catalog)
            if catalog.aliases:
                store.add_former_ids(catalog.aliases)
        except InputError as error:  # a text that no database takes; nothing will change that
            _log.warning("the catalogue is not kept in the store: %s", error)
        if self._catalog is catalog:
            self._catalog = None

    def _write_decisions(self, store: Store) -> None:
        batch: list[Decision] = self._pending.some(self._pending.decisions, BATCH)
        self._add(store.add_decisions, batch)
        self._pending.forget(self._pending.decisions, [d.id for d in batch])
        self._ledger.done([Entry.alone(d).key for d in batch])

    def _write_entries(self, store: Store) -> None:
        """All feedback whose decision is known, after its decisions."""
        while self._pending.entries:
            batch: list[Entry] = self._pending.some(self._pending.entries, BATCH)
            self._add(store.add_decisions, [entry.decision for entry in batch if entry.decision is not None])
            for user, group in itertools.groupby(sorted(batch, key=_user), _user):
                self._add(store.add_traces, [entry.trace for entry in group], user)
            keys = [entry.key for entry in batch]
            self._pending.forget(self._pending.decisions, keys)
            self._pending.forget(self._pending.entries, keys)
            self._ledger.done([*keys, *(Entry.alone(entry.decision).key for entry in batch if entry.decision is not None)])
            self.stored()

    def _add(self, add: Callable[..., object], batch: list[Any], *options: Any) -> None:
        """Adds a batch; where something in it cannot be stored, everything else."""
        try:
            with self._writing:
                add(batch, *options)
        except InputError:
            for item in batch:
                try:
                    add([item], *options)
                except InputError as error:
                    self.refused += 1
                    _log.error("it is not stored: %s", error)

    def _join(self, store: Store) -> None:
        """Finds the decisions of other processes that feedback waits for."""
        sought = self._pending.sought()
        if not sought:
            return
        joined, in_vain = self._pending.found(store.decisions_of(sought))
        for entry in joined:
            self.joined(entry)
        for key in in_vain:
            self.without_decision += 1
            _log.warning("feedback to %s: no process stored such a decision in %g s; it is kept without an intent", key, PATIENCE)

    def _adopt(self, store: Store) -> None:
        """Takes over what killed processes left on the disk, a file at a time."""
        if time.monotonic() < self._next_adoption:
            return
        self._next_adoption = time.monotonic() + ADOPTION
        for segment, lines in self._ledger.orphans():
            for line in lines:
                try:
                    entry = Entry.from_line(line)
                except InputError as error:
                    _log.error("%s: %s", segment.path, error)
                    continue
                segment.keys.add(entry.key)
                self._pending.keep(entry)
            _log.warning("%s: %d lines of a process that is gone are taken over", segment.path, len(lines))
            if self.waiting > ADOPTED:
                self._next_adoption = 0.0  # the other files follow when these are written
                break
        self._write_entries(store)

    def _work(self) -> None:
        while True:
            with self._pending.changed:
                self._pending.changed.wait_for(
                    self._is_due, min(self._pending.until_look, max(0.0, self._next_adoption - time.monotonic()))
                )
                if self._closing:
                    return
            try:
                self.flush()
            except Exception:  # something that cannot be written must not end the thread
                _log.exception("the journal failed")
                self.trouble = "the journal failed; see the log"
            with self._pending.changed:
                self._pending.changed.wait_for(lambda: self._closing, RETRY if self.trouble else PAUSE)

    def _is_due(self) -> bool:
        waits = self._pending.decisions or self._pending.entries or self._pending.until_look <= 0.0
        return bool(self._closing or self._catalog or waits or self.trouble)


def _user(entry: Entry) -> str:
    return entry.user_id
