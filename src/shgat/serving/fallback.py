"""What ranks where the model cannot: cosine, then shared words, then the order of the catalogue."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from .. import _check
from ..errors import InputError
from ..graph import Capability, Catalog, Tool
from ..model.lexical import words

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Shelf:
    """The tools, or the capabilities, of a catalogue.

    Attributes
    ----------
    ids, column : items in catalogue order, and the position of each
    rows : (n, d) embeddings or None
    texts : what their words are taken from
    """

    ids: tuple[str, ...]
    rows: Floats | None
    texts: tuple[str, ...]

    @classmethod
    def of(cls, catalog: Catalog, kind: str) -> "Shelf":
        nodes: Sequence[Tool | Capability] = catalog.tools if kind == "tools" else catalog.capabilities
        rows = catalog.tool_embeddings if kind == "tools" else catalog.capability_embeddings
        return cls(tuple(n.id for n in nodes), rows, tuple(f"{n.id} {n.text}" for n in nodes))

    @cached_property
    def column(self) -> dict[str, int]:
        return {key: i for i, key in enumerate(self.ids)}

    def cosine(self, intent: object) -> Floats:
        """(n,) cosine of the intent (d,) and each item; InputError for an intent that is no finite vector."""
        if self.rows is None:
            raise InputError("the catalogue has no embeddings")
        x = _check.vector(intent, self.rows.shape[1], "the intent")
        scores = self._unit @ (x / max(float(np.linalg.norm(x.astype(np.float64))), 1e-12))
        if not np.isfinite(scores).all():
            raise InputError("the intent has entries too large to score")
        return np.asarray(scores, np.float32)

    def lexical(self, text: str | None) -> Floats:
        """(n,) summed rarity of the words that intent and item share; InputError where none is shared."""
        scores = np.zeros(len(self.ids), np.float32)
        for word in set(words(text or "")):
            columns = self._postings.get(word)
            if columns:
                scores[columns] += math.log1p(len(self.ids) / len(columns))
        if not scores.any():
            raise InputError("no item shares a word with the intent's text" if text else "the intent has no text")
        return scores

    def best(self, scores: Floats, k: int, allowed: Sequence[int] | None) -> tuple[tuple[str, ...], tuple[float, ...]]:
        """The k best of the allowed items, ties in catalogue order."""
        columns = np.arange(len(scores)) if allowed is None else np.array(sorted(set(allowed)), np.int64)
        chosen = columns[np.argsort(-scores[columns], kind="stable")[:k]]
        return tuple(self.ids[i] for i in chosen.tolist()), tuple(scores[chosen].tolist())

    @cached_property
    def _unit(self) -> Floats:
        assert self.rows is not None
        return np.asarray(self.rows / np.maximum(np.linalg.norm(self.rows, axis=1, keepdims=True), 1e-12), np.float32)

    @cached_property
    def _postings(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for i, text in enumerate(self.texts):
            for word in Counter(words(text)):
                found.setdefault(word, []).append(i)
        return found
