"""BM25 over short texts: what a tool is called, and the words people used for it."""

import re
from collections.abc import Iterable, Sequence
from itertools import chain

import numpy as np

from .._types import Float32

K1, B = 1.5, 0.75
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_WORD = re.compile(r"[a-z0-9]+|[^\x00-\x7f]")


def words(text: str) -> list[str]:
    """Lower-case words and numbers, camelCase and snake_case taken apart; every character beyond ASCII is a word of its own."""
    return _WORD.findall(_CAMEL.sub(" ", text).lower())


class Bm25:
    """BM25 (Robertson and Zaragoza, 2009) over documents given as words, in Lucene's variant. Weights are computed once:

        log(1 + (n - n_w + 1/2) / (n_w + 1/2)) f / (f + k1 (1 - b + b |D| / mean |D|))

    f: how often word w is in document D; n_w: how many of the n documents hold it. A score is the sum over the words of a query.
    """

    def __init__(self, documents: Sequence[Sequence[str]]) -> None:
        self.n = n = len(documents)
        self._number: dict[str, int] = {}  # of each word
        lengths = np.array([len(d) for d in documents], np.int64)
        numbers = (self._number.setdefault(w, len(self._number)) for w in chain.from_iterable(documents))
        terms = np.fromiter(numbers, np.int64, int(lengths.sum()))
        pairs, count = np.unique(terms * n + np.repeat(np.arange(n), lengths), return_counts=True)
        term, self._document = np.divmod(pairs, max(n, 1))
        known = np.bincount(term, minlength=len(self._number))
        self._rarity = rarity = np.log(1.0 + (n - known + 0.5) / (known + 0.5)).astype(np.float32)
        damping = K1 * ((1.0 - B) + B * lengths / max(float(lengths.mean()) if n else 0.0, 1e-12))
        self._weight = (rarity[term] * (count / (damping[self._document] + count))).astype(np.float32)
        self._start = np.append(0, np.cumsum(known))

    def scores(self, query: Sequence[str]) -> Float32:
        """(n,) float32, at least 0."""
        scores = np.zeros(self.n, np.float32)
        for word in query:
            number = self._number.get(word)
            if number is not None:
                entries = slice(self._start[number], self._start[number + 1])
                scores[self._document[entries]] += self._weight[entries]
        return scores

    def rarity(self, word: str, unknown: float) -> float:
        """log(1 + (n - n_w + 1/2) / (n_w + 1/2)), or `unknown` for a word that no document holds."""
        number = self._number.get(word)
        return unknown if number is None else float(self._rarity[number])

    def relative(self, queries: Iterable[Sequence[str]]) -> Float32:
        """(B, n) scores divided by the best of each query; zero where no document shares a word."""
        rows = [self.scores(query) for query in queries]
        z = np.stack(rows) if rows else np.zeros((0, self.n), np.float32)
        return np.asarray(z / (z.max(axis=1, initial=0.0, keepdims=True) + 1e-6), np.float32)
