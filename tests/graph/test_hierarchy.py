"""Levels are longest paths, and every membership is one edge each way."""

import itertools

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shgat.errors import CatalogError
from shgat.graph import Hierarchy, Incidence
from shgat.graph.hierarchy import cycles
from worlds import catalog


def build(members, n_tools=0, tools=None):
    tools_of = Incidence.from_rows(tools or [[] for _ in members])
    return Hierarchy.build(n_tools, tools_of, Incidence.from_rows(members), [f"c{i}" for i in range(len(members))])


GRAPHS = st.integers(1, 8).flatmap(lambda n: st.lists(st.lists(st.integers(0, n - 1), max_size=3), min_size=n, max_size=n))


@given(GRAPHS)
def test_levels_are_longest_paths_and_every_cycle_is_one(members):
    graph = nx.DiGraph([(c, m) for c, row in enumerate(members) for m in row])
    graph.add_nodes_from(range(len(members)))
    if nx.is_directed_acyclic_graph(graph):
        level = build(members).level_of
        for c, row in enumerate(members):
            assert level[c] == max((level[m] + 1 for m in row), default=0)
        return
    faults = cycles(Incidence.from_rows(members), [str(i) for i in range(len(members))])
    knots = [k for k in nx.strongly_connected_components(graph) if len(k) > 1 or graph.has_edge(*(2 * list(k)))]
    assert len(faults) >= len(knots)  # every knot has at least one
    for fault in faults:
        loop = [int(name.strip("'")) for name in fault.removeprefix("membership cycle: ").split(" -> ")]
        assert loop[0] == loop[-1]
        assert all(graph.has_edge(a, b) for a, b in itertools.pairwise(loop))
    with pytest.raises(CatalogError, match="membership cycle"):
        build(members)


def test_a_deep_hierarchy_needs_no_recursion():
    assert build([[], *([i] for i in range(3000))]).max_level == 3000


def test_mixed_members_keep_all_their_edges():
    hierarchy = build([[], [0], [1, 0]], 3, [[0, 1], [2], [0]])
    assert hierarchy.level_of.tolist() == [0, 1, 2]
    top = hierarchy.levels[2]
    assert top.members[top.up.row(0)].tolist() == [0, 3, 4]  # a tool, a level-0 and a level-1 capability
    bottom = hierarchy.levels[0]
    assert bottom.members.tolist() == [0, 1]
    assert not bottom.members_unchanged  # level 2 writes tool 0 on the way down
    assert hierarchy.levels[2].members_unchanged


def test_every_membership_is_one_edge_up_and_one_down():
    hierarchy = catalog(3).hierarchy
    nnz = hierarchy.tools_of.nnz + hierarchy.capabilities_of.nnz
    assert sum(v.up.nnz for v in hierarchy.levels) == sum(v.down.nnz for v in hierarchy.levels) == nnz
    assert sorted(hierarchy.row_of.tolist()) == list(range(hierarchy.n_tools, hierarchy.n_tools + hierarchy.n_capabilities))
    np.testing.assert_array_equal(hierarchy.containing.transpose(hierarchy.n_capabilities).indices, hierarchy.tools_of.indices)


@pytest.mark.parametrize("k", [1, 5])
def test_with_isolated_tools_is_the_graph_built_with_them(k):
    before = catalog(1)
    members = before.hierarchy
    grown = members.with_isolated_tools(k)
    scratch = Hierarchy.build(members.n_tools + k, members.tools_of, members.capabilities_of, [c.id for c in before.capabilities])
    assert grown.n_tools == scratch.n_tools
    np.testing.assert_array_equal(grown.row_of, scratch.row_of)
    for a, b in zip(grown.levels, scratch.levels, strict=True):
        assert (a.start, a.stop, a.members_unchanged) == (b.start, b.stop, b.members_unchanged)
        np.testing.assert_array_equal(a.members, b.members)
        np.testing.assert_array_equal(a.up.indices, b.up.indices)


def test_hiding_takes_out_every_edge_of_the_hidden():
    hierarchy = catalog(2).hierarchy
    hidden = np.zeros(hierarchy.n_capabilities, bool)
    hidden[[0, 5]] = True
    rows = set(hierarchy.row_of[hidden].tolist())
    for level in hierarchy.hiding(hidden).levels:
        own = np.arange(level.start, level.stop)
        up = own[level.up.row_of_entry], level.members[level.up.indices]
        down = level.members[level.down.row_of_entry], own[level.down.indices]
        for a, b in (up, down):
            assert rows.isdisjoint(a.tolist())
            assert rows.isdisjoint(b.tolist())
    nothing = hierarchy.hiding(np.zeros_like(hidden))
    assert [v.up.nnz for v in nothing.levels] == [v.up.nnz for v in hierarchy.levels]
