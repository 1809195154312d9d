"""One scale for what people see: scores in [0, 1], whoever ranked.

    calibrated      the probability that a tool is right, of a model that has learned it on held-out traces
    similarity      (1 + cosine) / 2, of a model before that, of capabilities, and of cosine alone; what came of earlier answers moves
                    the cosine up or down meanwhile
    logits          1 / (1 + exp(-z)), of a model that ranks by dot products, and of what it has learned about words
    words           s / (1 + s), s the BM25 of the intent's words

Each rises with what the items were sorted by. What the catalogue knows has at least 1e-6, so that 0 is left for what it does not know.
"""

import numpy as np

from .._types import Float32
from ..metrics.calibration import sigmoid
from .index import Index
from .ranking import Ranking

LEAST = 1e-6
_LEAST, _MOST = np.float32(LEAST), np.float32(1.0)


def of_ranking(index: Index, ranking: Ranking) -> tuple[Float32, bool]:
    """(len(ranking),) scores of what an index ranked, and whether they are calibrated probabilities."""
    if ranking.probabilities is not None:
        return _within(ranking.probabilities), True
    if index.state.config.fusion == "mean" and index.cosine:
        return _within(
            ranking.scores * np.float32(0.5 / index.scale) + np.float32(0.5 - 0.5 * ranking.baseline / index.scale)
        ), False
    z = ranking.scores - np.float32(ranking.baseline)
    return (_within(z) if index.state.config.fusion == "sigmoid" else of_logits(z)), False


def of_cosine(cosine: Float32) -> Float32:
    """From cosines."""
    return _within(np.float32(0.5) * (np.float32(1.0) + cosine))


def of_logits(z: Float32) -> Float32:
    """From scores that may be anything."""
    return _within(np.asarray(sigmoid(z), np.float32))


def of_words(scores: Float32) -> Float32:
    """From scores of shared words, which are at least 0."""
    return _within(scores / (np.float32(1.0) + scores))


def _within(scores: Float32) -> Float32:
    found: Float32 = np.minimum(np.maximum(scores, _LEAST), _MOST)
    return found
