"""What makes vectors of texts, and catalogues that it made the embeddings of."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol, TypeVar

import numpy as np

from .._types import Float32
from ..graph import Capability, Catalog, Tool
from . import static

_Node = TypeVar("_Node", Tool, Capability)


class Encoder(Protocol):
    """Attributes
    ----------
    id : names it and its version, see `shgat.graph.space`
    dimension : d
    query_prefix, passage_prefix : what stands before the text of an intent and of a tool; an encoder without them has none
    """

    @property
    def id(self) -> str: ...

    @property
    def dimension(self) -> int: ...

    @property
    def query_prefix(self) -> str: ...

    @property
    def passage_prefix(self) -> str: ...

    def encode(self, texts: Sequence[str]) -> Float32:
        """(len(texts), d) float32 of length 1; zero for a text that says nothing."""
        ...


def embedded(catalog: Catalog, encoder: Encoder | None = None, known: Mapping[str, Float32] | None = None) -> Catalog:
    """The catalogue with embeddings of its ids and texts, in place of those that it has; None: by the static vectors of the wheel.

    A capability without a text is the mean of its members. An item that says nothing at all has a direction of its own.

    Parameters
    ----------
    known : what the encoder gave before, by `content_of`; those are not encoded again
    """
    encoder = encoder or static.built_in()
    tools = _with(catalog.tools, encoder, known or {})
    capabilities = _with(catalog.capabilities, encoder, known or {})
    rows = {t.id: t.embedding for t in tools}
    capabilities = [of_members(c, rows) for c in capabilities]
    return replace(
        catalog,
        tools=tuple(replace(t, embedding=None) for t in catalog.tools),
        capabilities=tuple(replace(c, embedding=None) for c in catalog.capabilities),
        tool_embeddings=_stacked(tools, encoder.dimension),
        capability_embeddings=_stacked(capabilities, encoder.dimension),
        encoder=encoder.id,
    )


def of_members(capability: Capability, rows: Mapping[str, Float32 | None]) -> Capability:
    """A capability that nothing is said of with the mean of its tools' embeddings, which `rows` has by id; else as it is."""
    members = [row for row in map(rows.get, capability.tools) if row is not None]
    if capability.text or not members or not (mean := np.sum(members, axis=0)).any():
        return capability
    return replace(capability, embedding=np.asarray(mean / np.linalg.norm(mean), np.float32))


def with_embeddings(nodes: Sequence[_Node], encoder: Encoder) -> list[_Node]:
    """The nodes with embeddings of their ids and texts."""
    return _with(nodes, encoder, {})


def passage_of(node: Tool | Capability, encoder: Encoder) -> str:
    """What is encoded of a tool or a capability."""
    return f"{encoder.passage_prefix}{node.id} {node.text}"


def content_of(node: Tool | Capability) -> str:
    """What an encoder's vector of a tool or a capability depends on; of a capability that nothing is said of, its members too."""
    members = node.tools if isinstance(node, Capability) and not node.text else ()
    return "\0".join((type(node).__name__, node.id, node.text, *members))


def queries(encoder: Encoder, texts: Sequence[str]) -> list[str]:
    """What is encoded of intents."""
    return [encoder.query_prefix + text for text in texts]


def _with(nodes: Sequence[_Node], encoder: Encoder, known: Mapping[str, Float32]) -> list[_Node]:
    rows = [known.get(content_of(node)) for node in nodes]
    said = [passage_of(node, encoder) for node in nodes]
    new = list(dict.fromkeys(text for text, row in zip(said, rows, strict=True) if row is None))
    made = dict(zip(new, encoder.encode(new), strict=True)) if new else {}
    found = []
    for node, text, row in zip(nodes, said, rows, strict=True):
        vector = np.asarray(made[text] if row is None else row, np.float32)
        if not vector.any():  # a picture for an id, say
            seed = int.from_bytes(node.id.encode()[:64], "little")
            noise = np.random.default_rng(seed).standard_normal(encoder.dimension)
            vector = np.asarray(noise / np.linalg.norm(noise), np.float32)
        found.append(replace(node, embedding=vector))
    return found


def _stacked(nodes: Sequence[Tool] | Sequence[Capability], d: int) -> Float32:
    return np.array([node.embedding for node in nodes], np.float32).reshape(len(nodes), d)
