"""Texts and graph in one vector, in the space of the texts, so that an intent can be compared with it."""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from .._types import Bool, Float32
from ..graph import Catalog
from ..metrics.ranking import criterion, per_query
from ..traces import Traces
from .member_graph import MemberGraph
from .node2vec import Node2VecConfig, node2vec, unit

TEXT_WEIGHTS = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3)  # that are tried; the graph has the rest
FEWEST = 20  # held-out traces that may choose
HELD_SHARE = 0.2  # of the traces, the newest
_RIDGE = 1.0
_ERRORS = 2.0  # standard errors by which the graph has to be better than the texts alone


@dataclass(frozen=True)
class Choice:
    """A weight and the evidence for it.

    Attributes
    ----------
    text : weight of the text, that of the graph is 1 - text; 1 where held-out traces do not speak for the graph
    n : held-out traces that chose, 0 where there were too few
    alone, mixed : mean of recall@5 and of all tools found by the text alone and at that weight, see `shgat.metrics.ranking.criterion`
    """

    text: float = 1.0
    n: int = 0
    alone: float | None = None
    mixed: float | None = None


def hybrid(text: Float32, graph: Float32, text_weight: float) -> Float32:
    """(n, d) float32 of length 1: w t / |t| + (1 - w) g' / |g'|, scaled.

    g' = [g, 1] A is what the graph says in the space of the texts; A minimises |[G, 1] A - T|^2 + |A|^2 (ridge regression). Two nodes
    that walks bring together have nearly the same g', whatever their texts say. A node that is joined with nothing keeps its text.

    Parameters
    ----------
    text : (n, d) float32 embeddings
    graph : (n, k) float32 vectors of the same nodes, zero for those that are joined with nothing
    text_weight : w in [0, 1]
    """
    text, joined = unit(text), graph.any(axis=1)
    if not joined.any() or text_weight >= 1.0:
        return text
    g = np.concatenate([graph, np.ones((len(graph), 1), np.float32)], axis=1)[joined].astype(np.float64)
    a = np.linalg.solve(g.T @ g + _RIDGE * np.eye(g.shape[1]), g.T @ text[joined])
    out = text.copy()
    out[joined] = unit(text_weight * text[joined] + (1.0 - text_weight) * unit((g @ a).astype(np.float32)))
    return out


def chosen(catalog: Catalog, traces: Traces, config: Node2VecConfig | None = None, threads: int = 1) -> Choice:
    """The weight at which the newest fifth of the traces that succeeded finds its tools best by cosine.

    The graph that is tried has no capability that only those traces gave rise to. The text alone stays where nothing is better by two
    standard errors of the difference.
    """
    rows = np.flatnonzero(traces.succeeded & (traces.tools.degrees > 0))
    rows = rows[np.argsort(traces.timestamp[rows], kind="stable")]
    held = np.sort(rows[len(rows) - int(HELD_SHARE * len(rows)) :])
    if len(held) < FEWEST or catalog.tool_embeddings is None:
        return Choice()
    out = np.zeros(len(traces), bool)
    out[held] = True
    unknown = [catalog.capabilities[i].id for i in np.flatnonzero(only_from(catalog, traces, out)).tolist()]
    before = catalog.without(*unknown) if unknown else catalog
    space = node2vec(MemberGraph.of(before), config, threads)
    nodes, text = [("tool", [t.id for t in before.tools])], [catalog.tool_embeddings]
    if before.capability_embeddings is not None:
        nodes.append(("capability", [c.id for c in before.capabilities]))
        text.append(before.capability_embeddings)
    graph = np.concatenate([space.of("tool" if kind == "tool" else "capability", ids) for kind, ids in nodes])
    whole, x, relevant = np.concatenate(text), unit(traces.vectors(held)), traces.tools.take(held)
    n_tools = len(catalog.tools)
    found = {w: criterion(per_query(x @ hybrid(whole, graph, w)[:n_tools].T, relevant)) for w in TEXT_WEIGHTS}
    best = max(TEXT_WEIGHTS, key=lambda w: float(found[w].mean()))
    gain = found[best] - found[1.0]
    enough = gain.mean() > _ERRORS * gain.std() / np.sqrt(len(gain))
    best = best if enough else 1.0
    return Choice(best, len(held), float(found[1.0].mean()), float(found[best].mean()))


def only_from(catalog: Catalog, traces: Traces, held: Bool) -> Bool:
    """(n_capabilities,) would the capability not be there but for the held traces (N,)?

    A declared one would. One that names the traces it was mined from is only from the held ones where all of these are. One that names
    none is where traces ran exactly its tools, and all that did are held.
    """
    row_of = {key: i for i, key in enumerate(traces.ids.tolist())}
    ran: dict[frozenset[int], list[int]] = defaultdict(list)
    for i in range(len(traces)):
        ran[frozenset(traces.tools.row(i).tolist())].append(i)
    out = np.zeros(len(catalog.capabilities), bool)
    for i, c in enumerate(catalog.capabilities):
        if c.origin == "declared":
            continue
        support = ran.get(frozenset(catalog.hierarchy.tools_of.row(i).tolist()), []) if not c.capabilities else []
        if isinstance(c.origin, tuple):
            support = [row_of.get(key, -1) for key in c.origin]
        elif isinstance(c.origin, int) and c.origin > len(support):
            continue  # others than these gave rise to it
        out[i] = bool(support) and all(s >= 0 and held[s] for s in support)
    return out
