"""Ranking without a model: by cosine, by shared words, in the order of the catalogue."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .._types import Float32, Int32
from ..errors import InputError
from ..graph import Capability, Catalog, Tool
from ..model.candidates import Kind
from ..model.lexical import Descriptions
from ..model.words import asked


@dataclass(frozen=True, eq=False)
class PlainRanking:
    """Ranks the tools, or the capabilities, of a catalogue without a model.

    Attributes
    ----------
    ids : in catalogue order
    rows : (n, d) embeddings or None
    said : what they are called and said to do
    """

    ids: tuple[str, ...]
    rows: Float32 | None
    said: Descriptions

    @classmethod
    def of(cls, catalog: Catalog, kind: Kind) -> "PlainRanking":
        nodes: Sequence[Tool | Capability] = catalog.tools if kind == "tools" else catalog.capabilities
        rows = catalog.tool_embeddings if kind == "tools" else catalog.capability_embeddings
        return cls(tuple(n.id for n in nodes), rows, Descriptions.of(catalog, kind))

    @cached_property
    def column(self) -> dict[str, int]:
        return {key: i for i, key in enumerate(self.ids)}

    def cosine(self, x: Float32) -> Float32:
        """(n,) cosine of a checked intent x (d,) and each item."""
        if self.rows is None:
            raise InputError("the catalogue has no embeddings")
        return np.asarray(self._unit @ (x / max(float(np.linalg.norm(x.astype(np.float64))), 1e-12)), np.float32)

    def lexical(self, text: str | None, allowed: Int32 | None) -> Float32:
        """(n,) BM25 of the intent's text; InputError where none of the allowed columns shares a word with it."""
        scores = self.said.index.scores(asked(text or ""))
        if not (scores if allowed is None else scores[allowed]).any():
            raise InputError("no item shares a word with the intent's text" if text else "the intent has no text")
        return scores

    def best(self, scores: Float32, k: int, allowed: Int32 | None) -> tuple[tuple[str, ...], Float32]:
        """The k best of the allowed columns, which are sorted, ties in catalogue order, and their scores."""
        columns = np.arange(len(scores)) if allowed is None else allowed
        chosen = columns[np.argsort(-scores[columns], kind="stable")[:k]]
        return tuple(self.ids[i] for i in chosen.tolist()), scores[chosen]

    @cached_property
    def _unit(self) -> Float32:
        assert self.rows is not None
        return np.asarray(self.rows / np.maximum(np.linalg.norm(self.rows, axis=1, keepdims=True), 1e-12), np.float32)
