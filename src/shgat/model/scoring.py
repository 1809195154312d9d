"""Requests: scores, rankings, sets and explanations from one index."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from .. import _check
from .._kernels import readout, topk
from ..errors import InputError
from .channels import NEED_TEXT, weighted
from .index import Index, Side
from .params import Floats
from .ranking import Explanation, RankedSet, Ranking
from .readout import head_scores, product, scores

KINDS = ("tools", "capabilities")


def score(index: Index, intents: object, kind: str, texts: Sequence[str] | None, context_tools: Sequence[str]) -> Floats:
    """(B, n) scores of intents (B, d)."""
    _check.choice(kind, KINDS, "kind")
    x = _check.matrix(intents, index.w_query.shape[1], "intents")
    if texts is not None and len(texts) != len(x):
        raise InputError(f"texts: {len(texts)} for {len(x)} intents")
    q = _queries(index, x, context_tools)
    if kind == "tools" and index.learned is not None:
        return index.tools.tie(weighted(_channels(index, x, q, texts), index.factors))
    side = index.side(kind)
    z = _logits(index, q, side)
    return _finished(z, side, index)


def rank(
    index: Index,
    intent: object,
    top_k: int,
    kind: str,
    text: str | None,
    context_tools: Sequence[str],
    candidates: Iterable[str] | None,
    min_score: float | None,
) -> Ranking:
    """The top_k of one intent (d,)."""
    _check.choice(kind, KINDS, "kind")
    k = _check.positive_integer(top_k, "top_k")
    side = index.side(kind)
    fused = kind == "tools" and index.learned is not None
    if fused or context_tools or index.config.fusion == "sigmoid":
        x = _check.vector(intent, index.w_query.shape[1], "intent")[None]
        z = score(index, x, kind, None if text is None else [text], context_tools)[0]
    else:
        z = _finished(_score_one(index, side, intent), side, index)
    probability = None
    if fused and index.learned is not None:
        probability = index.learned[0].probability(z[None])[0]
    allowed = None if candidates is None else _columns(side, candidates, kind)
    if min_score is not None:
        allowed = _probable(probability, min_score, allowed)
    if allowed is not None:
        z = z[allowed]
    k = min(k, len(z))
    best, where = np.empty(k, np.float32), np.empty(k, np.int32)
    topk.top_k(z, best, where)
    if allowed is not None:
        where = allowed[where]
    ids = tuple([side.ids[i] for i in where.tolist()])
    return Ranking(kind, ids, best, index.version, None if probability is None else probability[where])


def _probable(probability: Floats | None, least: float, allowed: npt.NDArray[np.int32] | None) -> npt.NDArray[np.int32]:
    """The allowed columns whose calibrated probability is at least `least`."""
    if probability is None:
        raise InputError("min_score needs calibrated probabilities of tools, which a model has after training")
    _check.number(least, 0.0, 1.0, "min_score")
    good = np.flatnonzero(probability >= least).astype(np.int32)
    return good if allowed is None else np.intersect1d(allowed, good)


def _queries(index: Index, x: Floats, context_tools: Sequence[str]) -> Floats:
    """(B, D) unit queries (as they are for "dot")."""
    context = _columns(index.tools, context_tools, "context_tools")
    q = product(x, index.w_query)
    if len(context):
        q += index.w_context @ index.tools.x[context].mean(axis=0)
    if index.cosine:
        readout.normalize_rows(q, q, np.empty(len(q), np.float32))
    return q


def _logits(index: Index, q: Floats, side: Side) -> Floats:
    """z (B, n), or the mean of the heads' sigmoids where they are fused so."""
    if index.config.fusion == "sigmoid":
        rows = [_mean_sigmoid(row, side, index) for row in q]
        return np.stack(rows) if rows else np.empty((0, len(side.ids)), np.float32)
    return scores(q, side.keys, index.scale)


def _channels(index: Index, x: Floats, q: Floats, texts: Sequence[str] | None) -> dict[str, Floats]:
    """The scores of every channel that has a weight and something to say."""
    assert index.learned is not None
    fusion, channels, _ = index.learned
    names = [name for name in fusion.names if texts is not None or name not in NEED_TEXT]
    z_capabilities = _logits(index, q, index.capabilities) if "route" in names else np.empty((len(q), 0), np.float32)
    return channels.score(names, x, texts or (), _logits(index, q, index.tools), z_capabilities)


def rank_sets(index: Index, intent: object, top_k: int, context_tools: Sequence[str]) -> list[RankedSet]:
    """The top_k capabilities, each with the tools of all its members."""
    ranking = rank(index, intent, top_k, "capabilities", None, context_tools, None, None)
    hierarchy, tools = index.catalog.hierarchy, index.catalog.tools
    sets = []
    for key, value in ranking:
        needed: set[int] = set()
        waiting = [index.capabilities.column[key]]
        while waiting:
            c = waiting.pop()
            needed.update(hierarchy.tools_of.row(c).tolist())
            waiting.extend(hierarchy.capabilities_of.row(c).tolist())
        sets.append(RankedSet(key, value, tuple(tools[t].id for t in sorted(needed))))
    return sets


