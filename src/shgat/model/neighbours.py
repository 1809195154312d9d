"""Neighbours: a graph over the keys of many tools, which proposes candidates; what it proposes is scored exactly.

The graph is HNSW (Malkov and Yashunin, 2016) as `usearch` has it, over keys of length 1 in int8: scored again by the keys themselves, what
it finds is as good as that of a graph over float16, at half of the memory and time. It never changes. Tools that came after it was made are
loose: they are scored with every request. Tools that went are dropped from what it finds.
"""

import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _fork
from .._kernels import readout
from .._types import Float32, Int32, Int64
from ..errors import MissingExtraError
from .readout import product

if TYPE_CHECKING:
    from .candidates import Candidates

CONNECTIVITY, EXPANSION_ADD, EXPANSION = 24, 128, 128  # M, efConstruction and efSearch of the graph
FETCHED = 4  # candidates of the graph for each item that is asked for
FEWEST = 64  # candidates of the graph at least
MOST = 2048  # candidates of the graph at most: to score all is quicker than to fetch more
FEW = 20_000  # tools that a request may have, up to which they are scored without asking the graph
LOOSE = 0.1  # share of tools that are not in the graph, from which all are scored
BATCH = 8192  # rows between two reports of progress
PROBES = 4
MOVED = 0.05  # distance that a key may have moved and still be found where it was


class Graph:
    """What `usearch` keeps, and marks by which the rows are known again.

    Parameters
    ----------
    index : of usearch, labels 0 to n - 1
    marks : (n, 4) float32, see `marks_of`
    source : memory that the index reads and does not own, None where it owns it
    """

    def __init__(self, index: Any, marks: Float32, source: object = None) -> None:
        self.index, self.marks, self._source = index, marks, source
        self.after_fork()
        _fork.renew(self)

    def after_fork(self) -> None:
        """A thread of the parent may have held the lock."""
        self._lock = threading.Lock()

    @classmethod
    def of(cls, keys: Float32, threads: int | None = None, progress: Callable[[int, int], None] | None = None) -> "Graph":
        """Over unit keys (n, D).

        Parameters
        ----------
        threads : None: as many as there are processors that this process may use
        progress : called with how many rows are in, and of how many, after each batch
        """
        index, n = empty(keys.shape[1]), len(keys)
        threads = len(os.sched_getaffinity(0)) if threads is None else threads
        for start in range(0, n, BATCH):
            stop = min(start + BATCH, n)
            index.add(np.arange(start, stop, dtype=np.uint64), keys[start:stop], threads=threads)
            if progress is not None:
                progress(stop, n)
        return cls(index, marks_of(keys))

    def __len__(self) -> int:
        return len(self.marks)

    def search(self, q: Float32, count: int) -> Int64:
        """Labels of at most `count` rows that are near to the unit query (D,). One at a time: threads would share its scratch memory."""
        with self._lock:
            found = self.index.search(q, count, threads=1).keys
        labels = np.asarray(found).astype(np.int64)
        return labels[(labels >= 0) & (labels < len(self.marks))]


