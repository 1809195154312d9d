"""Executions that no model has learned from yet: they count in the next answer, and leave when a model has taken them in.

A tool, and a source (a session or a client), holds a quarter of the 256 places at most, so that nobody's feedback drowns the others'.
"""

import threading
from collections import OrderedDict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .. import _fork
from .._types import Float32, Float64
from ..graph import Incidence
from ..traces.outages import failures_of_outages
from ..traces.record import SUCCESS
from .index import Index
from .intents import unit
from .memory import Memory
from .own import Own
from .success import SuccessRates
from .words import terms

PLACES = 256
SHARE = 4  # a tool or a source holds one place in so many at most
LONGEST = 3600.0  # seconds; by then a training has taken them in, or refused them
_ENTRY = 600  # bytes of an execution beside its text and its intent
UNKNOWN_WORD = 3.0  # what sharing a word counts that the model's memory has never read


@dataclass(frozen=True, eq=False)
class Extended(Memory):
    """A large memory and a few traces behind it, without a copy of the large one.

    Attributes
    ----------
    before, fresh : the two; ids, vectors and texts are those of the fresh ones alone
    terms_of : of each fresh text
    """

    before: Memory | None = None
    fresh: Memory | None = None
    terms_of: Sequence[Sequence[str]] = ()

    @classmethod
    def by(cls, before: Memory, fresh: Memory, terms_of: Sequence[Sequence[str]]) -> "Extended":
        return cls(
            fresh.ids, fresh.vectors, fresh.texts, Incidence.stacked([before.tools, fresh.tools]),
            np.concatenate([before.outcomes, fresh.outcomes]), np.concatenate([before.timestamps, fresh.timestamps]),
            before, fresh, terms_of,
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.outcomes)

    def _cosines(self, unit: Float32) -> Float32:
        assert self.before is not None
        assert self.fresh is not None
        return np.concatenate([self.before.cosines(unit), self.fresh.cosines(unit)], axis=1)

    def sample(self, most: int) -> Float32:
        assert self.before is not None
        assert self.fresh is not None
        fresh = self.fresh.sample(most)
        return np.concatenate([self.before.sample(max(1, most - len(fresh))), fresh])

    def _shared_words(self, query: Sequence[str]) -> Float32:
        assert self.before is not None
        assert self.fresh is not None
        shared = np.zeros(len(self.fresh), np.float32)
        for word in set(query):
            rows = self._rows_of.get(word)
            if rows:
                shared[rows] += self.before.rarity(word, UNKNOWN_WORD)
        return np.concatenate([self.before._shared_words(query), shared])

    @cached_property
    def _rows_of(self) -> dict[str, list[int]]:
        """Word -> fresh traces that hold it."""
        found: dict[str, list[int]] = {}
        for row, held in enumerate(self.terms_of):
            for word in set(held):
                found.setdefault(word, []).append(row)
        return found


@dataclass(frozen=True, eq=False)
class Evidence:
    """A model's memory and success rates with the fresh traces among them.

    Attributes
    ----------
    own : what the principal who asks has run itself, None where that does not count
    """

    memory: Memory
    success: SuccessRates
    own: Own | None = None

    @classmethod
    def of(cls, index: Index) -> "Evidence":
        """A model's own, without any fresh trace."""
        channels = index.channels.channels
        return cls(channels.memory, channels.success)

    @property
    def fresh(self) -> Memory | None:
        """The fresh traces, None where there are none."""
        return self.memory.fresh if isinstance(self.memory, Extended) else None


@dataclass(frozen=True, eq=False)
class Execution:
    """What was run for an intent.

    Attributes
    ----------
    id : of its trace
    x : (d,) float32 intent, or None where it has only a text
    tools : ids
    source : whose it is, "" where unknown
    timestamp : seconds since 1970
    """

    id: str
    x: Float32 | None
    text: str
    tools: tuple[str, ...]
    outcome: float
    source: str
    timestamp: float

    @cached_property
    def unit(self) -> Float32 | None:
        """(d,) of length 1."""
        return unit(self.x)

    @cached_property
    def terms(self) -> list[str]:
        """Of the text."""
        return terms(self.text)


