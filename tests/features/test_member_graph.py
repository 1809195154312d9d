"""Nodes and edges of a catalogue's graph, and that known nodes keep their numbers."""

import numpy as np

from shgat import Catalog
from shgat.features.member_graph import MemberGraph
from worlds import catalog

TOOLS = [{"id": "a"}, {"id": "b"}, {"id": "x"}]
SETS = [{"id": "x", "tools": ["a", "b"]}, {"id": "y", "tools": ["b"], "capabilities": ["x"]}, {"id": "z"}]


def edges(graph):
    rows = graph.neighbours
    return {frozenset((graph.nodes[i], graph.nodes[j])) for i in range(len(graph)) for j in rows.row(i).tolist()}


def test_members_are_joined_with_what_lists_them():
    graph = MemberGraph.of(Catalog.from_records(TOOLS, SETS))
    assert graph.nodes == (*(("tool", t["id"]) for t in TOOLS), *(("capability", c["id"]) for c in SETS))
    x, y = ("capability", "x"), ("capability", "y")  # the tool x is another node
    assert edges(graph) == {frozenset(e) for e in ((x, ("tool", "a")), (x, ("tool", "b")), (y, ("tool", "b")), (y, x))}
    assert graph.degrees[graph.number["tool", "x"]] == graph.degrees[graph.number["capability", "z"]] == 0


def test_known_nodes_stand_first_and_those_that_went_are_alone():
    before = MemberGraph.of(Catalog.from_records(TOOLS, SETS))
    less = [{**c, "tools": [t for t in c.get("tools", []) if t != "a"]} for c in SETS]
    after = MemberGraph.of(
        Catalog.from_records([{"id": "new"}, *TOOLS[1:]], [*less, {"id": "w", "tools": ["new", "b"]}]), before.nodes
    )
    assert after.nodes == (*before.nodes, ("tool", "new"), ("capability", "w"))
    assert after.degrees[after.number["tool", "a"]] == 0
    assert frozenset((("capability", "w"), ("tool", "new"))) in edges(after)


def test_every_edge_goes_both_ways():
    rows = MemberGraph.of(catalog()).neighbours
    back = rows.transpose(rows.n_rows)
    np.testing.assert_array_equal(back.indptr, rows.indptr)
    np.testing.assert_array_equal(back.indices, rows.indices)
    rows.check("rows")
    assert len(MemberGraph.of(Catalog.from_records([]))) == 0
