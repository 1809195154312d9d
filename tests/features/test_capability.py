"""A record of each capability: every figure from where it is defined, and none from after its moment."""

import numpy as np

from features import planted
from shgat import Catalog
from shgat.features.capability import capability_features
from shgat.features.centrality import GraphFeatures
from shgat.features.hybrid import hybrid
from shgat.features.member_graph import MemberGraph
from shgat.features.node2vec import Node2VecConfig, node2vec, unit
from shgat.features.usage import DAY, Usage
from shgat.traces import Trace
from worlds import catalog

CONFIG = Node2VecConfig(dimensions=8, walks=5)
NOW = 1e9


def test_every_figure_is_that_of_its_definition():
    c = catalog(n_capabilities=12)
    traces = [
        Trace(timestamp=NOW - 3 * DAY, capability="c0", duration_ms=7.5),
        Trace(timestamp=NOW + 1, capability="c0", outcome=0),
    ]
    rows = capability_features(c, traces, as_of=NOW, text_weight=0.6, version=4, config=CONFIG)
    graph, usage, n = GraphFeatures.of(c), Usage.of_capabilities(traces, c, NOW), len(c.tools)
    space = node2vec(MemberGraph.of(c), CONFIG)
    both = space.of("tool", [t.id for t in c.tools]), space.of("capability", [s.id for s in c.capabilities])
    mixed = hybrid(np.concatenate([c.tool_embeddings, c.capability_embeddings]), np.concatenate(both), 0.6)[n:]
    assert [r.capability_id for r in rows] == [s.id for s in c.capabilities]
    for i, (row, s) in enumerate(zip(rows, c.capabilities, strict=True)):
        assert (row.tool_count, row.capability_count) == (len(s.tools), len(s.capabilities))
        assert (row.level, row.parent_count) == (graph.level[n + i], graph.parents[n + i])
        assert (row.pagerank_score, row.clustering_coefficient) == (graph.pagerank[n + i], graph.clustering[n + i])
        np.testing.assert_allclose(row.text_embedding, unit(c.capability_embeddings)[i])
        np.testing.assert_allclose(row.hybrid_embedding, mixed[i])
        assert row.success_rate == usage.success_rate[i]
        if row.n2v_embedding is None:
            assert (s.tools, s.capabilities, row.parent_count) == ((), (), 0)
        else:
            np.testing.assert_array_equal(row.n2v_embedding, both[1][i])
        assert (row.feature_version, row.computed_at) == (4, NOW)
    first = rows[0]
    assert (first.usage_count_1d, first.usage_count_7d, first.usage_count_30d, first.avg_execution_time_ms) == (0, 1, 1, 7.5)
    assert rows[1].avg_execution_time_ms is None


def test_texts_only_and_nothing_at_all():
    (row,) = capability_features(planted.catalog([[0, 1]], 2), as_of=NOW, config=CONFIG)
    assert row.text_embedding is row.hybrid_embedding is row.success_rate is None
    assert row.n2v_embedding is not None
    assert capability_features(Catalog.from_records([]), as_of=NOW, config=CONFIG) == []
