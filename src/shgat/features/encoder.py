"""What makes vectors of texts, and catalogues that it made the embeddings of."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Protocol, TypeVar

import numpy as np

from .._types import Float32
from ..graph import Capability, Catalog, Tool
from .hashed_words import HashedWords

_Node = TypeVar("_Node", Tool, Capability)


class Encoder(Protocol):
    """Attributes
    ----------
    id : names it and its version: vectors of one id may be compared
    dimension : d
    """

    @property
    def id(self) -> str: ...

    @property
    def dimension(self) -> int: ...

    def encode(self, texts: Sequence[str]) -> Float32:
        """(len(texts), d) float32 of length 1; zero for a text that says nothing."""
        ...


@cache
def _built_in() -> HashedWords:
    return HashedWords()


def encoder_of(catalog: Catalog) -> Encoder | None:
    """What makes vectors for the intents of a catalogue, None where that is not built in."""
    return _built_in() if catalog.encoder == _built_in().id else None


def embedded(catalog: Catalog, encoder: Encoder | None = None) -> Catalog:
    """The catalogue with embeddings of its ids and texts, in place of those that it has; None: by hashed words.

    A capability without a text is the mean of its members. An item that says nothing at all has a direction of its own.
    """
    encoder = encoder or _built_in()
    tools, capabilities = with_embeddings(catalog.tools, encoder), with_embeddings(catalog.capabilities, encoder)
    rows = {t.id: t.embedding for t in tools}
    for i, c in enumerate(capabilities):
        members = [row for row in map(rows.get, c.tools) if row is not None]
        if not c.text and members and (mean := np.sum(members, axis=0)).any():
            capabilities[i] = replace(c, embedding=np.asarray(mean / np.linalg.norm(mean), np.float32))
    return replace(
        catalog,
        tools=tuple(replace(t, embedding=None) for t in catalog.tools),
        capabilities=tuple(replace(c, embedding=None) for c in catalog.capabilities),
        tool_embeddings=_stacked(tools, encoder.dimension),
        capability_embeddings=_stacked(capabilities, encoder.dimension),
        encoder=encoder.id,
    )


def with_embeddings(nodes: Sequence[_Node], encoder: Encoder) -> list[_Node]:
    """The nodes with embeddings of their ids and texts."""
    vectors = encoder.encode([f"{node.id} {node.text}" for node in nodes])
    for i in np.flatnonzero(~vectors.any(axis=1)).tolist():  # a picture for an id, say
        seed = int.from_bytes(nodes[i].id.encode()[:64], "little")
        noise = np.random.default_rng(seed).standard_normal(encoder.dimension)
        vectors[i] = noise / np.linalg.norm(noise)
    return [replace(node, embedding=vector) for node, vector in zip(nodes, vectors, strict=True)]


def _stacked(nodes: Sequence[Tool] | Sequence[Capability], d: int) -> Float32:
    return np.array([node.embedding for node in nodes], np.float32).reshape(len(nodes), d)
