"""What a request chooses among: the tools, or the capabilities, of one version."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from .._check import brief
from .._kernels import linear
from .._types import Float32, Int32, Int64
from ..errors import InputError
from ..graph.growth import Growth

FOLDED = 4  # times D items up to which keys are folded: of more, the map is a small part of what a request reads
Kind = Literal["tools", "capabilities"]
KINDS: tuple[Kind, Kind] = ("tools", "capabilities")


@dataclass(frozen=True, eq=False)
class Candidates:
    """All items of one kind.

    Attributes
    ----------
    ids, column : the items in catalogue order, and the position of each
    x : (n, d) final embeddings
    keys : (n, D) unit keys (as they are for "dot")
    reliability : (n,) factor on the probability scale, or None where it is 1 for all
    twins : (m, 2) columns with the same embedding, (later, first); they take one score, so that rounding never orders them
    folded : (n, d) keys W_query, for a map that keeps angles: one product with an intent is its scores; None where that is not shorter
    growth : the buffers that x, keys and folded keys grow in, () before they do
    """

    ids: list[str]
    column: Mapping[str, int]
    x: Float32
    keys: Float32
    reliability: Float32 | None
    twins: Int64
    folded: Float32 | None = None
    growth: tuple[Growth, ...] = ()

    @classmethod
    def of(
        cls, ids: list[str], column: Mapping[str, int], x: Float32, keys: Float32, reliability: Float32 | None,
        w_query: Float32 | None = None,
    ) -> "Candidates":  # fmt: skip
        """With the twins among x (n, d); w_query: (D, d) map that keeps angles, None where the query's does not."""
        folded = None if w_query is None or len(keys) > FOLDED * len(w_query) else _folded(keys, w_query)
        return cls(ids, column, x, keys, reliability, _twins(x), folded)

    def with_more(
        self, ids: Sequence[str], column: Mapping[str, int], x: Float32, keys: Float32, w_query: Float32 | None = None
    ) -> "Candidates":
        """New items, x (k, d) and keys (k, D), behind the others; `column` is that of all, w_query (D, d) what keys were folded through."""
        rows, more = [self.x, self.keys], [x, keys]
        if self.folded is not None and w_query is not None:
            rows, more = [*rows, self.folded], [*more, _folded(keys, w_query)]
        grown = [g.extended(r, m) for g, r, m in zip(self.growth or map(Growth, rows), rows, more, strict=True)]
        whole, all_keys, *folded = [matrix for _, matrix in grown]
        trust = self.reliability
        if trust is not None:
            trust = np.concatenate([trust, np.ones(len(x), np.float32)])
        return Candidates(
            [*self.ids, *ids], column, whole, all_keys, trust, self._more_twins(whole), folded[0] if folded else None,
            tuple(growth for growth, _ in grown),
        )  # fmt: skip

    def _more_twins(self, whole: Float32) -> Int64:
        """The twins of the rows (n + k, d), of which the first n are these."""
        n, k = len(self.x), len(whole) - len(self.x)
        if k > 1:
            return _twins(whole)  # sorts all rows: worth it for many
        alike = np.flatnonzero(self.x[:, 0] == whole[n, 0])
        equal = alike[(self.x[alike] == whole[n]).all(axis=1)][:1]
        return np.concatenate([self.twins, np.stack([np.full_like(equal, n), equal], axis=1)])

    def tie(self, z: Float32) -> Float32:
        """z (..., n) with the score of the first of equal items for all of them; in place."""
        if len(self.twins):
            z[..., self.twins[:, 0]] = z[..., self.twins[:, 1]]
        return z

    @cached_property
    def log_reliability(self) -> Float32 | None:
        """(n,) what the factor adds to logits."""
        return None if self.reliability is None else np.log(self.reliability)

    def columns(self, ids: Iterable[str] | Int32, what: str) -> Int32:
        """Sorted, unique columns of the ids; InputError for one that is unknown. Columns, sorted and unique, stay as they are."""
        if isinstance(ids, np.ndarray) and ids.dtype == np.int32:
            return ids
        if isinstance(ids, str) or not isinstance(ids, Iterable):
            raise InputError(f"{what} is a list of ids, not {brief(ids)}")
        columns = []
        for item in ids:
            if not isinstance(item, str) or item not in self.column:
                raise InputError(f"{what}: unknown id {brief(item)}")
            columns.append(self.column[item])
        return np.unique(np.array(columns, np.int32)) if columns else np.zeros(0, np.int32)


def _folded(keys: Float32, w_query: Float32) -> Float32:
    """(n, d) keys W_query."""
    out = np.empty((len(keys), w_query.shape[1]), np.float32)
    linear.project_backward_input(keys, w_query, out)
    return out


def _twins(x: Float32) -> Int64:
    """(m, 2): each row that repeats an earlier one, and the first row like it."""
    d = x.shape[1]
    probe = np.ascontiguousarray(x[:, [d // 3, 2 * d // 3]] + np.float32(0.0)).view(np.uint64).reshape(-1)  # -0 + 0 is 0
    order = np.argsort(probe, kind="stable")
    again = probe[order[1:]] == probe[order[:-1]]
    candidates = np.unique(np.concatenate([order[1:][again], order[:-1][again]])).tolist()
    first: dict[bytes, int] = {}
    pairs = [(i, first.setdefault((x[i] + np.float32(0.0)).tobytes(), i)) for i in candidates]
    return np.array([p for p in pairs if p[0] != p[1]], np.int64).reshape(-1, 2)
