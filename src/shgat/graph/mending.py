"""A catalogue of records that do not hold together: what is broken is left out and named, and the rest does."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from .._types import Float32
from . import faults
from .hierarchy import without_cycles
from .incidence import Incidence
from .inheritance import means
from .records import Capability, Tool

_Node = TypeVar("_Node", Tool, Capability)
Nodes = tuple[tuple[Tool, ...], tuple[Capability, ...]]


def mended(tools: Sequence[Tool], capabilities: Sequence[Capability], left_out: list[str]) -> Nodes:
    """The records that hold together; what is left out of them is named in `left_out`, one sentence each.

    Of records with one id the first stays. Of a capability only the members go that are unknown or would close a cycle. An embedding
    that cannot be used, or has not the dimension that most have, counts as none. A tool without one takes the mean of the capabilities
    that list it, a capability that of its members, and who has none then is left out; unless that would be more than half of the
    tools: such a catalogue keeps all tools and is one of texts.
    """
    tools, capabilities = _first(tools, "tool", left_out), _first(capabilities, "capability", left_out)
    tools, capabilities = _usable(tools, capabilities, left_out)
    capabilities = _acyclic(_known(tools, capabilities, left_out), left_out)
    return _embedded(tools, capabilities, left_out)


def _first(nodes: Sequence[_Node], kind: str, left_out: list[str]) -> tuple[_Node, ...]:
    kept: dict[str, _Node] = {}
    for node in nodes:
        if node.id in kept:
            left_out.append(f"{kind} id {node.id!r} occurs again: only the first record stays")
        else:
            kept[node.id] = node
    return tuple(kept.values())


def _usable(tools: tuple[Tool, ...], capabilities: tuple[Capability, ...], left_out: list[str]) -> Nodes:
    """Without the embeddings that cannot be used."""
    nodes: tuple[Tool | Capability, ...] = (*tools, *capabilities)
    sizes = Counter(len(n.embedding) for n in nodes if n.embedding is not None and n.embedding.ndim == 1)
    fit = {size: count for size, count in sizes.items() if size >= faults.MIN_DIMENSION}
    left_out += [f"{faults.too_few(size)}: {count} are left out" for size, count in sizes.items() if size not in fit]
    d = max(fit, key=lambda size: fit[size]) if fit else None
    return _without_bad(tools, "tool", d, left_out), _without_bad(capabilities, "capability", d, left_out)


def _without_bad(nodes: tuple[_Node, ...], kind: str, d: int | None, left_out: list[str]) -> tuple[_Node, ...]:
    kept = list(nodes)
    for i, node in enumerate(nodes):
        if node.embedding is not None and node.embedding.shape != (d,):
            kept[i] = replace(node, embedding=None)
            if node.embedding.ndim != 1 or node.embedding.size >= faults.MIN_DIMENSION:
                left_out.append(f"the embedding of {kind} {node.id!r} has shape {node.embedding.shape}, expected ({d},): left out")
    having = [i for i, node in enumerate(kept) if node.embedding is not None]
    rows = np.array([kept[i].embedding for i in having], np.float32).reshape(len(having), d or 0)
    for row, trouble in faults.unusable(rows):
        i = having[row]
        kept[i] = replace(kept[i], embedding=None)
        left_out.append(f"the embedding of {kind} {kept[i].id!r} {trouble}: left out")
    return tuple(kept)


def _known(tools: Sequence[Tool], capabilities: Sequence[Capability], left_out: list[str]) -> tuple[Capability, ...]:
    """Without the members that are no record."""
    left_out += [f"{sentence}: it is left without it" for sentence in faults.unknown_members(tools, capabilities, (), ())]
    return _within(capabilities, {t.id for t in tools}, {c.id for c in capabilities})


def _within(capabilities: Sequence[Capability], tools: set[str], others: set[str]) -> tuple[Capability, ...]:
    """Those of the capabilities that are among the others, with the members that are there."""
    kept = []
    for c in capabilities:
        if c.id not in others:
            continue
        members = tuple(t for t in c.tools if t in tools), tuple(m for m in c.capabilities if m in others)
        kept.append(c if members == (c.tools, c.capabilities) else replace(c, tools=members[0], capabilities=members[1]))
    return tuple(kept)


def _acyclic(capabilities: tuple[Capability, ...], left_out: list[str]) -> tuple[Capability, ...]:
    """Without the memberships that close a cycle."""
    column = {c.id: i for i, c in enumerate(capabilities)}
    members = Incidence.from_rows([column[m] for m in c.capabilities] for c in capabilities)
    kept = list(capabilities)
    for holder, member in without_cycles(members):
        c, name = kept[holder], capabilities[member].id
        kept[holder] = replace(c, capabilities=tuple(m for m in c.capabilities if m != name))
        left_out.append(f"capability {c.id!r} is left without its member {name!r}, which contains it: a membership cycle")
    return tuple(kept)


def _embedded(tools: tuple[Tool, ...], capabilities: tuple[Capability, ...], left_out: list[str]) -> Nodes:
    """With an embedding for every node, or for none."""
    nodes: tuple[Tool | Capability, ...] = (*tools, *capabilities)
    if all(n.embedding is None for n in nodes):
        return tools, capabilities
    own: dict[str, Float32] = {t.id: t.embedding for t in tools if t.embedding is not None}
    inherited = means((c.embedding, c.tools) for c in capabilities)
    there = [t for t in tools if t.id in own or t.id in inherited]
    if 2 * len(there) < len(tools):
        left_out.append(f"only {len(there)} of {len(tools)} tools have an embedding: all embeddings are left out, the texts stay")
        return tuple(replace(t, embedding=None) for t in tools), tuple(replace(c, embedding=None) for c in capabilities)
    sentences: list[str] = []
    for t in tools:
        if t.id not in own and t.id in inherited:
            sentences.append(f"tool {t.id!r} has no embedding: it has the mean of the capabilities that contain it")
        elif t.id not in own:
            sentences.append(f"tool {t.id!r} has no embedding, and no capability that has one contains it: left out")
    directly = {c.id: c.embedding for c in capabilities if c.embedding is not None}
    of_members = means(
        (row, (c.id,))
        for c in capabilities
        if c.embedding is None
        for row in (*(own.get(t) for t in c.tools), *(directly.get(m) for m in c.capabilities))
    )
    for c in capabilities:
        if c.id not in directly and c.id in of_members:
            sentences.append(f"capability {c.id!r} has no embedding: it has the mean of its members")
        elif c.id not in directly:
            sentences.append(f"capability {c.id!r} has no embedding, and no member that has one: left out")
    left_out += sentences
    kept = _within(capabilities, {t.id for t in there}, directly.keys() | of_members.keys())
    return (
        tuple(t if t.id in own else replace(t, embedding=inherited[t.id]) for t in there),
        tuple(c if c.id in directly else replace(c, embedding=of_members[c.id]) for c in kept),
    )
