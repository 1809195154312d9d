"""What was run for similar intents before: nearest traces vote for their tools. It learns from the first feedback on."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from .._kernels import topk
from .._types import Float32, Float64, Int32, Int64
from ..graph import Incidence
from .lexical import Bm25, words
from .readout import product

if TYPE_CHECKING:
    from ..traces import Traces  # who only ranks has none

MOST = 20_000  # traces remembered, the latest
NEIGHBOURS = 20
SHARPNESS = 20.0  # of the vote's softmax over cosines
WORD_SHARPNESS = 10.0  # of the vote's softmax over relative BM25
FADE = 10.0, 0.5  # votes fade where the nearest trace is farther than this cosine
FLOOR = 1e-3


@dataclass(frozen=True, eq=False)
class Memory:
    """Successful traces.

    Attributes
    ----------
    ids : N trace ids
    vectors : (N, d) float32 unit intents, rounded to float16
    texts : N intent texts
    tools : (N rows) -> tool columns
    """

    ids: tuple[str, ...]
    vectors: Float32
    texts: Sequence[str]
    tools: Incidence

    @classmethod
    def of(cls, traces: "Traces", rows: Int64) -> "Memory":
        """The successful traces among `rows`, the latest 20 000."""
        good = rows[traces.succeeded[rows] & (traces.tools.degrees[rows] > 0)]
        if not np.isnan(traces.timestamp[good]).any():
            good = good[np.argsort(traces.timestamp[good], kind="stable")]
        good = np.sort(good[-MOST:])
        vectors = traces.vectors(good)
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        vectors = vectors.astype(np.float16).astype(np.float32)  # as a model file keeps them; scaling again would round twice
        return cls(
            tuple(traces.ids[good].tolist()), vectors, [str(traces.texts[i]) for i in good.tolist()], traces.tools.take(good)
        )

    @classmethod
    def empty(cls, dimension: int) -> "Memory":
        """Of nothing."""
        return cls((), np.zeros((0, dimension), np.float32), [], Incidence.from_rows([]))

    def votes(self, x: Float32, n_tools: int) -> Float32:
        """log(1e-3 + share of the vote) (B, n_tools) for intents x (B, d).

        The 20 nearest traces vote with weights exp(20 (cos - 1)), faded by sigmoid(10 (nearest cos - 0.5)).
        """
        votes = np.zeros((len(x), n_tools))
        if len(self.vectors):
            unit = x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)
            cosine = product(np.ascontiguousarray(unit, np.float32), self.vectors)
            for row, values in zip(votes, cosine, strict=True):
                near, best = nearest(values)
                fade = 1.0 / (1.0 + math.exp(-FADE[0] * (best[0] - FADE[1])))
                self._vote(row, near, np.exp(SHARPNESS * (best - 1.0)), fade)
        return _log(votes)

    def word_votes(self, texts: Sequence[str], n_tools: int) -> Float32:
        """The same by shared words: the 20 traces with the highest BM25, among those that share any, vote with weights
        exp(10 (s / best - 1))."""
        votes = np.zeros((len(texts), n_tools))
        for row, text in zip(votes, texts, strict=True):
            query = words(text)
            if query and len(self.vectors):
                near, best = nearest(self._bm25.scores(query))
                self._vote(row, near, np.exp(WORD_SHARPNESS * (best / (best[0] + 1e-6) - 1.0)) * (best > 0.0), 1.0)
        return _log(votes)

    def extended(self, other: "Memory") -> "Memory":
        """This memory and the traces of the other one that are new to it, the latest 20 000; both over the same tools."""
        known = set(self.ids)
        fresh = [i for i, key in enumerate(other.ids) if key not in known]
        parts = (self, list(range(max(0, len(self.ids) + len(fresh) - MOST), len(self.ids)))), (other, fresh[-MOST:])
        rows = [m.tools.row(i).tolist() for m, chosen in parts for i in chosen]
        return Memory(
            tuple(m.ids[i] for m, chosen in parts for i in chosen),
            np.concatenate([m.vectors[chosen] for m, chosen in parts]),
            [m.texts[i] for m, chosen in parts for i in chosen],
            Incidence.from_rows(rows),
        )

    @cached_property
    def words(self) -> list[list[str]]:
        """Of each text."""
        return [words(text) for text in self.texts]

    @cached_property
    def _bm25(self) -> Bm25:
        return Bm25(self.words)

    def _vote(self, row: Float64, traces: Int32, weights: Float32, fade: float) -> None:
        shares = weights.astype(np.float64)
        shares *= fade / (shares.sum() + 1e-9)
        topk.vote(traces, shares, self.tools.indptr, self.tools.indices, row)


def nearest(scores: Float32) -> tuple[Int32, Float32]:
    """The 20 highest of the scores (N,), best first: where they stand, and what they are."""
    k = min(NEIGHBOURS, len(scores))
    best, where = np.empty(k, np.float32), np.empty(k, np.int32)
    topk.top_k(scores, best, where)
    return where, best


def _log(votes: Float64) -> Float32:
    return np.log(votes + FLOOR).astype(np.float32)
