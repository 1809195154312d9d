"""BM25 over short texts: what a tool is called, and the words people used for it."""

import re
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
K1, B = 1.5, 0.75
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_WORD = re.compile(r"[a-z0-9]+|[^\x00-\x7f]")


def words(text: str) -> list[str]:
    """Lower-case words and numbers, camelCase and snake_case taken apart; every character beyond ASCII is a word of its own."""
    return _WORD.findall(_CAMEL.sub(" ", text).lower())


class Bm25:
    """BM25 over documents given as words, in Lucene's variant:

        score(q, D) = sum over words w of q of log(1 + (n - n_w + 1/2) / (n_w + 1/2)) f / (f + k1 (1 - b + b |D| / mean |D|))

    where f counts w in D and n_w the documents with w (Robertson and Zaragoza, 2009). A word's weights are computed at once, as arrays:
    a gateway builds this at every swap, beside its answers.
    """

    def __init__(self, documents: Sequence[Sequence[str]]) -> None:
        self.n = n = len(documents)
        lengths = np.array([len(d) for d in documents], np.int64)
        self._row: dict[str, int] = {}
        row = self._row
        terms = np.fromiter((row.setdefault(w, len(row)) for d in documents for w in d), np.int64, int(lengths.sum()))
        pairs, count = np.unique(terms * n + np.repeat(np.arange(n), lengths), return_counts=True)  # by word, then document
        term, self._document = pairs // max(n, 1), pairs % max(n, 1)
        known = np.bincount(term, minlength=len(row))
        self._start = [0, *np.cumsum(known).tolist()]
        rarity = np.log(1.0 + (n - known + 0.5) / (known + 0.5)).astype(np.float32)
        damping = K1 * ((1.0 - B) + B * lengths / max(float(lengths.mean()), 1e-12)) if n else lengths
        self._weight = (rarity[term] * (count / (damping[self._document] + count))).astype(np.float32)

    def scores(self, query: Sequence[str]) -> Floats:
        """(n,) float32, at least 0."""
        z = np.zeros(self.n, np.float32)
        for word in query:
            row = self._row.get(word)
            if row is not None:
                one = slice(self._start[row], self._start[row + 1])
                z[self._document[one]] += self._weight[one]
        return z

    def relative(self, queries: Iterable[Sequence[str]]) -> Floats:
        """(B, n) scores divided by the best of each query; zero where no document shares a word."""
        rows = [self.scores(query) for query in queries]
        z = np.stack(rows) if rows else np.zeros((0, self.n), np.float32)
        return np.asarray(z / (z.max(axis=1, initial=0.0, keepdims=True) + 1e-6), np.float32)
