"""What was run for similar intents before: the nearest traces that worked vote for their tools. It learns from the first feedback on.

Traces that failed are remembered too, for the success rates of their tools (see `success`); they have no vote.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from .._kernels import topk
from .._types import Bool, Float32, Float64, Int32, Int64
from ..graph import Incidence
from ..traces.outages import outage
from ..traces.record import SUCCESS
from .cells import Cells
from .condensing import capacity, condensed
from .lexical import Bm25
from .readout import product, unit_rows
from .words import terms

if TYPE_CHECKING:
    from ..traces import Traces  # who only ranks has none

NEIGHBOURS = 20
SHARPNESS = 20.0  # of the vote's softmax over cosines
WORD_SHARPNESS = 10.0  # of the vote's softmax over relative BM25
FADE = 10.0, 0.5  # votes fade where the nearest trace is farther than this cosine
FLOOR = 1e-3
CELLED = 8192  # traces from which an intent is compared with those of the nearest cells alone
UNHEARD = np.float32(-2.0)  # a cosine that none is as low as


@dataclass(frozen=True, eq=False)
class Memory:
    """Traces, the latest last.

    Attributes
    ----------
    ids : N trace ids
    vectors : (N, d) float32 unit intents, rounded to float16; zero where an intent has only a text
    texts : N intent texts
    tools : (N rows) -> tool columns
    outcome : (N,) float32 in [0, 1]; None: all worked
    timestamp : (N,) float64 seconds since 1970, NaN where unknown; None: all unknown
    """

    ids: tuple[str, ...]
    vectors: Float32
    texts: Sequence[str]
    tools: Incidence
    outcome: Float32 | None = None
    timestamp: Float64 | None = None

    @classmethod
    def of(cls, traces: "Traces", rows: Int64) -> "Memory":
        """The traces among `rows` that ran tools, as many as 64 MB hold, see `condensing`; failures of an outage are left out, since they tell
        nothing of a tool."""
        good = rows[(traces.tools.degrees[rows] > 0) & ~outage(traces)[rows]]
        if not np.isnan(traces.timestamp[good]).any():
            good = good[np.argsort(traces.timestamp[good], kind="stable")]
        room = capacity(traces.vectors(good[:1]).shape[1], sum(len(str(traces.texts[i])) for i in good.tolist()), len(good))
        good = np.sort(good[condensed(traces.tools.take(good), room)])
        vectors = traces.vectors(good)
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        vectors = vectors.astype(np.float16).astype(np.float32)  # as a model file keeps them; scaling again would round twice
        return cls(
            tuple(traces.ids[good].tolist()), vectors, [str(traces.texts[i]) for i in good.tolist()], traces.tools.take(good),
            traces.outcome[good], traces.timestamp[good],
        )  # fmt: skip

    @classmethod
    def empty(cls, dimension: int) -> "Memory":
        """Of nothing."""
        return cls((), np.zeros((0, dimension), np.float32), [], Incidence.from_rows([]))

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def remembered(self) -> frozenset[str]:
        """The ids, to look up."""
        return frozenset(self.ids)

    @cached_property
    def outcomes(self) -> Float32:
        """(N,) in [0, 1]."""
        return np.ones(len(self.ids), np.float32) if self.outcome is None else self.outcome

    @cached_property
    def timestamps(self) -> Float64:
        """(N,) seconds since 1970, NaN where unknown."""
        return np.full(len(self.ids), np.nan) if self.timestamp is None else self.timestamp

    @cached_property
    def worked(self) -> Bool:
        """(N,) did it work rather than fail?"""
        return np.greater_equal(self.outcomes, SUCCESS)

    @cached_property
    def failed(self) -> Int64:
        """Rows that failed."""
        return np.flatnonzero(~self.worked)

    def votes(self, x: Float32, n_tools: int, without: Sequence[int] | None = None) -> Float32:
        """log(1e-3 + share of the vote) (B, n_tools) for intents x (B, d).

        The 20 nearest traces that worked vote with weights exp(20 (cos - 1)), faded by sigmoid(10 (nearest cos - 0.5)).

        Parameters
        ----------
        without : a row for each intent that has no vote, -1 for none: that of the intent itself
        """
        votes = _silent(len(x), n_tools)
        if len(self):
            for row, values in zip(votes, self._heard(x, without), strict=True):
                near, best = nearest(values)
                fade = 1.0 / (1.0 + math.exp(-FADE[0] * (float(best[0]) - FADE[1])))
                self._vote(row, near, np.exp(SHARPNESS * (best - 1.0)), fade)
        return votes

    def word_votes(self, queries: Sequence[Sequence[str]], n_tools: int, without: Sequence[int] | None = None) -> Float32:
        """The same by shared words, for what each intent is looked up by: the 20 traces with the highest BM25, among those that share
        any, vote with weights exp(10 (s / best - 1))."""
        votes = _silent(len(queries), n_tools)
        for i, (row, query) in enumerate(zip(votes, queries, strict=True)):
            if query and len(self):
                scores = self._shared_words(query)
                self._silence(scores[None], None if without is None else without[i : i + 1], np.float32(0.0))
                near, best = nearest(scores)
                self._vote(row, near, np.exp(WORD_SHARPNESS * (best / (best[0] + 1e-6) - 1.0)) * (best > 0.0), 1.0)
        return votes

    def rarity(self, word: str, unknown: float) -> float:
        """Of a word among the texts; see `Bm25.rarity`."""
        return self._bm25.rarity(word, unknown)

    def cosines(self, x: Float32) -> Float32:
        """(B, N) of intents (B, d) and the traces. Not to be written to; see `_of_one`.

        Of a single intent and a large memory those of traces far from it are -2, see `cells`.
        """
        return self._of_one(x)[1] if len(x) == 1 else self._cosines(unit_rows(x))

    @property
    def celled(self) -> bool:
        """Is a single intent compared with the nearest traces alone?"""
        return len(self.vectors) >= CELLED

    @cached_property
    def _cells(self) -> Cells:
        return Cells.of(self.vectors)

    def _of_one(self, x: Float32) -> tuple[bytes, Float32, Float32]:
        """The intent (1, d) as bytes, its cosines, and those of traces that have a vote. Votes, nearness, home and success ask for the same,
        so that what a single intent has is kept until the next."""
        question, kept = x.tobytes(), self._last
        if kept is None or kept[0] != question:
            unit = unit_rows(x)
            cosine = self._cells.cosines(unit[0], UNHEARD)[None] if self.celled else self._cosines(unit)
            kept = self.__dict__["_last"] = question, cosine, self._silenced(cosine, None)
        return kept

    @cached_property
    def _last(self) -> tuple[bytes, Float32, Float32] | None:
        """Of the latest single intent; see `_of_one`."""
        return None

    def _cosines(self, unit: Float32) -> Float32:
        """(B, N) of unit intents (B, d) and the traces."""
        return product(unit, self.vectors)

    def _shared_words(self, query: Sequence[str]) -> Float32:
        """(N,) BM25 of each trace's words, in an array of the caller's own."""
        return self._bm25.scores(query)

    def nearest(self, x: Float32, without: Sequence[int] | None = None) -> Float32:
        """(B,) cosine of each intent (B, d) to the nearest trace that worked, -2 where there is none."""
        return np.asarray(self._heard(x, without).max(axis=1, initial=UNHEARD), np.float32)

    def closest(self, x: Float32, k: int, without: Sequence[int] | None = None) -> Float32:
        """(B, at most k) cosines of each intent (B, d) to the nearest traces that worked, -2 where there are fewer."""
        cosine = self._heard(x, without)
        k = min(k, cosine.shape[1])
        return np.stack([highest(row, k)[1] for row in cosine]) if len(x) else np.empty((0, k), np.float32)

    def _heard(self, x: Float32, without: Sequence[int] | None) -> Float32:
        """(B, N) cosines of intents (B, d) and the traces, -2 where a trace has no vote. Not to be written to."""
        return self._of_one(x)[2] if without is None and len(x) == 1 else self._silenced(self.cosines(x), without)

    def _silenced(self, cosine: Float32, without: Sequence[int] | None) -> Float32:
        if not len(self.failed) and without is None:
            return cosine
        found = cosine.copy()
        self._silence(found, without, UNHEARD)
        return found

    def _silence(self, scores: Float32, without: Sequence[int] | None, least: np.float32) -> None:
        """Sets the scores (B, N) of what has no vote to the least there is."""
        if len(self.failed):
            scores[:, self.failed] = least
        for row, own in zip(scores, without or (), strict=False):
            if own >= 0:
                row[own] = least

    def sample(self, most: int) -> Float32:
        """(m, d) at most so many of the intents that have a vector, evenly spaced."""
        heard = np.flatnonzero(self.vectors.any(axis=1))
        return self.vectors[heard[:: max(1, -(-len(heard) // most))]]

    @property
    def proven(self) -> Int32:
        """Columns of tools that worked, some of them more than once."""
        return self.tools.take(np.flatnonzero(self.worked)).indices

    def take(self, rows: Int64) -> "Memory":
        """The given rows, in the given order."""
        return Memory(
            tuple(self.ids[i] for i in rows.tolist()), self.vectors[rows], [self.texts[i] for i in rows.tolist()], self.tools.take(rows),
            self.outcomes[rows], self.timestamps[rows],
        )  # fmt: skip

    def extended(self, other: "Memory") -> "Memory":
        """This memory and the traces of the other one that are new to it, as many as 64 MB hold; both over the same tools."""
        known = set(self.ids)
        new = other.take(np.array([i for i, key in enumerate(other.ids) if key not in known], np.int64))
        both = Memory(
            (*self.ids, *new.ids), np.concatenate([self.vectors, new.vectors]), [*self.texts, *new.texts],
            Incidence.stacked([self.tools, new.tools]), np.concatenate([self.outcomes, new.outcomes]),
            np.concatenate([self.timestamps, new.timestamps]),
        )  # fmt: skip
        room = capacity(self.vectors.shape[1], sum(map(len, both.texts)), len(both))
        return both if len(both) <= room else both.take(condensed(both.tools, room))

    @cached_property
    def terms(self) -> list[list[str]]:
        """Of each text."""
        return [terms(text) for text in self.texts]

    @cached_property
    def _bm25(self) -> Bm25:
        return Bm25(self.terms)

    def _vote(self, row: Float32, traces: Int32, weights: Float32, fade: float) -> None:
        topk.vote(traces, weights, fade, FLOOR, self.tools.indptr, self.tools.indices, row)


def nearest(scores: Float32) -> tuple[Int32, Float32]:
    """The 20 highest of the scores (N,), as many as there are; see `highest`."""
    return highest(scores, min(NEIGHBOURS, len(scores)))


def highest(scores: Float32, k: int) -> tuple[Int32, Float32]:
    """The k highest of the scores (N,), best first: where they stand, and what they are."""
    best, where = np.empty(k, np.float32), np.empty(k, np.int32)
    topk.top_k(scores, best, where)
    return where, best


def _silent(n: int, n_tools: int) -> Float32:
    """(n, n_tools) what tools have for which nobody votes."""
    return np.full((n, n_tools), math.log(FLOOR), np.float32)