@dataclass(frozen=True, eq=False)
class Neighbours:
    """A graph as one version of the tools sees it.

    Attributes
    ----------
    graph : shared with other versions
    column_of : (n labels,) column of the tool behind each label, -1 where it is gone or its key is another now
    loose : columns that the graph does not have, ascending
    """

    graph: Graph
    column_of: Int32
    loose: Int32

    @classmethod
    def of(cls, keys: Float32, threads: int | None = None, progress: Callable[[int, int], None] | None = None) -> "Neighbours":
        """Over unit keys (n, D); parameters as those of `Graph.of`."""
        return cls(Graph.of(keys, threads, progress), np.arange(len(keys), dtype=np.int32), np.zeros(0, np.int32))

    @classmethod
    def fitted(cls, graph: Graph, column_of: Int32, keys: Float32) -> "Neighbours":
        """The graph over keys (n, D) where `column_of` says that its labels stand; what is not near to where it was is loose."""
        there = np.flatnonzero((column_of >= 0) & (column_of < len(keys)))
        columns = column_of[there]
        apart = np.linalg.norm(marks_of(keys)[columns] - graph.marks[there], axis=1) / np.sqrt(PROBES)
        good = apart <= MOVED
        kept = np.full(len(graph), -1, np.int32)
        kept[there[good]] = columns[good]
        known = np.zeros(len(keys), bool)
        known[columns[good]] = True
        return cls(graph, kept, np.flatnonzero(~known).astype(np.int32))

    def over(self, before: Sequence[str], after: "Candidates") -> "Neighbours":
        """The same graph over other tools: ids that stood in the columns `before` are looked for among those that are there now."""
        if len(before) == len(after.ids) and before == after.ids:
            return Neighbours.fitted(self.graph, self.column_of, after.keys)
        own = {key: i for i, key in enumerate(after.ids)}
        place = np.fromiter((own.get(key, -1) for key in before), np.int32, len(before))
        known = self.column_of >= 0
        moved = np.full(len(self.column_of), -1, np.int32)
        moved[known] = place[self.column_of[known]]
        return Neighbours.fitted(self.graph, moved, after.keys)

    def grown(self, n: int) -> "Neighbours":
        """With tools behind the others, n in all."""
        behind = np.arange(len(self.loose) + self.known, n, dtype=np.int32)
        return Neighbours(self.graph, self.column_of, np.concatenate([self.loose, behind]))

    @cached_property
    def known(self) -> int:
        """Tools that the graph has."""
        return int((self.column_of >= 0).sum())

    @property
    def stale(self) -> bool:
        """Are so many tools loose that a new graph is worth its making?"""
        return len(self.loose) > LOOSE * (len(self.loose) + self.known)

    def candidates(self, q: Float32, k: int, allowed: Int32 | None) -> Int32 | None:
        """Columns to score for the unit query (D,), sorted, at least k of them where there are k; None where all are to be scored.

        Parameters
        ----------
        allowed : sorted columns that may be had, None for all
        """
        n = len(self.loose) + self.known
        m = n if allowed is None else len(allowed)
        if allowed is not None and m <= FEW:
            return allowed
        fetch = -(-max(FEWEST, FETCHED * k) * n // max(m, 1))
        if self.stale or fetch > min(MOST, n // 2):
            return None
        found = self.column_of[self.graph.search(q, fetch)]
        found = np.unique(np.concatenate([found[found >= 0], self.loose]))
        if allowed is not None:
            found = found[_among(found, allowed)]
        return found if len(found) >= min(k, m) else None


def scores(q: Float32, candidates: "Candidates", columns: Int32, scale: float) -> Float32:
    """z of some columns for the unit query (D,), as all have it when all are scored: twins take one score."""
    rows = columns
    if len(twins := candidates.twins):
        at = np.minimum(np.searchsorted(twins[:, 0], columns), len(twins) - 1)
        rows = np.where(twins[at, 0] == columns, twins[at, 1], columns).astype(np.int32)
    z = np.empty(len(rows), np.float32)
    readout.score_rows(q, candidates.keys, rows, scale, z)
    return z


def marks_of(keys: Float32) -> Float32:
    """(n, 4) products of the keys (n, D) with four random vectors: |difference of marks| / 2 estimates how far apart two keys are."""
    probes = np.random.default_rng(0).standard_normal((PROBES, keys.shape[1])).astype(np.float32)
    return product(keys, probes)


def empty(dimension: int) -> Any:
    """An index of usearch without a row; MissingExtraError where usearch is not installed."""
    try:
        from usearch.index import Index
    except ImportError:
        raise MissingExtraError("usearch", "ann") from None
    return Index(
        ndim=dimension, metric="ip", dtype="i8", connectivity=CONNECTIVITY, expansion_add=EXPANSION_ADD, expansion_search=EXPANSION
    )  # fmt: skip


def _among(columns: Int32, allowed: Int32) -> Any:
    """Which of the columns are allowed; both sorted, some are."""
    at = np.minimum(np.searchsorted(allowed, columns), len(allowed) - 1)
    return allowed[at] == columns
