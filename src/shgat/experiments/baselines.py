"""What a trained ranker has to beat: rankings without a graph, each one plain function from arrays to scores (B, n_tools).

Throughout, x (B, d) are unit intents, tools (n_tools, d) unit embeddings, `past` (N, d) the unit intents of successful traces and
`ran` (N rows) -> tool columns what was run for them.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from .._types import Float32, Int64
from ..graph import Incidence
from ..metrics.ranking import per_query, summarize
from ..model.channels import log_softmax
from ..model.lexical import Bm25
from ..model.words import words

RRF = 60.0
NEIGHBOURS = 20
SHARPNESS = 20.0  # of every softmax over cosines
OWN = 0.3  # weight of a tool's own cosine beside the votes
EPOCHS, PATIENCE, BATCH, LEARNING_RATE = 60, 6, 128, 1e-3
HELD_OUT = 0.1


def cosine(x: npt.NDArray[np.floating], tools: Float32) -> Float32:
    """x . tool, which is the cosine of unit rows."""
    return np.asarray(x @ tools.T, np.float32)


def bm25(texts: Sequence[str], documents: Sequence[str]) -> Float32:
    """BM25 of the intents' texts over the tools' (Robertson and Zaragoza, 2009; k1 = 1.5, b = 0.75, no stop words)."""
    index = Bm25([words(document) for document in documents])
    return np.stack([index.scores(words(text)) for text in texts])


def rrf(*scores: Float32) -> Float32:
    """Reciprocal rank fusion (Cormack et al., 2009): the sum of 1 / (60 + rank)."""
    return np.asarray(sum(1.0 / (RRF + _ranks(s)) for s in scores), np.float32)


def knn(x: Float32, tools: Float32, past: Float32, ran: Incidence) -> Float32:
    """The 20 nearest traces vote with softmax(20 cos) for each tool they ran; 0.3 cos(x, tool) is added."""
    near = x @ past.T
    k = min(NEIGHBOURS, near.shape[1])
    at = np.argpartition(-near, k - 1, axis=1)[:, :k] if k else np.zeros((len(x), 0), np.int64)
    weight = np.exp(log_softmax(SHARPNESS * np.take_along_axis(near, at, axis=1)))
    votes = np.zeros((len(x), len(tools)), np.float32)
    for row, traces, share in zip(votes, at, weight, strict=True):
        chosen = ran.take(traces)
        row += np.bincount(chosen.indices, share[chosen.row_of_entry], len(tools)).astype(np.float32)
    return votes + np.float32(OWN) * cosine(x, tools)


def tool2vec(x: Float32, tools: Float32, past: Float32, ran: Incidence) -> Float32:
    """Cosine with the mean intent of the traces that ran the tool (Moon et al., 2024), or with its own embedding where none did."""
    mean = np.zeros_like(tools)
    np.add.at(mean, ran.indices, past[ran.row_of_entry])
    length = np.linalg.norm(mean, axis=1, keepdims=True)
    return cosine(x, np.where(length > 0.0, mean / np.maximum(length, 1e-12), tools))


def linear_adapter(x: Float32, tools: Float32, past: Float32, ran: Incidence, rng: np.random.Generator) -> Float32:
    """Frozen embeddings and one trained map of the intent, W (d, d), that starts as the identity: z = 20 (W x) . tool.

    Multi-positive InfoNCE over all tools, Adam, stopped where Recall@5 + COMP@5 of a held-out tenth of the traces has been best.
    """
    rows = rng.permutation(len(past))
    held, training = np.split(rows, [max(1, round(HELD_OUT * len(rows)))])
    wanted = ran.take(held)
    w = np.eye(x.shape[1], dtype=np.float32)
    best, best_value, best_epoch = w.copy(), _value(cosine(past[held] @ w.T, tools), wanted), 0
    moments, step = np.zeros((2, *w.shape), np.float32), 0
    for epoch in range(1, EPOCHS + 1):
        order = rng.permutation(training)
        for batch in np.array_split(order, max(1, -(-len(order) // BATCH))):
            step += 1
            _adam(w, _gradient(w, past[batch], tools, ran.take(batch)), moments, step)
        value = _value(cosine(past[held] @ w.T, tools), wanted)
        if value > best_value:
            best, best_value, best_epoch = w.copy(), value, epoch
        elif epoch - best_epoch >= PATIENCE:
            break
    return cosine(x @ best.T, tools)


def _gradient(w: Float32, x: Float32, tools: Float32, ran: Incidence) -> Float32:
    """dL/dW of L = -mean_i sum_t y_it log softmax(20 W x_i . tools)_t, y uniform over what was run; (d, d)."""
    d_z = np.exp(log_softmax(np.float32(SHARPNESS) * cosine(x @ w.T, tools)))
    d_z[ran.row_of_entry, ran.indices] -= (1.0 / ran.degrees)[ran.row_of_entry].astype(np.float32)
    return np.asarray(SHARPNESS / len(x) * (tools.T @ d_z.T @ x), np.float32)


def _adam(w: Float32, gradient: Float32, moments: Float32, step: int) -> None:
    """One step of Adam (Kingma and Ba, 2015), in place; moments (2, d, d)."""
    mean, square = moments
    mean += 0.1 * (gradient - mean)
    square += 0.001 * (gradient**2 - square)
    w -= LEARNING_RATE * (mean / (1.0 - 0.9**step)) / (np.sqrt(square / (1.0 - 0.999**step)) + 1e-8)


def _value(scores: Float32, wanted: Incidence) -> float:
    metrics = summarize(per_query(scores, wanted, (5,)))
    return metrics["recall@5"] + metrics["comp@5"]


def _ranks(scores: Float32) -> Int64:
    """(B, n) 1-based ranks within each row, ties in column order."""
    order = np.argsort(-scores, axis=1, kind="stable")
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.arange(1, scores.shape[1] + 1)[None], axis=1)
    return ranks
