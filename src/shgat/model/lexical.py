"""BM25 over texts: what a tool is called and said to do, and the words people used for it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from weakref import WeakKeyDictionary

import numpy as np

from .._types import Float32, Int64
from ..graph import Capability, Catalog, Tool
from .candidates import Kind
from .words import terms

K1, B = 1.5, 0.75
REPEATS = 8  # times that a word of a description counts
LONG = (
    8  # a description is as long as so many typical ones at most, where the typical length is computed; and so much of it is usage
)


class Bm25:
    """BM25 (Robertson and Zaragoza, 2009) over documents given as words, in Lucene's variant. Weights are computed once:

        log(1 + (n - n_w + 1/2) / (n_w + 1/2)) f / (f + k1 (1 - b + b |D| / mean |D|))

    f: how often word w is in document D; n_w: how many of the n documents hold it. A score is the sum over the words of a query.

    Whoever writes a description decides how long it is and what it repeats. Of documents that are not `trusted` a word counts 8 times
    at most, while all its repetitions count in |D|; and none of them enters the mean with more than 8 times the median.
    """

    def __init__(self, documents: Sequence[Sequence[str]], *, trusted: bool = True) -> None:
        self.n = n = len(documents)
        self._number: dict[str, int] = {}  # of each word
        lengths = np.array([len(d) for d in documents], np.int64)
        numbers = (self._number.setdefault(w, len(self._number)) for w in chain.from_iterable(documents))
        found = np.fromiter(numbers, np.int64, int(lengths.sum()))
        pairs, count = np.unique(found * n + np.repeat(np.arange(n), lengths), return_counts=True)
        term, self._document = np.divmod(pairs, max(n, 1))
        known = np.bincount(term, minlength=len(self._number))
        self._rarity = rarity = np.log(1.0 + (n - known + 0.5) / (known + 0.5)).astype(np.float32)
        if not trusted:
            count = np.minimum(count, REPEATS)
        damping = K1 * ((1.0 - B) + B * lengths / max(_typical(lengths, trusted), 1e-12))
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


def _typical(lengths: Int64, trusted: bool) -> float:
    """The mean length, (n,) lengths."""
    written = lengths[lengths > 0]
    if not len(written):
        return 0.0
    if not trusted:
        lengths = np.minimum(lengths, LONG * int(np.median(written)))
    return float(lengths.mean())


@dataclass(frozen=True, eq=False)
class Descriptions:
    """What the tools, or the capabilities, of one catalogue are called and said to do.

    Attributes
    ----------
    nodes : tools, or capabilities
    """

    nodes: Sequence[Tool | Capability]

    @classmethod
    def of(cls, catalog: Catalog, kind: Kind) -> "Descriptions":
        """One for all that read the words of a catalogue, kept as long as that is."""
        kinds = _KEPT.setdefault(catalog, {})
        if kind not in kinds:
            kinds[kind] = cls(catalog.tools if kind == "tools" else catalog.capabilities)
        return kinds[kind]

    @cached_property
    def documents(self) -> list[list[str]]:
        """Terms of the id and the text of each node."""
        return [_terms(node) for node in self.nodes]

    @cached_property
    def index(self) -> Bm25:
        """Over the documents."""
        return Bm25(self.documents, trusted=False)

    @cached_property
    def heads(self) -> list[list[str]]:
        """Of each document as much as 8 typical ones hold, and of a word 8 at most."""
        written = [len(d) for d in self.documents if d]
        most = LONG * int(np.median(written)) if written else 0
        return [_head(d, most) for d in self.documents]


def _head(document: list[str], most: int) -> list[str]:
    if len(document) <= REPEATS:
        return document
    times: dict[str, int] = {}
    head = []
    for word in document[:most]:
        times[word] = times.get(word, 0) + 1
        if times[word] <= REPEATS:
            head.append(word)
    return head


def _terms(node: Tool | Capability) -> list[str]:
    """Of a node's id and text; kept, because catalogues change by a node at a time."""
    found = _TERMS.get(node)
    if found is None:
        found = _TERMS[node] = terms(f"{node.id} {node.text}")
    return found


_KEPT: WeakKeyDictionary[Catalog, dict[Kind, Descriptions]] = WeakKeyDictionary()
_TERMS: WeakKeyDictionary[Tool | Capability, list[str]] = WeakKeyDictionary()
