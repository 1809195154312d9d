"""PageRank and bipartite clustering are those of networkx."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features import planted
from shgat import Catalog
from shgat.features.centrality import GraphFeatures, clustering, pagerank
from shgat.features.member_graph import MemberGraph
from shgat.graph import Incidence
from worlds import catalog

ROWS = st.lists(st.sets(st.integers(0, 7), max_size=6), min_size=1, max_size=8)


def theirs(graph):
    found = nx.Graph()
    found.add_nodes_from(range(len(graph)))
    found.add_edges_from((i, j) for i in range(len(graph)) for j in graph.neighbours.row(i).tolist())
    return found


@settings(max_examples=25, deadline=None)
@given(ROWS, st.sampled_from([0.85, 0.5]))
def test_pagerank(rows, damping):
    graph = planted.graph([sorted(r) for r in rows], 8)
    expected = nx.pagerank(theirs(graph), alpha=damping, tol=1e-14, max_iter=5000)
    found = pagerank(graph.neighbours, damping)
    np.testing.assert_allclose(found, [expected[i] for i in range(len(graph))], rtol=1e-7)
    assert abs(found.sum() - 1) < 1e-12


@settings(max_examples=60, deadline=None)
@given(ROWS)
def test_clustering_of_both_sides(rows):
    graph = theirs(planted.graph([sorted(r) for r in rows], 8))
    incidence = Incidence.from_rows(rows)
    tools = nx.bipartite.clustering(graph, range(8))
    sets = nx.bipartite.clustering(graph, range(8, 8 + len(rows)))
    np.testing.assert_allclose(clustering(incidence, 8), [sets[8 + i] for i in range(len(rows))])
    np.testing.assert_allclose(clustering(incidence.transpose(8), len(rows)), [tools[i] for i in range(8)])


@pytest.mark.parametrize("seed", range(3))
def test_a_catalogue_of_levels(seed):
    found, c = GraphFeatures.of(catalog(seed)), catalog(seed)
    graph = theirs(MemberGraph.of(c))
    ids = [*(t.id for t in c.tools), *(s.id for s in c.capabilities)]
    expected = nx.pagerank(graph, tol=1e-14, max_iter=5000)
    np.testing.assert_allclose(found.pagerank, [expected[i] for i in range(len(ids))], rtol=1e-7)
    n = found.n_tools
    np.testing.assert_array_equal(found.members[n:], [len(set(s.tools)) + len(set(s.capabilities)) for s in c.capabilities])
    parents = [sum(key in (*s.tools, *s.capabilities) for s in c.capabilities) for key in ids]
    np.testing.assert_array_equal(found.parents, parents)
    np.testing.assert_array_equal(found.members + found.parents, [graph.degree(i) for i in range(len(ids))])
    np.testing.assert_array_equal(found.level[n:], c.hierarchy.level_of)
    assert set(found.level[:n].tolist()) == {-1}


def test_nothing_and_nobody():
    assert len(pagerank(Incidence.from_rows([]))) == 0
    np.testing.assert_allclose(pagerank(Incidence.from_rows([[], []])), [0.5, 0.5])
    assert clustering(Incidence.from_rows([[0], [], [1]]), 2).tolist() == [0, 0, 0]
    assert len(GraphFeatures.of(Catalog.from_records([])).pagerank) == 0
