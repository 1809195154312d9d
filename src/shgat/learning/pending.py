"""What was decided and executed and is not in the store yet, in memory."""

import itertools
import threading
import time
from collections import OrderedDict
from typing import Any

from ..errors import StoreError
from ..store import Decision
from .entry import Entry

RECENT = 4096  # decisions at hand for their feedback
ANSWERED = 65_536  # decisions whose feedback is remembered to have come
WAITING = 20_000  # decisions, and feedback, kept while the store cannot be reached
PATIENCE = 300.0  # seconds for which feedback waits for a decision of another process
LOOK = (0.05, 5.0)  # seconds between looks for such decisions: at first, and at most


class Pending:
    """Bounded, and safe from any number of threads.

    Attributes
    ----------
    changed : its lock, notified when something comes in
    dropped : decisions that were given up because too many were waiting
    """

    def __init__(self) -> None:
        self.recent: OrderedDict[str, Decision] = OrderedDict()
        self.answered: OrderedDict[str, None] = OrderedDict()
        self.dropped = 0
        self.reset()

    def reset(self) -> None:
        """In a forked child: what waits is the parent's, which writes it; what is known stays known."""
        self.changed = threading.Condition()
        self.decisions: OrderedDict[str, Decision] = OrderedDict()
        self.entries: OrderedDict[str, Entry] = OrderedDict()  # feedback whose decision is known
        self.alone: OrderedDict[str, tuple[Entry, float]] = OrderedDict()  # whose is not, and since when
        self._pause, self._next_look = LOOK[0], 0.0

    def __len__(self) -> int:
        return len(self.decisions) + len(self.entries) + len(self.alone)

    def decided(self, decision: Decision) -> None:
        """Takes a decision; the oldest one is given up where too many wait."""
        with self.changed:
            self.recent[decision.id] = decision
            self.decisions[decision.id] = decision
            if len(self.recent) > RECENT:
                self.recent.popitem(last=False)
            if len(self.decisions) > WAITING:
                self.decisions.popitem(last=False)
                self.dropped += 1
            if (
                len(self.decisions) == 1
            ):  # whoever writes is awake where others wait already: to wake it for each costs a request 0.1 ms
                self.changed.notify()

    def decision(self, key: str) -> Decision | None:
        """One that was made here a while ago, or waits."""
        with self.changed:
            return self.recent.get(key) or self.decisions.get(key)

    def executed(self, entry: Entry) -> bool:
        """Takes feedback; False where the decision had its own. StoreError where too much waits already: feedback is never given up."""
        with self.changed:
            if entry.key in self.answered:
                return False
            if len(self.entries) + len(self.alone) >= WAITING:
                raise StoreError(f"{WAITING} traces are waiting for the store already")
            self.answered[entry.key] = None
            if len(self.answered) > ANSWERED:
                self.answered.popitem(last=False)
            self.keep(entry)
            return True

    def keep(self, entry: Entry) -> None:
        """What is to be written."""
        with self.changed:
            if entry.trace is None and entry.decision is not None:
                self.decisions[entry.decision.id] = entry.decision
            elif entry.decision is None:
                self.alone[entry.key] = entry, time.monotonic()
                self.look_soon()
            else:
                self.entries[entry.key] = entry
            self.changed.notify()

    def some(self, waiting: "OrderedDict[str, Any]", n: int) -> list[Any]:
        """The first n of what waits."""
        with self.changed:
            return list(itertools.islice(waiting.values(), n))

    def forget(self, waiting: "OrderedDict[str, Any]", keys: list[str]) -> None:
        """These of what waits are in the store."""
        with self.changed:
            for key in keys:
                waiting.pop(key, None)

    # ---------------------------------------------------------------- feedback without its decision
    @property
    def until_look(self) -> float:
        """Seconds until decisions are to be looked for, infinity where none is."""
        return max(0.0, self._next_look - time.monotonic()) if self.alone else float("inf")

    def look_soon(self) -> None:
        """The next look is due now, and the ones after it come quickly."""
        self._pause, self._next_look = LOOK[0], 0.0

    def sought(self) -> list[str]:
        """The ids of decisions to be looked for now; the next time is later."""
        if self.until_look > 0.0:
            return []
        self._next_look = time.monotonic() + self._pause
        self._pause = min(2.0 * self._pause, LOOK[1])
        with self.changed:
            return list(self.alone)

    def found(self, decisions: dict[str, Decision]) -> tuple[list[Entry], list[str]]:
        """Joins feedback with its decisions; what was joined, and the ids of what waited in vain, which goes on without."""
        joined, in_vain = [], []
        with self.changed:
            for key, (entry, since) in list(self.alone.items()):
                if key in decisions:
                    self.entries[key] = entry.joined(decisions[key])
                    joined.append(self.entries[key])
                elif time.monotonic() >= since + PATIENCE:
                    self.entries[key] = entry
                    in_vain.append(key)
                else:
                    continue
                del self.alone[key]
        return joined, in_vain
