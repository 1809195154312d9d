"""Encoders on sets of data: how well each ranks, before anything was learned and after some feedback, and how long one intent takes."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np

from .._types import Float32
from ..errors import ShgatError
from ..features import Encoder, HashedWords, OnnxEncoder, embedded, queries
from ..features import static as static_vectors
from ..graph.incidence import Incidence
from ..metrics.ranking import per_query, summarize
from ..model.lexical import Descriptions
from ..model.words import asked
from ..shgat import SHGAT
from ..traces import Traces
from ..traces.columns import Texts
from . import baselines
from .dataset import Dataset

TIMED = 50  # intents


@dataclass(frozen=True)
class Row:
    """One way to rank one set.

    Attributes
    ----------
    way : what it is called
    recall : Recall@5 over the test intents
    milliseconds : processor time of one intent from text to vector, the median of some; NaN where there is nothing to encode
    """

    way: str
    recall: float
    milliseconds: float = float("nan")


def measured(data: Dataset, encoders: dict[str, Encoder], feedbacks: int = 200, seed: int = 0) -> Iterator[Row]:
    """Words alone, the embeddings that the set brings, and each encoder: alone, with words, and after some feedback.

    Parameters
    ----------
    feedbacks : training traces, drawn at random, that are learned from
    """
    words = Descriptions.of(data.catalog, "tools").index.relative([asked(text) for text in data.texts])
    yield Row("words", _recall(words, data.wanted))
    yield Row("stored embeddings", _recall(baselines.cosine(data.intents, data.tools), data.wanted))
    for name, encoder in encoders.items():
        catalog = embedded(data.catalog, encoder)
        model = SHGAT.from_catalog(catalog, encoder=encoder)
        spent = _milliseconds(encoder, data.texts[:TIMED])
        x = encoder.encode(queries(encoder, data.texts))
        assert catalog.tool_embeddings is not None
        yield Row(name, _recall(baselines.cosine(x, catalog.tool_embeddings), data.wanted), spent)
        yield Row(f"{name} + words", _recall(_in_parts(model, data.texts), data.wanted), spent)
        if feedbacks:
            model.fit(_by(data.with_traces(feedbacks).train, encoder), seed=seed)
            yield Row(f"{name} + {feedbacks} feedbacks", _recall(_in_parts(model, data.texts), data.wanted), spent)


def at_hand() -> dict[str, Encoder]:
    """The encoders that need no network: hashed words, the static vectors of the wheel, and where it is installed all-MiniLM-L6-v2."""
    found: dict[str, Encoder] = {"hashed words": HashedWords(), "static": static_vectors.built_in()}
    with suppress(ShgatError):  # without the extra
        found["minilm"] = OnnxEncoder.from_package()
    return found


def _recall(scores: Float32, wanted: Incidence) -> float:
    return summarize(per_query(scores, wanted, (5,)))["recall@5"]


def _in_parts(model: SHGAT, texts: Sequence[str]) -> Float32:
    return np.concatenate([model.score(texts[start : start + 256]) for start in range(0, len(texts), 256)])


def _by(traces: Traces, encoder: Encoder) -> Traces:
    texts = [str(text) for text in traces.texts]
    return replace(traces, intents=encoder.encode(queries(encoder, texts)), texts=Texts(texts))


def _milliseconds(encoder: Encoder, texts: Sequence[str], clock: Callable[[], float] = time.thread_time) -> float:
    """Of this thread, which encodes: other work on the machine does not count."""
    encoder.encode(["warm"])
    spent = []
    for text in texts:
        began = clock()
        encoder.encode([text])
        spent.append(1000.0 * (clock() - began))
    return float(np.median(spent))
