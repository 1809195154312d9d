"""Intents that were asked, and what several steps of one answer need of them, computed once."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .._kernels import readout
from .._types import Float32
from ..metrics.calibration import sigmoid
from .candidates import Candidates
from .index import Index
from .readout import head_scores, product, scores
from .wide import add_words


@dataclass(frozen=True, eq=False)
class Question:
    """Checked intents x (B, d) to one index.

    Attributes
    ----------
    texts : of each, None where they have none
    """

    index: Index
    x: Float32
    context_tools: Sequence[str] = ()
    texts: Sequence[str] | None = None

    @cached_property
    def q(self) -> Float32:
        """(B, D) queries, see `queries`."""
        return queries(self.index, self.x, self.context_tools, self.texts)

    def logits(self, candidates: Candidates) -> Float32:
        """z (B, n), or the mean of the heads' sigmoids where they are fused so; an array of the caller's own."""
        known: dict[int, Float32] = self._known
        found = known.get(id(candidates))
        if found is None:
            folded = self._is_foldable(candidates)
            found = known[id(candidates)] = self._folded(candidates) if folded else _logits(self.index, self.q, candidates)
        return found.copy()

    def without_words(self) -> "Question":
        """The same intents without what their texts add."""
        return self if self.index.w_words is None or self.texts is None else Question(self.index, self.x, self.context_tools)

    @cached_property
    def _known(self) -> dict[int, Float32]:
        return {}

    def _is_foldable(self, candidates: Candidates) -> bool:
        """Is one product with folded keys enough? Of one intent without a context: of many, one product with all keys is as quick."""
        plain = not self.context_tools and self.index.w_words is None and self.index.state.config.fusion != "sigmoid"
        return plain and len(self.x) == 1 and candidates.folded is not None

    def _folded(self, candidates: Candidates) -> Float32:
        index, keys = self.index, candidates.folded
        assert keys is not None
        z = np.empty((1, len(keys)), np.float32)
        readout.score_folded(self.x[0], keys, index.scale, index.stretch, index.cosine, z[0])
        return z


def queries(index: Index, x: Float32, context_tools: Sequence[str], texts: Sequence[str] | None) -> Float32:
    """(B, D) unit queries (as they are for "dot")."""
    context = index.tools.columns(context_tools, "context_tools")
    if index.w_words is not None:
        x = x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), np.float32(1e-12))
    q = product(x, index.w_query)
    if index.w_words is not None and texts is not None:
        add_words(q, index.w_words, texts)
    if len(context):
        q += index.w_context @ index.tools.x[context].mean(axis=0)
    if index.cosine:
        readout.normalize_rows(q, q, np.empty(len(q), np.float32))
    return q


def _logits(index: Index, q: Float32, candidates: Candidates) -> Float32:
    """z (B, n), or the mean of the heads' sigmoids where they are fused so."""
    if index.state.config.fusion == "sigmoid":
        rows = [_mean_sigmoid(row, candidates, index) for row in q]
        return np.stack(rows) if rows else np.empty((0, len(candidates.ids)), np.float32)
    return scores(q, candidates.keys, index.scale)


def _mean_sigmoid(q: Float32, candidates: Candidates, index: Index) -> Float32:
    heads = head_scores(q, candidates.keys, index.scale, index.state.params.layout.n_heads)
    return np.asarray(sigmoid(heads).mean(axis=1), np.float32)
