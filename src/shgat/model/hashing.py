"""Words and their trigrams, hashed into vectors (Weinberger et al., 2009, Feature Hashing).

A text is the sum over its words w of (1 + ln f_w) a_w (e(w) + 0.7 t(w) / |t(w)|), scaled to length 1: f_w is how often the word occurs, a_w is
1, or 0.1 for words that stand in every request; e(w) has two entries of +-1 / sqrt 2 where the hash of the word points, t(w) one of +-1 for
every trigram of the word with its ends marked. Nothing is counted over a catalogue, so that what comes or goes moves nothing else.
"""

import math
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b

import numpy as np

from .._types import Float32, Int64
from .words import ASIDE, READ, words

HASHED_WORDS = "hashed-words"  # how the names of encoders begin that know nothing but words
TRIGRAMS = 0.7  # length of a word's trigrams relative to the word
ASIDE_WEIGHT = 0.1  # of words that stand in every request

Entries = np.ndarray[tuple[int], np.dtype[np.float64]]


def hashed(texts: Sequence[str], dimension: int) -> Float32:
    """(len(texts), dimension) float32 of length 1; zero for a text without a word."""
    out = np.zeros((len(texts), dimension))
    for row, text in zip(out, texts, strict=True):
        where, what = entries(text)
        row[:] = np.bincount(where % dimension, what, dimension)
    out /= np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-12)
    return out.astype(np.float32)


def entries(text: str) -> tuple[Int64, Entries]:
    """(places, entries) of a text, before the places are taken modulo the dimension; a place may occur again."""
    counts = Counter(words(text[:READ]))
    if not counts:
        return np.empty(0, np.int64), np.empty(0)
    parts = [_word(word) for word in counts]
    weights = [(1.0 + math.log(n)) * (ASIDE_WEIGHT if word in ASIDE else 1.0) for word, n in counts.items()]
    what = np.concatenate([what for _, what in parts])
    what *= np.repeat(weights, [len(own) for _, own in parts])
    return np.concatenate([where for where, _ in parts]), what


@lru_cache(maxsize=1 << 15)
def _word(word: str) -> tuple[Int64, Entries]:
    """(places, entries) of one word."""
    marked = f"<{word}>"
    trigrams = [marked[i : i + 3] for i in range(len(marked) - 2)] if len(word) > 3 else []
    whole = _digest("w" + word)
    hashes = [whole & 0xFFFFFFFF, whole >> 32, *(_digest("t" + t) & 0xFFFFFFFF for t in trigrams)]
    lengths = [math.sqrt(0.5)] * 2 + [TRIGRAMS / math.sqrt(max(len(trigrams), 1))] * len(trigrams)
    signs = np.array([1.0 if h & 1 else -1.0 for h in hashes])
    return np.array([h >> 1 for h in hashes], np.int64), signs * lengths


def _digest(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(errors="surrogatepass"), digest_size=8).digest(), "little")
