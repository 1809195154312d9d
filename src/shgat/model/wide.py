"""Words beside embeddings: what a model sees that learns from words as well.

    x = [e / |e| ; 0.6 h] / sqrt(1 + 0.6^2),   e: embedding (d,), h: hashed words of the text (256,), see `hashing`

An encoder knows what words mean everywhere; maps of the words themselves learn what they mean here. A text that is not given has h = 0. On
held-out traces of four public sets 128 places are worth less and 384 no more; maps of their own, fused late, are worth less than one map of
both; words added onto the embedding in its own dimensions are worth nothing.
"""

from collections.abc import Sequence
from dataclasses import replace
from weakref import WeakKeyDictionary

import numpy as np

from .._types import Float32
from ..graph import Capability, Catalog, Tool
from .hashing import entries, hashed

WORDS = 256
SHARE = 0.6  # length of the words beside an embedding of length 1
LENGTH = np.float32(np.sqrt(1.0 + SHARE * SHARE))


def wide(rows: Float32, words: Float32) -> Float32:
    """(n, d + 256) float32 from embeddings (n, d) and hashed words (n, 256)."""
    n, d = rows.shape
    out = np.empty((n, d + WORDS), np.float32)
    np.divide(rows, np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12) * LENGTH, out=out[:, :d])
    np.multiply(words, np.float32(SHARE) / LENGTH, out=out[:, d:])
    return out


def wide_catalog(catalog: Catalog) -> Catalog:
    """The catalogue with such rows in the place of its embeddings; kept as long as the catalogue is."""
    found = _KEPT.get(catalog)
    if found is None:
        tools, capabilities = catalog.tool_embeddings, catalog.capability_embeddings
        assert tools is not None
        assert capabilities is not None
        rows, edges = wide(tools, words_of(catalog.tools)), wide(capabilities, words_of(catalog.capabilities))
        found = _KEPT[catalog] = replace(catalog, tool_embeddings=rows, capability_embeddings=edges)
        same = {name: getattr(catalog, name) for name in ("hierarchy", "tool_column", "capability_column", "fingerprint")}
        vars(found).update(same)  # what does not depend on embeddings is not computed again
    return found


def wide_intents(intents: Float32, texts: Sequence[str]) -> Float32:
    """(B, d + 256) of intents (B, d) and their texts."""
    return wide(intents, hashed(texts, WORDS))


def words_of(nodes: Sequence[Tool] | Sequence[Capability]) -> Float32:
    """(n, 256) hashed words of ids and texts; kept, because catalogues change by a node at a time."""
    fresh = [node for node in nodes if node not in _HASHED]
    for node, row in zip(fresh, hashed([f"{node.id} {node.text}" for node in fresh], WORDS), strict=True):
        _HASHED[node] = row
    return np.array([_HASHED[node] for node in nodes], np.float32).reshape(len(nodes), WORDS)


def add_words(queries: Float32, maps: Float32, texts: Sequence[str]) -> None:
    """Adds to queries (B, D) what the words of the texts say, by maps (256, D) of hashed words of length 1."""
    for query, text in zip(queries, texts, strict=True):
        where, what = entries(text)
        if len(what):
            places = where % WORDS
            length = np.linalg.norm(np.bincount(places, what, WORDS))
            query += (what / max(float(length), 1e-12)).astype(np.float32) @ maps[places]


_KEPT: WeakKeyDictionary[Catalog, Catalog] = WeakKeyDictionary()
_HASHED: WeakKeyDictionary[Tool | Capability, Float32] = WeakKeyDictionary()