class Recent:
    """The latest executions. Safe from any thread; readers wait for no writer.

    Parameters
    ----------
    common : those that count here too, of nobody in particular; None: there are none
    """

    def __init__(self, common: "Recent | None" = None) -> None:
        self._common, self.changes = common, 0
        self._lock = threading.Lock()
        self._entries: OrderedDict[str, Execution] = OrderedDict()
        self._made: tuple[
            tuple[Index, Evidence, int], ...
        ] = ()  # of production, and of a canary beside it; `changes` of the common ones
        _fork.renew(self)

    def after_fork(self) -> None:
        """A thread of the parent may have held the lock."""
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, execution: Execution, index: Index) -> None:
        """Takes one in; the evidence for the indices that answer now is made here, so that no request waits for it."""
        with self._lock:
            self._entries[execution.id] = execution
            self._make_room(execution)
            beside = [i for i, *_ in self._made if i is not index]
            self.changes += 1
            self._made = tuple(self._evidence(i) for i in (index, *beside[:1])) if self._entries else ()

    def forget(self, ids: Collection[str]) -> None:
        """Those that a model has learned from, or that were refused."""
        with self._lock:
            for key in ids:
                self._entries.pop(key, None)
            self.changes += 1
            self._made = ()

    def evidence(self, index: Index, beside: bool = False) -> Evidence | None:
        """For the answers of an index; None where there is nothing to add. What its model has taken in leaves.

        Parameters
        ----------
        beside : it answers beside production, which still needs what this model has taken in
        """
        common = 0 if self._common is None else self._common.changes
        for known, evidence, changes in self._made:
            if known is index and changes == common:
                return evidence
        if not self._entries:
            return None if self._common is None else self._common.evidence(index, beside)
        with self._lock:
            learned = self._entries.keys() & index.channels.channels.memory.remembered
            for key in () if beside else learned:
                del self._entries[key]
            if len(self._entries) > (len(learned) if beside else 0):
                made = self._evidence(index)
                self._made = made, *[kept for kept in self._made if kept[0] is not index][:1]
                return made[1]
        return None if self._common is None else self._common.evidence(index, beside)

    def entries(self) -> tuple[list[Execution], int]:
        """The executions, the latest last, and how often they have changed."""
        with self._lock:
            return list(self._entries.values()), self.changes

    @property
    def bytes(self) -> int:
        """About as many as the executions take."""
        return sum(_ENTRY + len(e.text) + (0 if e.x is None else 8 * e.x.size) for e in list(self._entries.values()))

    def _make_room(self, newest: Execution) -> None:
        entries = list(self._entries.values())
        same_tools = [e.id for e in entries if e.tools == newest.tools]
        same_source = [e.id for e in entries if e.source == newest.source] if newest.source else []
        for alike in (same_tools, same_source):
            for key in alike[: max(0, len(alike) - PLACES // SHARE)]:
                self._entries.pop(key, None)
        while len(self._entries) > PLACES or next(iter(self._entries.values())).timestamp < newest.timestamp - LONGEST:
            self._entries.popitem(last=False)

    def _evidence(self, index: Index) -> tuple[Index, Evidence, int]:
        common, changes = ([], 0) if self._common is None else self._common.entries()
        before = index.channels.channels
        heard = [*common, *self._entries.values()]
        known = _known([e for e in heard if e.id not in before.memory.remembered], index)
        fresh = _memory(known, index.dimension)
        success = before.success.and_those_of(SuccessRates.of(fresh, len(index.tools.ids)))
        return index, Evidence(Extended.by(before.memory, fresh, [e.terms for e, _ in known]), success), changes


def _known(entries: Iterable[Execution], index: Index) -> list[tuple[Execution, list[int]]]:
    """Those that ran a tool of the index, with its columns, less the failures of an outage."""
    column = index.tools.column
    known = [(e, tools) for e in entries if (tools := [column[t] for t in e.tools if t in column])]
    if all(e.outcome >= SUCCESS for e, _ in known):
        return known
    outcome: Float32 = np.array([e.outcome for e, _ in known], np.float32)
    timestamp: Float64 = np.array([e.timestamp for e, _ in known], np.float64)
    excused = failures_of_outages(Incidence.from_rows(t for _, t in known), outcome, timestamp).tolist()
    return [pair for pair, of_outage in zip(known, excused, strict=True) if not of_outage]


def _memory(known: list[tuple[Execution, list[int]]], dimension: int) -> Memory:
    """The executions as traces."""
    nothing = np.zeros(dimension, np.float32)
    vectors = [nothing if e.unit is None else e.unit for e, _ in known]
    return Memory(
        tuple(e.id for e, _ in known),
        np.stack(vectors) if vectors else np.zeros((0, dimension), np.float32),
        [e.text for e, _ in known],
        Incidence.from_rows(t for _, t in known),
        np.array([e.outcome for e, _ in known], np.float32),
        np.array([e.timestamp for e, _ in known], np.float64),
    )