def explain(index: Index, ranking: Ranking, intent: object, text: str | None, context_tools: Sequence[str]) -> Ranking:
    """The ranking with an explanation of each item."""
    side = index.side(ranking.kind)
    x = _check.vector(intent, index.w_query.shape[1], "intent")
    q = _queries(index, x[None], context_tools)[0]
    start = index.catalog.tool_embeddings if ranking.kind == "tools" else index.catalog.capability_embeddings
    assert start is not None
    rows = np.array([side.column[i] for i in ranking.ids], np.int64)
    own = start[rows]
    cosine = own @ x / np.maximum(np.linalg.norm(own, axis=1) * np.linalg.norm(x), 1e-12)
    heads = _sigmoid(head_scores(q, side.keys[rows], index.scale, index.params.layout.n_heads))
    carried = _carriers(index, rows, x, context_tools) if ranking.kind == "tools" else [()] * len(rows)
    trust = np.ones(len(rows)) if side.reliability is None else side.reliability[rows]
    parts: dict[str, Floats] = {}
    if ranking.kind == "tools" and index.learned is not None:
        parts = {name: s[0, rows] for name, s in _channels(index, x[None], q[None], None if text is None else [text]).items()}
    why = tuple(
        Explanation(float(c), tuple(h.tolist()), tuple(by), float(r), {name: float(s[i]) for name, s in parts.items()})
        for i, (c, h, by, r) in enumerate(zip(cosine, heads, carried, trust, strict=True))
    )
    return replace(ranking, explanations=why)


def _carriers(
    index: Index, rows: npt.NDArray[np.int64], x: Floats, context_tools: Sequence[str]
) -> list[tuple[tuple[str, float], ...]]:
    """For each tool the capabilities that list it, by attention (evenly where no message passes) times P(capability | x)."""
    z = score(index, x[None], "capabilities", None, context_tools)[0].astype(np.float64)
    if len(z) == 0:
        return [()] * len(rows)
    p = np.exp(z - z.max())
    p /= p.sum()
    containing = index.catalog.hierarchy.containing
    carried = []
    for t in rows.tolist():
        capabilities = containing.row(t)
        n = max(len(capabilities), 1)
        share = np.full(n, 1.0 / n) if index.shares is None else index.shares[containing.indptr[t] : containing.indptr[t + 1]]
        weights = zip((share[: len(capabilities)] * p[capabilities]).tolist(), capabilities.tolist(), strict=True)
        carried.append(tuple((index.capabilities.ids[c], w) for w, c in sorted(weights, key=lambda s: (-s[0], s[1]))))
    return carried


def _score_one(index: Index, side: Side, intent: object) -> Floats:
    """z (n,) by the shortest way: two matrix-vector products in one call."""
    w = index.w_query
    x = intent if isinstance(intent, np.ndarray) and intent.dtype == np.float32 else _check.as_float32(intent, "intent")
    if x.shape != (w.shape[1],) or not x.flags.c_contiguous:
        x = _check.vector(x, w.shape[1], "intent")
    z, q = np.empty(len(side.keys), np.float32), np.empty(len(w), np.float32)
    finite = readout.score_intent(x, w, side.keys, index.scale, index.cosine, q, z)
    if not finite or (len(z) and not 0.0 < abs(z[0]) < math.inf):  # a query that overflowed leaves zeros, infinities or NaN
        _check.vector(x, w.shape[1], "intent")  # names the position
    return z


def _finished(z: Floats, side: Side, index: Index) -> Floats:
    """Scores with ties and reliability; the factor is on probabilities, so its logarithm is added to logits."""
    side.tie(z)
    if side.reliability is not None and index.config.fusion == "sigmoid":
        z *= side.reliability
    elif side.log_reliability is not None:
        z += side.log_reliability
    return z


def _mean_sigmoid(q: Floats, side: Side, index: Index) -> Floats:
    heads = head_scores(q, side.keys, index.scale, index.params.layout.n_heads)
    return np.asarray(_sigmoid(heads).mean(axis=1), np.float32)


def _sigmoid(z: Floats) -> Floats:
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * z)), np.float32)


def _columns(side: Side, ids: Iterable[str], what: str) -> npt.NDArray[np.int32]:
    """Sorted, unique columns of the ids."""
    if isinstance(ids, str) or not isinstance(ids, Iterable):
        raise InputError(f"{what} is a list of ids, not {ids!r}")
    columns = []
    for item in ids:
        if not isinstance(item, str) or item not in side.column:
            raise InputError(f"{what}: unknown id {item!r}")
        columns.append(side.column[item])
    return np.unique(np.array(columns, np.int32)) if columns else np.zeros(0, np.int32)
