"""Catalogue, decisions and feedback on their way into the store: in the background, in batches, again after a failure, never twice."""

import itertools
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from ..errors import InputError, StoreError
from ..graph import Catalog
from ..store import Decision, Store
from ..traces import Trace

_log = logging.getLogger("shgat")
RECENT = 4096  # decisions at hand for their feedback
WAITING = 20_000  # decisions, and traces, kept while the store cannot be reached
BATCH = 500
RETRY = 1.0  # seconds between attempts


class Journal:
    """Writes to a store that may come and go.

    Parameters
    ----------
    connect : opens the store
    catalog : what the store is to know before anything else

    Attributes
    ----------
    trouble : what keeps the store from being written to, "" where nothing does
    dropped : decisions that were given up because too many were waiting
    """

    def __init__(self, connect: Callable[[], Store], catalog: Catalog) -> None:
        self._connect = connect
        self._catalog: Catalog | None = catalog  # until it is written
        self._store: Store | None = None
        self._wake, self._turn, self._connecting = threading.Condition(), threading.Lock(), threading.Lock()
        self._recent: OrderedDict[str, Decision] = OrderedDict()
        self._decisions: OrderedDict[str, Decision] = OrderedDict()
        self._traces: OrderedDict[str, Trace] = OrderedDict()
        self._known: OrderedDict[str, bool] = OrderedDict()  # decision id -> was its feedback new, the latest ones
        self._closing = False
        self.trouble, self.dropped = "", 0
        self._thread = threading.Thread(target=self._work, name="shgat-journal", daemon=True)
        self._attempt(lambda store: None)
        self._thread.start()

    @property
    def store(self) -> Store:
        """The store; StoreError where it cannot be reached."""
        with self._connecting:
            if self._store is None:
                self._store = self._connect()
            return self._store

    @property
    def waiting(self) -> int:
        """Decisions and traces that are not in the store yet."""
        return len(self._decisions) + len(self._traces)

    @property
    def behind(self) -> bool:
        """Is there feedback that is not in the store yet?"""
        return bool(self._traces)

    def decided(self, decision: Decision) -> None:
        """Takes a decision, without waiting for the store."""
        with self._wake:
            self._recent[decision.id] = decision
            self._decisions[decision.id] = decision
            if len(self._recent) > RECENT:
                self._recent.popitem(last=False)
            if len(self._decisions) > WAITING:
                self._decisions.popitem(last=False)
                self.dropped += 1
            self._wake.notify()

    def decision(self, key: str) -> Decision:
        """The decision of that id; InputError where there is none, StoreError where nobody can tell."""
        with self._wake:
            found = self._recent.get(key)
        if found is not None:
            return found
        decision = self.store.decision(key)
        if decision is None:
            raise InputError(f"feedback: there is no decision {key!r}")
        return decision

    def executed(self, trace: Trace) -> bool:
        """Stores the feedback to a decision; False where the decision already had its own.

        Where the store cannot take it, it is kept and stored as soon as the store can.
        """
        assert trace.decision_id is not None
        with self._wake:
            if trace.decision_id in self._traces or trace.decision_id in self._known:
                return False
            if len(self._traces) >= WAITING:
                raise StoreError(f"{len(self._traces)} traces are waiting for the store: {self.trouble}")
            self._traces[trace.decision_id] = trace
        self._attempt(self._write_traces)
        with self._wake:
            return self._known.get(trace.decision_id, True)

    def flush(self) -> None:
        """Writes what is waiting. A failure is remembered in `trouble`."""
        if self._catalog is not None and not self._attempt(self._write_catalog):
            return
        if self._traces and not self._attempt(self._write_traces):
            return
        while self._decisions:
            if not self._attempt(self._write_decisions):
                return
            time.sleep(0.001)  # feedback goes first
        if self.trouble:
            self._attempt(lambda store: store.model_age())

    def _attempt(self, write: Callable[[Store], object]) -> bool:
        try:
            store = self.store
            with self._turn:
                write(store)
        except StoreError as error:
            if not self.trouble:
                _log.warning("the store cannot be written to; what comes in is kept: %s", error)
            self.trouble = str(error)
            return False
        if self.trouble:
            _log.warning("the store can be written to again")
        self.trouble = ""
        return True

    def _write_catalog(self, store: Store) -> None:
        catalog = self._catalog
        if catalog is None:
            return
        try:
            store.keep_catalog(catalog)
        except InputError as error:  # a text that no database takes; nothing will change that
            _log.warning("the catalogue is not kept in the store: %s", error)
        self._catalog = None

    def _write_decisions(self, store: Store) -> None:
        with self._wake:
            batch = list(itertools.islice(self._decisions.values(), BATCH))
        store.add_decisions(batch)
        self._forget(self._decisions, [d.id for d in batch])

    def _write_traces(self, store: Store) -> None:
        """Every trace that waits, after the decision it belongs to."""
        while self._traces:
            with self._wake:
                batch = list(itertools.islice(self._traces.values(), BATCH))
                keys = [t.decision_id or "" for t in batch]
                decisions = [self._decisions[key] for key in keys if key in self._decisions]
            store.add_decisions(decisions)
            self._forget(self._decisions, [d.id for d in decisions])
            added = store.add_traces(batch)
            with self._wake:
                self._known.update(zip(keys, added, strict=True))
                while len(self._known) > RECENT:
                    self._known.popitem(last=False)
            self._forget(self._traces, keys)

    def close(self) -> None:
        """Writes what is left, once, and closes the store."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._thread.join()
        self.flush()
        if self._store is not None:
            self._store.close()

    def _forget(self, waiting: "OrderedDict[str, Decision] | OrderedDict[str, Trace]", keys: list[str]) -> None:
        with self._wake:
            for key in keys:
                waiting.pop(key, None)

    def _work(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._closing or self._catalog or self._decisions or self._traces or self.trouble, 60.0)
                if self._closing:
                    return
            try:
                self.flush()
            except Exception:  # a decision that cannot be written must not end the thread
                _log.exception("the journal failed")
                self.trouble = "the journal failed; see the log"
            with self._wake:
                self._wake.wait_for(lambda: self._closing, RETRY if self.trouble else 0.05)
