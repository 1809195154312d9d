"""Requests: scores, rankings, sets and explanations from one index. Intents were checked by whoever calls."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from .. import _check
from .._kernels import readout, topk
from .._types import Float32, Int32, Int64
from ..errors import InputError
from ..metrics.calibration import sigmoid
from .candidates import Candidates, Kind
from .channels import NEED_TEXT, at_home, weighted
from .evidence import Evidence
from .index import Index
from .ranking import Explanation, RankedSet, Ranking
from .readout import head_scores, product, scores

WORD_WEIGHTS = {"lexical": 0.3, "usage": 0.1, "word_memory": 0.3}  # at least, where an intent has nothing but words


def score(
    index: Index,
    x: Float32,
    kind: Kind,
    texts: Sequence[str] | None,
    context_tools: Sequence[str],
    evidence: Evidence | None = None,
    without: Sequence[int] | None = None,
) -> Float32:
    """(B, n) scores of checked intents x (B, d).

    Parameters
    ----------
    evidence : what came in since the model was made, None for nothing
    without : for each intent a row of the memory that has no vote, -1 for none
    """
    if texts is not None and len(texts) != len(x):
        raise InputError(f"texts: {len(texts)} for {len(x)} intents")
    q = _queries(index, x, context_tools)
    if kind == "tools" and (index.learned is not None or evidence is not None):
        return index.tools.tie(_fused(index, x, q, texts, evidence, without))
    candidates = index.candidates(kind)
    return _finished(_logits(index, q, candidates), candidates, index)


def probabilities(index: Index, x: Float32, texts: Sequence[str] | None, context_tools: Sequence[str]) -> Float32:
    """(B, n_tools) calibrated probabilities for checked intents x (B, d)."""
    if index.learned is None or not index.learned.fusion.fitted:
        raise InputError("this model has no calibrated probabilities: it has them after a training on enough traces")
    return index.learned.fusion.probability(score(index, x, "tools", texts, context_tools))


def rank(
    index: Index,
    x: Float32,
    top_k: int,
    kind: Kind,
    text: str | None,
    context_tools: Sequence[str],
    allowed: Iterable[str] | None,
    min_score: float | None,
    evidence: Evidence | None = None,
) -> Ranking:
    """The top_k of one checked intent x (d,)."""
    candidates = index.candidates(kind)
    probability = None
    learned = kind == "tools" and (index.learned is not None or evidence is not None)
    if learned or context_tools or index.state.config.fusion == "sigmoid":
        z = score(index, x[None], kind, None if text is None else [text], context_tools, evidence)[0]
        if kind == "tools" and index.learned is not None and index.learned.fusion.fitted:
            probability = index.learned.fusion.probability(z[None])[0]
    else:
        z = _finished(_score_one(index, candidates, x), candidates, index)
    columns = None if allowed is None else candidates.columns(allowed, kind)
    if min_score is not None:
        columns = _probable(probability, min_score, columns)
    if columns is not None:
        z = z[columns]
    k = min(top_k, len(z))
    best, where = np.empty(k, np.float32), np.empty(k, np.int32)
    topk.top_k(z, best, where)
    if columns is not None:
        where = columns[where]
    ids = tuple([candidates.ids[i] for i in where.tolist()])
    return Ranking(kind, ids, best, index.version, None if probability is None else probability[where])


def by_words(index: Index, text: str, evidence: Evidence | None = None) -> Float32:
    """(n_tools,) scores for an intent without an embedding: words of descriptions, of what people asked when a tool worked, and success.

    Raises
    ------
    InputError
        where neither a tool nor a trace shares a word with the text.
    """
    learned = index.channels
    memory = learned.channels.memory if evidence is None else evidence.memory
    nothing = np.zeros((1, 0), np.float32)
    x = np.zeros((1, index.dimension), np.float32)
    parts = learned.channels.score(NEED_TEXT, x, [text], nothing, nothing, memory)
    if not parts["lexical"].any() and not parts["usage"].any() and float(np.ptp(parts["word_memory"])) == 0.0:
        raise InputError("neither a tool nor a remembered intent shares a word with the intent's text")
    weights = {name: max(learned.fusion.seen.get(name, 0.0), least) for name, least in WORD_WEIGHTS.items()}
    z = sum((np.float32(weight) * parts[name] for name, weight in weights.items()), np.zeros((1, len(index.tools.ids)), np.float32))
    success = learned.channels.success if evidence is None else evidence.success
    if success.any_failed:
        z += success.penalty(x, learned.channels.centre, [text])
    return np.asarray(z[0], np.float32)


def _probable(probability: Float32 | None, least: float, columns: Int32 | None) -> Int32:
    """Those of the columns whose calibrated probability is at least `least`."""
    if probability is None:
        raise InputError("min_score needs calibrated probabilities of tools, which a model has after training")
    _check.number(least, 0.0, 1.0, "min_score")
    good = np.flatnonzero(probability >= least).astype(np.int32)
    return good if columns is None else np.intersect1d(columns, good)


def _queries(index: Index, x: Float32, context_tools: Sequence[str]) -> Float32:
    """(B, D) unit queries (as they are for "dot")."""
    context = index.tools.columns(context_tools, "context_tools")
    q = product(x, index.w_query)
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


def _fused(
    index: Index, x: Float32, q: Float32, texts: Sequence[str] | None, evidence: Evidence | None, without: Sequence[int] | None
) -> Float32:
    """(B, n_tools) weighted channels, less what tools lose by their failures."""
    z = weighted(_channels(index, x, q, texts, evidence, without), index.channels.factors)
    channels, home = index.channels.channels, index.channels.fusion.home
    if home is not None:
        memory = channels.memory if evidence is None else evidence.memory
        z = at_home(z, channels.cosine(x) - index.hubs(memory).get("cosine", np.float32(0.0)), memory.nearest(x, without), home)
    success = channels.success if evidence is None else evidence.success
    if success.any_failed:
        z += success.penalty(x, channels.centre, texts)
    return z


def _channels(
    index: Index,
    x: Float32,
    q: Float32,
    texts: Sequence[str] | None,
    evidence: Evidence | None = None,
    without: Sequence[int] | None = None,
) -> dict[str, Float32]:
    """The scores of every channel that has a weight and something to say."""
    learned = index.channels
    names = [name for name in learned.fusion.names if texts is not None or name not in NEED_TEXT]
    z_capabilities = _logits(index, q, index.capabilities) if "route" in names else np.empty((len(q), 0), np.float32)
    memory = learned.channels.memory if evidence is None else evidence.memory
    above, z = index.hubs(memory), _logits(index, q, index.tools)
    if "semantic" in above:
        z -= above["semantic"]
    found = learned.channels.score(names, x, texts or (), z, z_capabilities, memory, without)
    if "cosine" in above and "cosine" in found:
        found["cosine"] -= above["cosine"]
    return found


def rank_sets(index: Index, x: Float32, top_k: int, context_tools: Sequence[str]) -> list[RankedSet]:
    """The top_k capabilities for one checked intent x (d,), each with the tools of all its members."""
    ranking = rank(index, x, top_k, "capabilities", None, context_tools, None, None)
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


def explain(index: Index, ranking: Ranking, x: Float32, text: str | None, context_tools: Sequence[str]) -> Ranking:
    """The ranking of a checked intent x (d,) with an explanation of each item."""
    candidates = index.candidates(ranking.kind)
    q = _queries(index, x[None], context_tools)[0]
    start = index.catalog.tool_embeddings if ranking.kind == "tools" else index.catalog.capability_embeddings
    assert start is not None
    rows = np.array([candidates.column[i] for i in ranking.ids], np.int64)
    own = start[rows]
    cosine = own @ x / np.maximum(np.linalg.norm(own, axis=1) * np.linalg.norm(x), 1e-12)
    heads = sigmoid(head_scores(q, candidates.keys[rows], index.scale, index.state.params.layout.n_heads))
    carried = _carriers(index, rows, x, context_tools) if ranking.kind == "tools" else [()] * len(rows)
    trust = np.ones(len(rows)) if candidates.reliability is None else candidates.reliability[rows]
    parts: dict[str, Float32] = {}
    if ranking.kind == "tools" and index.learned is not None:
        parts = {name: s[0, rows] for name, s in _channels(index, x[None], q[None], None if text is None else [text]).items()}
    why = tuple(
        Explanation(float(c), tuple(h.tolist()), tuple(by), float(r), {name: float(s[i]) for name, s in parts.items()})
        for i, (c, h, by, r) in enumerate(zip(cosine, heads, carried, trust, strict=True))
    )
    return replace(ranking, explanations=why)


def _carriers(index: Index, rows: Int64, x: Float32, context_tools: Sequence[str]) -> list[tuple[tuple[str, float], ...]]:
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


def _score_one(index: Index, candidates: Candidates, x: Float32) -> Float32:
    """z (n,) by the shortest way: two matrix-vector products in one call."""
    w = index.w_query
    z, q = np.empty(len(candidates.keys), np.float32), np.empty(len(w), np.float32)
    readout.score_intent(x, w, candidates.keys, index.scale, index.cosine, q, z)
    return z


def _finished(z: Float32, candidates: Candidates, index: Index) -> Float32:
    """Scores with ties and reliability; the factor is on probabilities, so its logarithm is added to logits."""
    candidates.tie(z)
    if candidates.reliability is not None and index.state.config.fusion == "sigmoid":
        z *= candidates.reliability
    elif candidates.log_reliability is not None:
        z += candidates.log_reliability
    return z


def _mean_sigmoid(q: Float32, candidates: Candidates, index: Index) -> Float32:
    heads = head_scores(q, candidates.keys, index.scale, index.state.params.layout.n_heads)
    return np.asarray(sigmoid(heads).mean(axis=1), np.float32)
