"""Where a node stands in the graph of tools and capabilities: PageRank, and how much its neighbours have in common."""

from dataclasses import dataclass

import numpy as np

from .._types import Float64, Int32
from ..graph import Catalog, Incidence
from .member_graph import MemberGraph

_ROUNDS, _CLOSE = 500, 1e-12  # products at most, and the change of the whole vector at which they end


@dataclass(frozen=True, eq=False)
class GraphFeatures:
    """Figures of every node: the tools, then the capabilities, in the order of the catalogue.

    Attributes
    ----------
    n_tools : how many of the rows are tools
    members : (n,) int32 direct members; 0 for a tool
    parents : (n,) int32 capabilities that list it
    level : (n,) int32 of a capability; -1 for a tool
    pagerank : (n,) float64 over memberships of both kinds
    clustering : (n,) float64 bipartite clustering over the tools of capabilities
    """

    n_tools: int
    members: Int32
    parents: Int32
    level: Int32
    pagerank: Float64
    clustering: Float64

    @classmethod
    def of(cls, catalog: Catalog) -> "GraphFeatures":
        """Of a catalogue's graph; nothing else of the catalogue is looked at."""
        graph, n = catalog.hierarchy, len(catalog.tools)
        inner = graph.capabilities_of.transpose(graph.n_capabilities)
        none = np.zeros(n, np.int32)
        return cls(
            n,
            np.concatenate([none, graph.tools_of.degrees + graph.capabilities_of.degrees]),
            np.concatenate([graph.containing.degrees, inner.degrees]),
            np.concatenate([none - 1, graph.level_of]).astype(np.int32),
            pagerank(MemberGraph.of(catalog).neighbours),
            np.concatenate([clustering(graph.containing, graph.n_capabilities), clustering(graph.tools_of, n)]),
        )


def pagerank(neighbours: Incidence, damping: float = 0.85) -> Float64:
    """(n,) shares of a surfer who follows an edge with probability `damping` and else begins anywhere; they add up to 1.

    Brin and Page, The anatomy of a large-scale hypertextual web search engine, 1998, over the undirected edges. From a node without
    neighbours he begins anywhere.
    """
    n, degrees = neighbours.n_rows, neighbours.degrees
    if n == 0:
        return np.zeros(0)
    source, target, alone = neighbours.row_of_entry, neighbours.indices, degrees == 0
    share = 1.0 / np.maximum(degrees, 1)
    rank: Float64 = np.full(n, 1.0 / n)
    for _ in range(_ROUNDS):
        followed = np.bincount(target, (rank * share)[source], n) + rank[alone].sum() / n
        new: Float64 = damping * followed + (1.0 - damping) / n
        moved = np.abs(new - rank).sum()
        rank = new
        if moved < _CLOSE:
            break
    rank /= rank.sum()
    return rank


def clustering(rows: Incidence, n_columns: int) -> Float64:
    """(n_rows,) bipartite clustering of each row: the mean of |a and b| / |a or b| over the rows b that share a column with row a.

    Latapy, Magnien and Del Vecchio, Basic notions for the analysis of large two-mode networks, Social Networks 2008. 0 for a row that
    shares nothing.
    """
    columns, degrees = rows.transpose(n_columns), rows.degrees
    out = np.zeros(rows.n_rows)
    for a in range(rows.n_rows):
        met = [columns.row(c) for c in rows.row(a).tolist()]
        if not met:
            continue
        others, common = np.unique(np.concatenate(met), return_counts=True)
        common, others = common[others != a], others[others != a]
        if len(others):
            out[a] = (common / (degrees[a] + degrees[others] - common)).mean()
    return out
