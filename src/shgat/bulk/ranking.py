"""Intents ranked in blocks, by one product with the catalogue each, wherever an executor does it.

How intents fall into blocks depends on their order and on the number of tools alone, so the bits do not depend on the executor.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from .. import _check
from ..errors import ShgatError, TraceError
from ..executor import Executor, Tell
from ..model.ranking import Ranking
from ..shgat import SHGAT
from ..traces.record import Trace
from .carried import Carried
from .ranked import Ranked

BLOCK = 256  # intents at most that are ranked at once
_SCORES = 1 << 24  # of a block


@dataclass(frozen=True, eq=False)
class _Asked:
    carried: Carried
    top_k: int
    min_score: float | None


def rank_bulk(
    model: SHGAT,
    intents: Iterable[tuple[int, Trace | TraceError]],
    executor: Executor,
    *,
    top_k: int = 10,
    min_score: float | None = None,
    encoder: str = "",
    on_done: Callable[[int], None] | None = None,
) -> Iterator[Ranked]:
    """The best tools for each intent, in their order; one that cannot be ranked says why, and the others go on.

    An intent with an embedding is ranked by it, its text for the channels that read words; one without by what the encoder makes of its text.

    Parameters
    ----------
    intents : as `read_intents` gives them
    executor : where blocks of them are ranked
    top_k, min_score : as those of `SHGAT.rank`
    encoder : name of what makes vectors of texts in every process, "" for what made the catalogue's embeddings
    on_done : called with how many are ranked, after each block
    """
    _check.positive_integer(top_k, "top_k")
    size, n_done = max(1, min(BLOCK, _SCORES // max(1, len(model.catalog.tools)))), 0
    shared = executor.share(_Asked(Carried(model, encoder), top_k, min_score))
    for block in executor.map(_ranked, shared, _blocks(intents, size)):
        n_done += len(block)
        if on_done is not None:
            on_done(n_done)
        yield from block


def _blocks(intents: Iterable[tuple[int, Trace | TraceError]], size: int) -> Iterator[list[tuple[int, Trace | TraceError]]]:
    source = iter(intents)
    while block := list(islice(source, size)):
        yield block


def _ranked(asked: _Asked, block: Sequence[tuple[int, Trace | TraceError]], _tell: Tell) -> list[Ranked]:
    """A task for an executor: the intents of a block, those together that are asked in the same way."""
    model, found = asked.carried.model, dict[int, Ranked]()
    groups: dict[tuple[bool, tuple[str, ...]], list[tuple[int, Trace]]] = {}
    for at, (number, intent) in enumerate(block):
        fault = _fault(model, intent)
        if fault or isinstance(intent, TraceError):
            found[at] = Ranked(f"row {number}" if isinstance(intent, TraceError) else intent.id, error=fault)
        else:
            groups.setdefault((intent.embedding is None, intent.context_tools), []).append((at, intent))
    for (spoken, context), members in groups.items():
        places, traces = [at for at, _ in members], [trace for _, trace in members]
        found |= zip(places, _together(asked, traces, spoken, context), strict=True)
    return [found[at] for at in range(len(block))]


def _fault(model: SHGAT, intent: Trace | TraceError) -> str:
    """Why an intent cannot be ranked, "" where it can."""
    if isinstance(intent, TraceError):
        return str(intent)
    d = model.dimension
    if intent.embedding is not None:
        if intent.embedding.shape != (d,):
            return f"its embedding has {len(intent.embedding)} dimensions, expected {d}"
        return "" if intent.embedding.any() else "its embedding is zero: it has no direction to rank by"
    if not intent.intent.strip():
        return "it has neither an embedding nor a text"
    return "" if model.encoder is not None else "it has no embedding, and no encoder like the catalogue's is at hand"


def _together(asked: _Asked, traces: Sequence[Trace], spoken: bool, context: tuple[str, ...]) -> list[Ranked]:
    texts = [trace.intent for trace in traces]
    try:
        intents = texts if spoken else np.stack([trace.embedding for trace in traces if trace.embedding is not None])
        rankings = asked.carried.model.rank_many(
            intents, asked.top_k, texts=texts, context_tools=context, min_score=asked.min_score
        )
    except ShgatError as error:
        if len(traces) == 1:
            return [Ranked(traces[0].id, error=str(error))]
        return [one for trace in traces for one in _together(asked, [trace], spoken, context)]  # which one is it?
    return [_of(trace.id, ranking) for trace, ranking in zip(traces, rankings, strict=True)]


def _of(key: str, ranking: Ranking) -> Ranked:
    probabilities = None if ranking.probabilities is None else tuple(ranking.probabilities.tolist())
    return Ranked(key, ranking.ids, tuple(ranking.scores.tolist()), probabilities)
