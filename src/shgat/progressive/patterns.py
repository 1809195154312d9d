"""What kind of work a commit was, learned from the commits whose makers say so (`prefixes`).

Multinomial naive Bayes over the words of the message and of the paths (McCallum and Nigam, 1998), and logistic regression that begins at
it. Which of the two stands is decided by the last fifth of the commits that it was given.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .._types import Float64, Int64
from ..errors import InputError
from ..graph import Incidence
from ..model.words import words
from .changeset import Changeset
from .prefixes import prefixed

MOST_WORDS = 20_000  # the most frequent
HELD = 0.2  # part of what is learned from that decides
_STEPS, _RATE, _DECAY = 40, 0.005, 0.3  # decay: towards naive Bayes, in units of a commit's weight
_ALPHA = 0.3  # of words that a label was not seen with


@dataclass(frozen=True)
class Labelled:
    """Commits whose makers say what they are.

    Attributes
    ----------
    texts : words of each, the label's own taken away
    labels : of each
    """

    texts: list[list[str]]
    labels: list[str]

    @classmethod
    def of(cls, rows: Sequence[Changeset]) -> "Labelled":
        """Those of some changesets, in their order."""
        texts, labels = [], []
        for change in rows:
            label, rest = prefixed(change.message)
            if label:
                texts.append(tokens(rest, change.paths))
                labels.append(label)
        return cls(texts, labels)

    def part(self, start: int, stop: int) -> "Labelled":
        """Those from one to before another."""
        return Labelled(self.texts[start:stop], self.labels[start:stop])

    def __add__(self, other: "Labelled") -> "Labelled":
        return Labelled(self.texts + other.texts, self.labels + other.labels)

    def __len__(self) -> int:
        return len(self.labels)


def tokens(message: str, paths: Sequence[str]) -> list[str]:
    """Words of a message, and of paths, which are words of another kind, each once."""
    found = dict.fromkeys(words(message))
    for path in paths:
        folder, _, name = path.rpartition("/")
        found |= dict.fromkeys(f"/{word}" for word in words(path))
        found |= dict.fromkeys((f"dir {folder.split('/')[0]}", f"end {name.rpartition('.')[2]}"))
    found[f"files {min(len(paths), 5)}"] = None
    return list(found)


@dataclass(frozen=True)
class Classifier:
    """Labels of commits.

    Attributes
    ----------
    names : the labels
    vocabulary : word -> column
    weights, bias : (n_labels, n_words), (n_labels,) of the logits
    method : naive Bayes or logistic regression
    """

    names: tuple[str, ...]
    vocabulary: dict[str, int]
    weights: Float64
    bias: Float64
    method: str

    def probabilities(self, texts: Sequence[Sequence[str]]) -> Float64:
        """(B, n_labels) of each label."""
        rows = _rows(texts, self.vocabulary)
        return _softmax(_logits(rows, _lengths(rows), self.weights, self.bias))

    def predict(self, texts: Sequence[Sequence[str]]) -> list[str]:
        """The likeliest label of each."""
        return [self.names[k] for k in self.probabilities(texts).argmax(axis=1).tolist()]


def learned(data: Labelled, method: str | None = None) -> Classifier:
    """A classifier of labelled commits, in their order.

    Parameters
    ----------
    method : naive Bayes or logistic regression; None: the one with the better macro-F1 on the last fifth

    Raises
    ------
    InputError
        where fewer than two labels are seen.
    """
    if len(set(data.labels)) < 2:
        raise InputError(f"{len(data)} labelled commits of {len(set(data.labels))} labels: expected two labels or more")
    if method is None:
        cut = int(len(data) * (1.0 - HELD))
        first, last = data.part(0, cut), data.part(cut, len(data))
        if len(set(first.labels)) < 2 or not len(last):
            method = "naive Bayes"
        else:
            figures = {
                m: macro_f1(learned(first, m).predict(last.texts), last.labels) for m in ("naive Bayes", "logistic regression")
            }
            method = max(figures, key=figures.__getitem__)
    names = tuple(sorted(set(data.labels)))
    counts: dict[str, int] = {}
    for text in data.texts:
        for word in text:
            counts[word] = counts.get(word, 0) + 1
    kept = sorted(counts, key=lambda w: (-counts[w], w))[:MOST_WORDS]
    vocabulary = {word: i for i, word in enumerate(kept)}
    rows = _rows(data.texts, vocabulary)
    label = np.array([names.index(name) for name in data.labels])
    weights, bias = _naive_bayes(rows, label, len(names), len(vocabulary))
    if method == "logistic regression":
        weights, bias = _logistic(rows, label, weights, bias)
    return Classifier(names, vocabulary, weights, bias, method)


def macro_f1(found: Sequence[str], wanted: Sequence[str]) -> float:
    """Mean over the labels that are wanted of 2 hits / (found + wanted)."""
    values = []
    for name in sorted(set(wanted)):
        hits = sum(f == w == name for f, w in zip(found, wanted, strict=True))
        values.append(2.0 * hits / (sum(f == name for f in found) + sum(w == name for w in wanted)))
    return sum(values) / len(values) if values else math.nan


def _rows(texts: Sequence[Sequence[str]], vocabulary: dict[str, int]) -> Incidence:
    return Incidence.from_rows(sorted({vocabulary[w] for w in text if w in vocabulary}) for text in texts)


def _naive_bayes(rows: Incidence, label: Int64, n_labels: int, n_words: int) -> tuple[Float64, Float64]:
    key = label[rows.row_of_entry] * n_words + rows.indices
    counts = np.bincount(key, minlength=n_labels * n_words).reshape(n_labels, n_words) + _ALPHA
    share = np.bincount(label, minlength=n_labels) / len(label)
    return np.log(counts / counts.sum(axis=1, keepdims=True)), np.log(np.maximum(share, 1e-12))


def _logistic(rows: Incidence, label: Int64, weights: Float64, bias: Float64) -> tuple[Float64, Float64]:
    """Adam on the mean cross-entropy, each label's commits with the weight sqrt(1 / how many there are), so that rare ones count."""
    n_labels, n_words = weights.shape
    scale = _lengths(rows)
    start = weights - weights.mean(axis=0)
    w, b = start.copy(), bias - bias.mean()
    often = np.bincount(label, minlength=n_labels)
    cost = 1.0 / np.sqrt(often[label])
    cost /= cost.sum()
    target = np.eye(n_labels)[label]
    moments = [np.zeros_like(w), np.zeros_like(w), np.zeros_like(b), np.zeros_like(b)]
    for step in range(1, _STEPS + 1):
        error = (_softmax(_logits(rows, scale, w, b)) - target) * cost[:, None]
        spread = error[rows.row_of_entry] * scale[rows.row_of_entry, None]
        d_w = np.stack([np.bincount(rows.indices, spread[:, k], n_words) for k in range(n_labels)]) + _DECAY * (w - start) / len(
            label
        )
        for value, d, first, second in ((w, d_w, moments[0], moments[1]), (b, error.sum(axis=0), moments[2], moments[3])):
            first += 0.1 * (d - first)
            second += 0.01 * (d * d - second)
            value -= _RATE * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.99**step)) + 1e-8)
    return w, b


def _lengths(rows: Incidence) -> Float64:
    """(B,) what the words of each text are multiplied by: a long text is no surer than one of twenty words."""
    return np.minimum(1.0, 20.0 / np.maximum(rows.degrees, 1))


def _logits(rows: Incidence, scale: Float64, weights: Float64, bias: Float64) -> Float64:
    columns = [np.bincount(rows.row_of_entry, w[rows.indices], rows.n_rows) * scale for w in weights]
    return np.stack(columns, axis=1) + bias


def _softmax(z: Float64) -> Float64:
    p = np.exp(z - z.max(axis=1, keepdims=True))
    return np.asarray(p / p.sum(axis=1, keepdims=True), np.float64)
