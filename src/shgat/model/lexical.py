"""BM25 over short texts: what a tool is called, and the words people used for it."""

import re
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import chain
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
            vocabulary: dict[str, int] = {}
            numbered = [[vocabulary.setdefault(w, len(vocabulary)) for w in d] for d in documents]
            self._index = _library()(k1=K1, b=B)
            self._index.index((numbered, vocabulary), show_progress=False)

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


@cache
def _library() -> Any:
    """bm25s, whose index is built as arrays where the library goes from document to document: a gateway builds one at every swap, beside
    its answers, and the library takes twelve times as long. Its documentation names the method as the one to replace."""
    import bm25s

    class Index(bm25s.BM25):  # type: ignore[misc]
        def build_index_from_ids(
            self,
            unique_token_ids: list[int],
            corpus_token_ids: list[list[int]],
            show_progress: bool = True,
            leave_progress: bool = False,
        ) -> dict[str, Any]:
            """Weights of all words in all documents, by word and then by document:

            log(1 + (n - n_w + 1/2) / (n_w + 1/2)) f / (f + k1 (1 - b + b |D| / mean |D|))

            f: how often the word is in document D; n_w: documents with the word.
            """
            self.nonoccurrence_array = None  # of other variants
            n, n_words = len(corpus_token_ids), len(unique_token_ids)
            lengths = np.array([len(d) for d in corpus_token_ids], np.int64)
            terms = np.fromiter(chain.from_iterable(corpus_token_ids), np.int64, int(lengths.sum()))
            pairs, count = np.unique(terms * n + np.repeat(np.arange(n), lengths), return_counts=True)
            term, document = pairs // n, pairs % n
            known = np.bincount(term, minlength=n_words)
            rarity = np.log(1.0 + (n - known + 0.5) / (known + 0.5)).astype(np.float32)
            damping = self.k1 * ((1.0 - self.b) + self.b * lengths / lengths.mean())
            weight = (rarity[term] * (count / (damping[document] + count))).astype(np.float32)
            start = np.concatenate([[0], np.cumsum(known)])
            return {"data": weight, "indices": document.astype(np.int32), "indptr": start.astype(np.int32), "num_docs": n}

    return Index
