"""Requests: scores, rankings, sets and explanations from one index. Intents were checked by whoever calls."""

from collections.abc import Iterable, Sequence

import numpy as np

from .. import _check
from .._kernels import readout, topk
from .._types import Float32, Int32
from ..errors import InputError
from . import foresight, proposed
from .candidates import Candidates, Kind
from .channels import NEED_TEXT, at_home, weighted
from .evidence import Evidence
from .index import Index
from .own import Own
from .question import Question
from .ranking import RankedSet, Ranking

WORDS_BESIDE_MEANING = 0.4  # of the lexical channel, where an intent was made of its words
WORD_WEIGHTS = {"lexical": 0.3, "usage": 0.1, "word_memory": 0.3}  # at least, where an intent has nothing but words


def score(
    index: Index,
    x: Float32,
    kind: Kind,
    texts: Sequence[str] | None,
    context_tools: Sequence[str],
    evidence: Evidence | None = None,
    without: Sequence[int] | None = None,
    spoken: bool = False,
) -> Float32:
    """(B, n) scores of checked intents x (B, d).

    Parameters
    ----------
    evidence : what came in since the model was made, None for nothing
    without : for each intent a row of the memory that has no vote, -1 for none
    spoken : were the intents made of their texts? Then words speak too where no training has weighed them, see `factors`
    """
    spoken = speaks(index, spoken, texts)
    if texts is not None and len(texts) != len(x):
        raise InputError(f"texts: {len(texts)} for {len(x)} intents")
    return _scored(Question(index, x, context_tools, texts), kind, evidence, without, spoken)


def _scored(
    question: Question,
    kind: Kind,
    evidence: Evidence | None,
    without: Sequence[int] | None = None,
    spoken: bool = False,
    columns: Int32 | None = None,
) -> Float32:
    index = question.index
    if _is_fused(index, kind, evidence, spoken):
        z = index.tools.tie(_fused(question, evidence, without, spoken))
    else:
        candidates = index.candidates(kind)
        z = _finished(question.logits(candidates), candidates, index)
    own = own_of(index, kind, evidence)
    z = z if own is None else own.mixed(z, question.x)
    if foresees(index, kind, question.context_tools):
        assert index.values is not None
        assert index.state.values is not None
        used = tuple(index.tools.column[key] for key in question.context_tools)  # in order, as `columns` has them not
        foresight.lead(index.values, index.state.values.weight, question.x, used, z, columns)
    return z


def probabilities(index: Index, x: Float32, texts: Sequence[str] | None, context_tools: Sequence[str]) -> Float32:
    """(B, n_tools) calibrated probabilities for checked intents x (B, d)."""
    if index.learned is None or not index.learned.fusion.fitted:
        raise InputError("this model has no calibrated probabilities: it has them after a training on enough traces")
    return calibrated(index, x, score(index, x, "tools", texts, context_tools))


def calibrated(index: Index, x: Float32, z: Float32, evidence: Evidence | None = None) -> Float32:
    """(B, n_tools) probabilities of a fitted model from its scores z of the tools for checked intents x (B, d)."""
    learned = index.channels
    memory = None if evidence is None else evidence.memory
    near = None if learned.fusion.calibration.near is None else learned.channels.nearness(x, z, memory)
    return learned.fusion.probability(z, near)


def rank(
    index: Index,
    x: Float32,
    top_k: int,
    kind: Kind,
    text: str | None,
    context_tools: Sequence[str],
    allowed: Iterable[str] | Int32 | None,
    min_score: float | None,
    evidence: Evidence | None = None,
    spoken: bool = False,
) -> Ranking:
    """The top_k of one checked intent x (d,); `allowed`: ids, or their sorted columns, None for all."""
    columns = None if allowed is None else index.candidates(kind).columns(allowed, kind)
    spoken = speaks(index, spoken, text)
    fused = _is_fused(index, kind, evidence, spoken)
    own = own_of(index, kind, evidence)
    alone = kind == "tools" and not fused and own is None and min_score is None and not foresees(index, kind, context_tools)
    if index.neighbours is not None and alone:
        found = proposed.rank(Question(index, x[None], context_tools, None if text is None else [text]), top_k, columns)
        if found is not None:
            return found
    if not fused and not context_tools and index.state.config.fusion != "sigmoid" and index.w_words is None:
        candidates = index.candidates(kind)
        z = _finished(_score_one(index, candidates, x), candidates, index)
        if own is None:
            return _best(index, kind, z, None, 0.0, top_k, columns, min_score)
        mixed = own.mixed(z[None], x[None])[0]
        return _best(index, kind, mixed, None, float((mixed - z)[min(own.stranger, len(z) - 1)]), top_k, columns, min_score)
    question = Question(index, x[None], context_tools, None if text is None else [text])
    z = _scored(question, kind, evidence, spoken=spoken, columns=columns)
    fused = fused or own is not None or foresees(index, kind, context_tools)
    return _rankings(question, z, top_k, kind, columns, min_score, evidence, fused)[0]


