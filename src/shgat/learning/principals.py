"""Who asks: what each principal ran itself, in bounds, beside what all share; and what people decide of it."""

import logging
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from .. import _check, _fork
from ..errors import ShgatError
from ..model import scoring
from ..model.evidence import Evidence, Execution, Recent
from ..model.index import Index
from ..registry import Slots
from ..store import PrincipalMove
from .habits import MOST, Habits
from .journal import Journal

_log = logging.getLogger("shgat")
BYTES = 64 << 20  # of all principals in memory, about
AGAIN = 30.0  # seconds between looks at what other processes know of a principal that asks
RETRY = 5.0  # seconds after a store that is away
WAITING = 10_000  # executions that wait to be looked at; what comes in beyond still counts as lately come in
PLACES = 100_000  # executions of which it is known whose they are


@dataclass(frozen=True, eq=False)
class _Heard:
    execution: Execution
    context: tuple[str, ...]
    index: Index
    before: Evidence | None


class Principals:
    """The principals of one model. Safe from any number of threads; no request waits for the store.

    Parameters
    ----------
    common : what came in lately from nobody in particular
    slots : where the version that serves stands
    most : bytes; the principal that asked longest ago is forgotten first, and read from the store when it comes back
    """

    def __init__(
        self,
        journal: Journal,
        user_id: str,
        common: Recent,
        slots: Slots,
        most: int = BYTES,
    ) -> None:
        self._closed = False
        self.most, self.bytes, self.evicted, self.dropped, self.trouble = most, 0, 0, 0, ""
        self._journal, self._user, self._common, self._slots = journal, user_id, common, slots
        self._known: OrderedDict[str, Habits] = OrderedDict()
        self._sizes: dict[str, int] = {}
        self._places: OrderedDict[str, str] = OrderedDict()  # execution -> whose
        self._looked: dict[str, float] = {}  # when the store was asked last
        self.after_fork()
        _fork.renew(self)

    def after_fork(self) -> None:
        """What waits is the parent's; a thread of it may have held a lock."""
        self._lock, self._turn = threading.Lock(), threading.Lock()
        self._more = threading.Condition(threading.Lock())
        self._waiting: deque[tuple[str, _Heard | None]] = deque()
        self._thread: threading.Thread | None = None
        self._busy = False

    def close(self) -> None:
        """Ends the thread; what waits is in the store anyway."""
        with self._more:
            self._closed = True
            self._waiting.clear()
            self._more.notify_all()
        if self._thread is not None:
            self._thread.join()

    def settle(self) -> None:
        """Waits until everything that was told so far has been looked at."""
        with self._more:
            self._more.wait_for(lambda: self._closed or not (self._waiting or self._busy))

    # ---------------------------------------------------------------- answering
    def evidence(self, principal: str, index: Index, beside: bool = False) -> Evidence | None:
        """What counts for a principal's answers beside the model of an index; "": for those of nobody in particular. See `Recent.evidence`."""
        if not principal:
            return self._common.evidence(index, beside)
        habits = self._of(principal)
        found, own = habits.recent.evidence(index, beside), habits.own(index)
        if own is None:
            return found
        return replace(Evidence.of(index) if found is None else found, own=own)

    def executed(self, principal: str, execution: Execution, context: tuple[str, ...], index: Index) -> None:
        """Something was run; it counts in the principal's next answer, and for all others when a model has learned from it."""
        if not principal:
            self._common.add(execution, index)
            return
        habits = self._of(principal)
        before = habits.recent.evidence(index)
        habits.recent.add(execution, index)
        with self._lock:
            self._places[execution.id] = principal
            if len(self._places) > PLACES:
                self._places.popitem(last=False)
        self._tell(principal, _Heard(execution, context, index, before))

    def forget(self, ids: Collection[str]) -> None:
        """Executions that a model has learned from, or that were refused, are not new any more."""
        self._common.forget(ids)
        groups: dict[str, list[str]] = {}
        with self._lock:
            for key in ids:
                if (name := self._places.pop(key, None)) is not None:
                    groups.setdefault(name, []).append(key)
            known = {name: self._known[name] for name in groups if name in self._known}
        for name, habits in known.items():
            habits.recent.forget(groups[name])

    # ---------------------------------------------------------------- deciding
    def about(self, principal: str) -> dict[str, Any]:
        """What is known of a principal, as JSON values; StoreError where the store cannot be asked."""
        habits = self._read(self._of(_named(principal)))
        return habits.to_dict()

    def history(self, principal: str) -> list[PrincipalMove]:
        """What was decided of it, the latest last."""
        return self._journal.store.principal_moves(_named(principal), self._user)

    def pin(self, principal: str, mode: str, *, who: str = "operator", why: str = "not said") -> PrincipalMove:
        """Says how a principal's own executions count: "gated", where its gate says so, "on" or "off". They are kept either way."""
        return self._decide(principal, "pin", mode, who, why)

    def reset(self, principal: str, *, who: str = "operator", why: str = "not said") -> PrincipalMove:
        """What the principal ran until now counts for it no more, as if it came anew; `undo` takes that back. Its traces stay in the store, and
        what all share has learned from them stays learned."""
        return self._decide(principal, "reset", None, who, why)

    def undo(self, principal: str, *, who: str = "operator", why: str = "not said") -> PrincipalMove:
        """Takes back what was decided last; InputError where nothing was. Done twice, it takes back the taking back."""
        return self._decide(principal, "undo", None, who, why)

    def stats(self) -> dict[str, Any]:
        """As JSON values."""
        with self._lock:
            known = list(self._known.values())
        return {
            "in_memory": len(known),
            "bytes": self.bytes,
            "most_bytes": self.most,
            "evicted": self.evicted,
            "counting": sum(h.counts for h in known),
            "off": sum(h.move.mode == "off" for h in known),
            "waiting": len(self._waiting),
            "dropped": self.dropped,
        }

    def _decide(self, principal: str, action: str, mode: str | None, who: str, why: str) -> PrincipalMove:
        move = self._journal.store.move_principal(principal, action, mode=mode, who=who, why=why, user_id=self._user)
        self._read(self._of(principal))
        return move

    # ---------------------------------------------------------------- beside the answers
    def _of(self, principal: str) -> Habits:
        """A principal, which now asked last; what the store knows of it is looked for beside the answers, and from time to time again."""
        with self._lock:
            habits = self._known.get(principal)
            if habits is None:
                habits = self._known[principal] = Habits(principal, self._common)
                self._measure(habits)
            self._known.move_to_end(principal)
            due = time.monotonic() >= self._looked.get(principal, -AGAIN) + AGAIN
            if due:
                self._looked[principal] = time.monotonic()
        if due:
            self._tell(principal, None)
        return habits

    def _measure(self, habits: Habits) -> None:
        """How large it has become; where all are too large together, those that asked longest ago go."""
        if self._known.get(habits.name) is not habits:
            return
        size = habits.bytes
        self.bytes += size - self._sizes.get(habits.name, 0)
        self._sizes[habits.name] = size
        while self.bytes > self.most and len(self._known) > 1:
            name, _ = self._known.popitem(last=False)
            self.bytes -= self._sizes.pop(name, 0)
            self._looked.pop(name, None)
            self.evicted += 1

    def _tell(self, principal: str, heard: _Heard | None) -> None:
        with self._more:
            if self._closed:
                return
            if heard is not None and len(self._waiting) >= WAITING:
                self.dropped += 1
                return
            self._waiting.append((principal, heard))
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="shgat-principals", daemon=True)
                self._thread.start()
            self._more.notify_all()

    def _work(self) -> None:
        while True:
            with self._more:
                self._busy = False
                self._more.notify_all()
                self._more.wait_for(lambda: self._closed or self._waiting)
                if self._closed:
                    return
                principal, heard = self._waiting.popleft()
                self._busy = True
            try:
                self._look(principal, heard)
                self.trouble = ""
            except Exception as error:  # answers do without
                _log.log(logging.DEBUG if isinstance(error, ShgatError) else logging.WARNING, "principal %r: %s", principal, error)
                self.trouble = f"what a principal ran cannot be looked at: {error}"
                with self._lock:
                    self._looked[principal] = time.monotonic() - AGAIN + RETRY

    def _look(self, principal: str, heard: _Heard | None) -> None:
        with self._lock:
            habits = self._known.get(principal)
        if habits is None:  # forgotten meanwhile; the store has it
            return
        if heard is None:
            self._read(habits)
            return
        execution, index = heard.execution, heard.index
        context = tuple(t for t in heard.context if t in index.tools.column)
        shared = None
        if execution.x is not None:
            shared = scoring.score(
                index, execution.x[None], "tools", [execution.text] if execution.text else None, context, heard.before
            )
        with self._turn:
            habits.take(execution, shared, index)
        with self._lock:
            self._measure(habits)

    def _read(self, habits: Habits) -> Habits:
        """Takes in what the store knows."""
        store, index = self._journal.store, self._slots.production.model.index()
        moves = store.principal_moves(habits.name, self._user)
        with self._turn:
            if moves and moves[-1].number != habits.move.number:
                habits.decided(moves[-1])
            traces = store.traces_of_principal(habits.name, habits.move.since, MOST, habits.seq, self._user)
            executions = [Execution(t.id, t.embedding, t.intent, t.tools, t.outcome, "", t.timestamp or 0.0) for t in traces]
            habits.remember([e for e in executions if e.tools], index)
            habits.seq = max([habits.seq, *(t.seq for t in traces)])
        with self._lock:
            self._measure(habits)
        return habits


def _named(principal: object) -> str:
    return _check.storable_text(principal, "principal")
