"""Ranking metrics over (B, n) scores.

All of it follows from the ranks of the relevant items, so those are computed once (`ranks_of_relevant`) and each metric
is a sum over them. A caller who streams blocks of rows collects the ranks and never holds the matrix.

Definitions, over the whole catalogue, G the relevant set of one intent:

    Hit@K = [some g in G ranks <= K]      Recall@K = |G in the top K| / |G|      COMP@K = [all of G in the top K]
    NDCG@K = sum_{g in G, rank <= K} 1 / log2(rank + 1)  /  sum_{i <= min(K, |G|)} 1 / log2(i + 1)
    MRR = 1 / (lowest rank in G)          MAP = mean over G, in rank order, of (i-th relevant item: i / rank_i)

Fractions in [0, 1], never percentages. A row without relevant items has no value: NaN.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._kernels import topk
from .._types import Float32, Float64, Int64
from ..errors import InputError
from ..graph.incidence import Incidence

_SORT_ABOVE = 64  # relevant items in one row beyond which sorting the row is quicker than counting for each of them


def ranks_of_relevant(scores: Float32, relevance: Incidence) -> Int64:
    """The 1-based rank of each relevant item within its row; equal scores rank by column, the lower first.

    rank(c) = 1 + |{j: s_j > s_c}| + |{j < c: s_j = s_c}|, counted and not sorted. Rows with more than 64 relevant items are sorted, one at a
    time, and so are scores that are not float32.

    Parameters
    ----------
    scores : (B, n), higher is better; -inf is allowed (a tool ruled out), NaN is not.
    relevance : (B rows) -> relevant columns, below n; a row may be empty.

    Returns
    -------
    (nnz,) int64, aligned with `relevance.indices`.
    """
    scores = _checked_scores(scores, relevance)
    n, columns, sizes = scores.shape[1], relevance.indices, relevance.degrees
    ranks = np.empty(columns.size, np.int64)
    many = sizes > (_SORT_ABOVE if scores.dtype == np.float32 else 0)
    if scores.dtype == np.float32:
        few = relevance.keeping(~many[relevance.row_of_entry]) if many.any() else relevance
        found = np.empty(few.nnz, np.int64)
        topk.ranks(np.ascontiguousarray(scores), few.indptr, few.indices, found)
        ranks[~many[relevance.row_of_entry]] = found
    for row in np.flatnonzero(many):
        position = np.empty(n, np.int64)
        position[np.argsort(-scores[row], kind="stable")] = np.arange(1, n + 1)
        mine = slice(relevance.indptr[row], relevance.indptr[row + 1])
        ranks[mine] = position[columns[mine]]
    return ranks


def per_query(scores: Float32, relevance: Incidence, ks: Sequence[int] = (1, 3, 5, 10)) -> dict[str, Float64]:
    """Metrics of each row: "hit@k", "recall@k", "ndcg@k", "comp@k" for each k, "mrr" and "map", each (B,) float64.

    Parameters
    ----------
    scores : (B, n), higher is better.
    relevance : over the same rows.
    ks : cut-offs, at least 1; one beyond n is the whole ranking.
    """
    return per_query_from_ranks(ranks_of_relevant(scores, relevance), relevance, ks)


def per_query_from_ranks(ranks: Int64, relevance: Incidence, ks: Sequence[int] = (1, 3, 5, 10)) -> dict[str, Float64]:
    """`per_query` from the ranks of the relevant items, (nnz,) aligned with `relevance.indices`."""
    relevance.check("relevance")
    ranks = np.asarray(ranks)
    nnz = relevance.indices.size
    if ranks.shape != (nnz,) or (ranks < 1).any():
        raise InputError(f"ranks are {nnz} whole numbers from 1, one for each relevant item, not {ranks.shape}")
    if any(k < 1 for k in ks):
        raise InputError(f"a cut-off is at least 1, not {min(ks)}")
    n_rows, rows, sizes = relevance.n_rows, relevance.row_of_entry, relevance.degrees
    size = np.where(sizes > 0, sizes, np.nan)
    zero = np.where(sizes > 0, 0.0, np.nan)  # NaN where there is nothing to find
    discount = 1.0 / np.log2(ranks + 1.0)
    deepest = max(1, min(max(ks, default=1), sizes.max(initial=1)))
    ideal = np.cumsum(1.0 / np.log2(np.arange(2.0, deepest + 2.0)))  # ideal DCG of 1, 2, ... items
    metrics: dict[str, Float64] = {}
    for k in ks:
        within = ranks <= k
        found = np.bincount(rows, within, n_rows)
        dcg = np.bincount(rows, within * discount, n_rows)
        metrics[f"hit@{k}"] = zero + (found > 0)
        metrics[f"recall@{k}"] = found / size
        metrics[f"ndcg@{k}"] = dcg / (zero + ideal[np.clip(sizes, 1, min(k, deepest)) - 1])
        metrics[f"comp@{k}"] = zero + (found == sizes)
    ordered = ranks[np.lexsort((ranks, rows))]  # ascending within each row
    first = relevance.indptr[:-1]
    metrics["mrr"] = zero + 1.0 / np.append(ordered, 1)[first]
    place = np.arange(1, ranks.size + 1) - first[rows]  # 1 for the best ranked relevant item of its row, 2 for the next
    metrics["map"] = np.bincount(rows, place / ordered, n_rows) / size
    return metrics


def summarize(per_query: Mapping[str, Float64]) -> dict[str, float]:
    """Means over the rows that have a value, and "n", their number; a metric without any such row is NaN."""
    means: dict[str, float] = {}
    n = 0
    for name, values in per_query.items():
        known = values[~np.isnan(values)]
        means[name] = float(known.mean()) if known.size else float("nan")
        n = max(n, known.size)
    return {**means, "n": float(n)}


def criterion(per_query: Mapping[str, Float64]) -> Float64:
    """(B,) what training chooses by and gates compare: the mean of Recall@5, NDCG@5 and COMP@5; NaN without relevant items."""
    return np.asarray((per_query["recall@5"] + per_query["ndcg@5"] + per_query["comp@5"]) / 3.0)


def coverage(top_k_columns: NDArray[Any], n: int) -> float:
    """The share of the n columns that occur in any top k; (B, k) integers, a negative one fills a short list."""
    return float(np.count_nonzero(_exposure(top_k_columns, n))) / n


def gini(top_k_columns: NDArray[Any], n: int) -> float:
    """Gini coefficient of how often each of the n columns is shown: 0 all alike, (n - 1) / n one takes everything.

    G = 2 sum_i i x_(i) / (n sum_i x_i) - (n + 1) / n, x_(i) ascending. Nothing shown at all is 0.
    """
    shown = np.sort(_exposure(top_k_columns, n))
    total = float(shown.sum())
    return 2.0 * float(np.arange(1, n + 1) @ shown) / (n * total) - (n + 1.0) / n if total else 0.0


def _exposure(top_k_columns: NDArray[Any], n: int) -> Int64:
    if n < 1:
        raise InputError(f"n, the number of columns, is at least 1, not {n}")
    columns = np.asarray(top_k_columns).ravel()
    if columns.size and (columns.dtype.kind not in "iu" or columns.max() >= n):
        raise InputError(f"top_k_columns are whole numbers below n = {n}, not {columns.dtype} up to {columns.max()}")
    return np.bincount(columns[columns >= 0].astype(np.int64), minlength=n)


def _checked_scores(scores: Float32, relevance: Incidence) -> Float32:
    relevance.check("relevance")
    scores = np.asarray(scores)
    if scores.ndim != 2 or scores.dtype.kind != "f" or scores.shape[0] != relevance.n_rows:
        raise InputError(f"scores are ({relevance.n_rows}, n) floats as relevance is, not {scores.dtype} {scores.shape}")
    if relevance.indices.size and relevance.indices.max() >= scores.shape[1]:
        raise InputError(f"column {relevance.indices.max()} is relevant, but scores have {scores.shape[1]} columns")
    if scores.size and np.isnan(worst := scores.min(axis=1)).any():
        raise InputError(f"scores: row {int(np.isnan(worst).argmax())} holds NaN")
    return scores