def rank_many(
    index: Index,
    x: Float32,
    top_k: int,
    kind: Kind,
    texts: Sequence[str] | None,
    context_tools: Sequence[str],
    allowed: Iterable[str] | Int32 | None,
    min_score: float | None,
    evidence: Evidence | None = None,
    spoken: bool = False,
) -> list[Ranking]:
    """The top_k of each checked intent x (B, d), by one product with all keys."""
    columns = None if allowed is None else index.candidates(kind).columns(allowed, kind)
    spoken = speaks(index, spoken, texts)
    fused = _is_fused(index, kind, evidence, spoken) or own_of(index, kind, evidence) is not None
    if texts is not None and len(texts) != len(x):
        raise InputError(f"texts: {len(texts)} for {len(x)} intents")
    question = Question(index, x, context_tools, texts)
    z = _scored(question, kind, evidence, spoken=spoken, columns=columns)
    fused = fused or foresees(index, kind, context_tools)
    return _rankings(question, z, top_k, kind, columns, min_score, evidence, fused)


def _rankings(
    question: Question,
    z: Float32,
    top_k: int,
    kind: Kind,
    columns: Int32 | None,
    min_score: float | None,
    evidence: Evidence | None,
    fused: bool,
) -> list[Ranking]:
    """The top_k of each intent by z (B, n) among the columns, None for all, that are as probable as `min_score`."""
    index, x = question.index, question.x
    probability = baseline = None
    if kind == "tools" and index.learned is not None and index.learned.fusion.fitted:
        probability = calibrated(index, x, z, evidence)
    elif fused and not (
        plain(index, evidence) and own_of(index, kind, evidence) is None and not foresees(index, kind, question.context_tools)
    ):
        baseline = _baseline(question.without_words(), z)
    return [
        _best(
            index, kind, row, None if probability is None else probability[i], 0.0 if baseline is None else float(baseline[i]), top_k,
            columns, min_score,
        )
        for i, row in enumerate(z)
    ]  # fmt: skip


def _best(
    index: Index,
    kind: Kind,
    z: Float32,
    probability: Float32 | None,
    baseline: float,
    top_k: int,
    columns: Int32 | None,
    min_score: float | None,
) -> Ranking:
    """The top_k by z (n,), probability (n,) where there is one."""
    if min_score is not None:
        columns = _probable(probability, min_score, columns)
    if columns is not None:
        z = z[columns]
    k = min(top_k, len(z))
    best, where = np.empty(k, np.float32), np.empty(k, np.int32)
    topk.top_k(z, best, where)
    if columns is not None:
        where = columns[where]
    names = index.candidates(kind).ids
    ids = tuple([names[i] for i in where.tolist()])
    return Ranking(kind, ids, best, index.version, None if probability is None else probability[where], baseline=baseline)


def _baseline(question: Question, z: Float32) -> Float32:
    """(B,) what fusing added to every tool alike, so that z less it is the logit of a similarity again: the median over tools."""
    index = question.index
    plain = _finished(question.logits(index.tools), index.tools, index)
    more, half = z - plain, z.shape[1] // 2
    middle = np.partition(more, (max(0, half - 1), half), axis=1)  # np.median, at a third of its time
    return np.asarray(middle[:, half] if z.shape[1] % 2 else 0.5 * (middle[:, half - 1] + middle[:, half]), np.float32)


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


