"""BM25 over short texts: what a tool is called, and the words people used for it."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

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
    """BM25 (Robertson and Zaragoza, 2009) over documents given as words; Lucene's variant, as the library has it."""

    def __init__(self, documents: Sequence[Sequence[str]]) -> None:
        self.n = len(documents)
        self._index: Any = None
        if any(documents):
            import bm25s

            self._index = bm25s.BM25(k1=K1, b=B)
            self._index.index([list(d) for d in documents], show_progress=False)

    def scores(self, query: Sequence[str]) -> Floats:
        """(n,) float32, at least 0."""
        if self._index is None or not query:
            return np.zeros(self.n, np.float32)
        return np.asarray(self._index.get_scores(list(query)), np.float32)

    def relative(self, queries: Iterable[Sequence[str]]) -> Floats:
        """(B, n) scores divided by the best of each query; zero where no document shares a word."""
        rows = [self.scores(query) for query in queries]
        z = np.stack(rows) if rows else np.zeros((0, self.n), np.float32)
        return np.asarray(z / (z.max(axis=1, initial=0.0, keepdims=True) + 1e-6), np.float32)
