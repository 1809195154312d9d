"""Why items stand where they stand: similarity, channels and their weights, and the capabilities that carried a tool."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .._types import Float32, Int64
from ..metrics.calibration import sigmoid
from . import scoring
from .channels import log_softmax
from .evidence import Evidence
from .index import Index
from .question import Question
from .ranking import Explanation, Ranking
from .readout import head_scores


def explain(
    index: Index,
    ranking: Ranking,
    x: Float32,
    text: str | None,
    context_tools: Sequence[str],
    evidence: Evidence | None = None,
    spoken: bool = False,
) -> Ranking:
    """The ranking of a checked intent x (d,) with an explanation of each item."""
    candidates = index.candidates(ranking.kind)
    question = Question(index, x[None], context_tools, None if text is None else [text])
    q = question.q[0]
    start = index.catalog.tool_embeddings if ranking.kind == "tools" else index.catalog.capability_embeddings
    assert start is not None
    rows = np.array([candidates.column[i] for i in ranking.ids], np.int64)
    own = start[rows]
    cosine = own @ x / np.maximum(np.linalg.norm(own, axis=1) * np.linalg.norm(x), 1e-12)
    heads = sigmoid(head_scores(q, candidates.keys[rows], index.scale, index.state.params.layout.n_heads))
    carried = _carriers(index, rows, x, text, context_tools) if ranking.kind == "tools" else [()] * len(rows)
    trust = np.ones(len(rows)) if candidates.reliability is None else candidates.reliability[rows]
    parts, factors = _parts(question, rows, text, evidence, spoken) if ranking.kind == "tools" else ({}, {})
    if ranking.kind == "tools" and evidence is not None and scoring.own_of(index, "tools", evidence) is not None:
        parts["own"] = _own(index, rows, x, text, context_tools, evidence, spoken)
        factors["own"] = np.ones(len(rows), np.float32)
    if scoring.foresees(index, ranking.kind, context_tools):
        parts["values"] = _foreseen(index, rows, x, text, context_tools, evidence, spoken)
        factors["values"] = np.ones(len(rows), np.float32)
    why = tuple(
        Explanation(
            float(c), tuple(h.tolist()), tuple(by), float(r), {name: float(s[i]) for name, s in parts.items()},
            {name: float(w[i]) for name, w in factors.items()},
        )
        for i, (c, h, by, r) in enumerate(zip(cosine, heads, carried, trust, strict=True))
    )  # fmt: skip
    return replace(ranking, explanations=why)


def _parts(
    question: Question, rows: Int64, text: str | None, evidence: Evidence | None, spoken: bool
) -> tuple[dict[str, Float32], dict[str, Float32]]:
    """Of some tools: the score of each channel that speaks, and what it counts; what failures take off counts once."""
    index, x = question.index, question.x[0]
    spoken = scoring.speaks(index, spoken, text)
    if scoring.plain(index, evidence) and not spoken:
        return {}, {}
    texts, channels = None if text is None else [text], index.channels.channels
    parts = {name: s[0, rows] for name, s in scoring.channel_scores(question, evidence, None, spoken).items()}
    counts = scoring.factors(index, spoken, evidence)
    factors = {name: counts[name][rows] for name in (*parts, "bonus")}
    success = channels.success if evidence is None else evidence.success
    if success.any_failed:
        parts["success"] = success.penalty(x[None], channels.centre, texts)[0, rows]
        factors["success"] = np.ones(len(rows), np.float32)
    return parts, factors


def _own(
    index: Index, rows: Int64, x: Float32, text: str | None, context_tools: Sequence[str], evidence: Evidence, spoken: bool
) -> Float32:
    """Of some tools: what a principal's own executions add to the logarithm of their share."""
    before = scoring.score(
        _blind(index), x[None], "tools", None if text is None else [text], context_tools, replace(evidence, own=None), spoken=spoken
    )
    assert evidence.own is not None
    return np.asarray((evidence.own.mixed(before, x[None]) - log_softmax(before))[0, rows], np.float32)


def _foreseen(
    index: Index, rows: Int64, x: Float32, text: str | None, context_tools: Sequence[str], evidence: Evidence | None, spoken: bool
) -> Float32:
    """Of some tools: what values add, with their weight."""
    texts = None if text is None else [text]
    led, z = (scoring.score(i, x[None], "tools", texts, context_tools, evidence, spoken=spoken) for i in (index, _blind(index)))
    return np.asarray((led - z)[0, rows], np.float32)


def _blind(index: Index) -> Index:
    """The same without values."""
    return index if index.state.values is None else replace(index, state=replace(index.state, values=None))


def _carriers(
    index: Index, rows: Int64, x: Float32, text: str | None, context_tools: Sequence[str]
) -> list[tuple[tuple[str, float], ...]]:
    """For each tool the capabilities that list it, by attention (evenly where no message passes) times P(capability | x)."""
    z = scoring.score(index, x[None], "capabilities", None if text is None else [text], context_tools)[0].astype(np.float64)
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