def _fused(question: Question, evidence: Evidence | None, without: Sequence[int] | None, spoken: bool) -> Float32:
    """(B, n_tools) weighted channels, less what tools lose by their failures."""
    index, x, texts = question.index, question.x, question.texts
    z = weighted(channel_scores(question, evidence, without, spoken), factors(index, spoken, evidence))
    channels, home = index.channels.channels, index.channels.fusion.home
    if home is not None:
        memory = channels.memory if evidence is None else evidence.memory
        z = at_home(z, channels.cosine(x) - index.hubs(memory).get("cosine", np.float32(0.0)), memory.nearest(x, without), home)
    success = channels.success if evidence is None else evidence.success
    if success.any_failed:
        z += success.penalty(x, channels.centre, texts)
    return z


def factors(index: Index, spoken: bool, evidence: Evidence | None = None) -> dict[str, Float32]:
    """Channel -> what it counts, (n_tools,) each.

    Where intents were made of their texts and no training has weighed the channels, words count 0.4: chosen for cosines of static vectors,
    and about as good for those of a sentence encoder.
    """
    found = index.channels.factors
    if not spoken or index.channels.fusion.fitted:
        return found
    words = np.maximum(found["lexical"], np.float32(WORDS_BESIDE_MEANING))
    kept = {name: found[name] for name in ("semantic", "bonus")} if plain(index, evidence) else found
    return {**kept, "lexical": words}


def speaks(index: Index, spoken: bool, texts: object) -> bool:
    """Do words speak? Beside a mean of sigmoids they would drown it."""
    return spoken and texts is not None and index.state.config.fusion != "sigmoid"


def own_of(index: Index, kind: Kind, evidence: Evidence | None) -> Own | None:
    """What a principal has run itself, where that speaks of what is ranked: of tools, by scores that are logits."""
    return evidence.own if evidence is not None and kind == "tools" and index.state.config.fusion != "sigmoid" else None


def foresees(index: Index, kind: Kind, context_tools: Sequence[str]) -> bool:
    """Do values speak: of tools, after some were used, where they have a weight?"""
    values = index.state.values
    return kind == "tools" and bool(context_tools) and values is not None and values.weight > 0.0


def _is_fused(index: Index, kind: Kind, evidence: Evidence | None, spoken: bool) -> bool:
    """Do several channels rank, rather than similarity alone?"""
    return kind == "tools" and (spoken or not plain(index, evidence))


def plain(index: Index, evidence: Evidence | None) -> bool:
    """Is there nothing that was learned?"""
    return index.learned is None and (evidence is None or evidence.fresh is None)


def channel_scores(
    question: Question, evidence: Evidence | None = None, without: Sequence[int] | None = None, spoken: bool = False
) -> dict[str, Float32]:
    """The scores of every channel that has a weight and something to say."""
    index, x, texts = question.index, question.x, question.texts
    learned = index.channels
    if plain(index, evidence):
        z = _finished(question.logits(index.tools), index.tools, index)
        none = np.empty((len(x), 0), np.float32)
        return {"semantic": z, **learned.channels.score(["lexical"] if spoken else [], x, texts or (), none, none)}
    names = [name for name in learned.fusion.names if texts is not None or name not in NEED_TEXT]
    if spoken and not learned.fusion.fitted and "lexical" not in names:
        names.append("lexical")
    z_capabilities = question.logits(index.capabilities) if "route" in names else np.empty((len(x), 0), np.float32)
    memory = learned.channels.memory if evidence is None else evidence.memory
    above, z = index.hubs(memory), question.logits(index.tools)
    if "semantic" in above:
        z -= above["semantic"]
    found = learned.channels.score(names, x, texts or (), z, z_capabilities, memory, without)
    if "cosine" in above and "cosine" in found:
        found["cosine"] -= above["cosine"]
    return found


def rank_sets(index: Index, x: Float32, top_k: int, text: str | None, context_tools: Sequence[str]) -> list[RankedSet]:
    """The top_k capabilities for one checked intent x (d,), each with the tools of all its members."""
    ranking = rank(index, x, top_k, "capabilities", text, context_tools, None, None)
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


def _score_one(index: Index, candidates: Candidates, x: Float32) -> Float32:
    """z (n,) by the shortest way: one product with folded keys, or two matrix-vector products in one call."""
    w = index.w_query
    if candidates.folded is not None:
        z = np.empty(len(candidates.folded), np.float32)
        readout.score_folded(x, candidates.folded, index.scale, index.stretch, index.cosine, z)
        return z
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
