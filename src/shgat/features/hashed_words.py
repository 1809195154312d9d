"""An encoder that needs nothing: words and their trigrams, hashed into a vector (Weinberger et al., 2009, Feature Hashing).

For catalogues that nobody embedded. It knows no meanings: what shares no letters is unrelated. Nothing is counted over the catalogue, so
that a tool that comes or goes moves no other one, and vectors of one version can be compared for ever.
"""

import math
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b

import numpy as np

from .._types import Float32, Int64
from ..model.words import ASIDE, READ, words

VERSION = 1
DIMENSION = 800  # 1024 finds hardly more, 384 clearly less; no usual encoder has it, so that nobody's vectors are taken for these
TRIGRAMS = 0.7  # length of a word's trigrams relative to the word
ASIDE_WEIGHT = 0.1  # of words that stand in every request


class HashedWords:
    """The encoder.

    A text is the sum over its words w of (1 + ln f_w) a_w (e(w) + 0.7 t(w) / |t(w)|), scaled to length 1: f_w is how often the word
    occurs, a_w is 1, or 0.1 for words that stand in every request; e(w) has two entries of +-1 / sqrt 2 where the hash of the word
    points, t(w) one of +-1 for every trigram of the word with its ends marked.
    """

    query_prefix = passage_prefix = ""

    @property
    def id(self) -> str:
        """Its name, version and dimension."""
        return f"hashed-words-{VERSION}-{DIMENSION}"

    @property
    def dimension(self) -> int:
        """d."""
        return DIMENSION

    def encode(self, texts: Sequence[str]) -> Float32:
        """(len(texts), d) float32 of length 1; zero for a text without a word."""
        out = np.zeros((len(texts), DIMENSION))
        for row, text in zip(out, texts, strict=True):
            counts = Counter(words(text[:READ]))
            if counts:
                parts = [_vector(word) for word in counts]
                weights = [(1.0 + math.log(n)) * (ASIDE_WEIGHT if word in ASIDE else 1.0) for word, n in counts.items()]
                entries = np.concatenate([what for _, what in parts])
                entries *= np.repeat(weights, [len(what) for _, what in parts])
                row[:] = np.bincount(np.concatenate([where for where, _ in parts]), entries, DIMENSION)
        out /= np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-12)
        return out.astype(np.float32)


@lru_cache(maxsize=1 << 15)
def _vector(word: str) -> tuple[Int64, np.ndarray[tuple[int], np.dtype[np.float64]]]:
    """(positions, entries) of one word."""
    marked = f"<{word}>"
    trigrams = [marked[i : i + 3] for i in range(len(marked) - 2)] if len(word) > 3 else []
    whole = _digest("w" + word)
    hashes = [whole & 0xFFFFFFFF, whole >> 32, *(_digest("t" + t) & 0xFFFFFFFF for t in trigrams)]
    lengths = [math.sqrt(0.5)] * 2 + [TRIGRAMS / math.sqrt(max(len(trigrams), 1))] * len(trigrams)
    signs = np.array([1.0 if h & 1 else -1.0 for h in hashes])
    return np.array([(h >> 1) % DIMENSION for h in hashes], np.int64), signs * lengths


def _digest(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(errors="surrogatepass"), digest_size=8).digest(), "little")
