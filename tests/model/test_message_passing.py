"""Forward against the float64 twin of the whole model."""

import numpy as np
import pytest

from reference import model as twin
from shgat import SHGATConfig
from shgat.model.index import passing, stack
from worlds import pairs, trained


def twin_graph(model):
    """The model's graph as the twin takes it, nodes in the order of the stacked rows."""
    found = model.catalog
    hierarchy = found.hierarchy
    order = np.argsort(hierarchy.row_of)
    members = [
        np.concatenate([hierarchy.tools_of.row(c), hierarchy.row_of[hierarchy.capabilities_of.row(c)]]).astype(int) for c in order
    ]
    mixing = None
    if model.state.cooccurrence is not None:
        edges = model.state.cooccurrence
        mixing = edges.incidence.indptr, edges.incidence.indices, edges.weights.astype(np.float64)
    embeddings = np.concatenate([found.tool_embeddings, found.capability_embeddings[order]]).astype(np.float64)
    indptr = np.concatenate([[0], np.cumsum([len(m) for m in members])])
    indices = np.concatenate(members) if members else np.zeros(0, int)
    return twin.Graph(embeddings, len(found.tools), hierarchy.level_of[order], indptr, indices, mixing), order


@pytest.mark.parametrize("offsets", [False, True], ids=["", "offsets"])
@pytest.mark.parametrize("mixing", [False, True], ids=["", "v2v"])
@pytest.mark.parametrize("similarity", ["cosine", "dot"])
@pytest.mark.parametrize("attention", ["gat", "gatv2"])
def test_forward_and_scores_match_the_twin(attention, similarity, mixing, offsets):
    config = SHGATConfig(attention=attention, similarity=similarity, node_offsets=offsets, reliability="none", n_heads=2, d_head=10)
    model = trained(seed=3, config=config, n_tools=15, n_capabilities=11, d=24)
    if mixing:
        model.set_cooccurrence(pairs())
    graph, order = twin_graph(model)
    params = {name: view.astype(np.float64) for name, view in model.params.items()}
    if offsets:
        params["capability_offsets"] = params["capability_offsets"][order]
    settings = twin.Settings(heads=model.params.layout.n_message_heads, similarity=similarity)
    expected, _ = twin.forward(params, graph, settings)
    phases = passing(model.catalog.hierarchy, model.state.cooccurrence, model.params, config)
    x, _ = phases.forward(stack(model.catalog, model.params), model.params)
    np.testing.assert_allclose(x, expected, rtol=1e-4, atol=1e-5)

    intents = np.random.default_rng(0).standard_normal((4, 24))
    contexts = [[], ["t0"], ["t3", "t5", "t14"], []]
    indptr = np.concatenate([[0], np.cumsum([len(c) for c in contexts])])
    indices = np.array([model.tool_ids.index(t) for c in contexts for t in c])
    z, _ = twin.score(params, expected, intents, (indptr, indices), settings)
    place = np.argsort(order)  # of each capability among the levels
    for row, context in enumerate(contexts):
        for kind, columns in (("tools", z[row, :15]), ("capabilities", z[row, 15:][place])):
            np.testing.assert_allclose(model.score(intents[row], kind, context_tools=context)[0], columns, rtol=2e-4, atol=2e-4)


def test_closed_gates_leave_every_embedding_as_it_is():
    model = trained()
    for name in model.params:
        if "gate" in name:
            model.params[name][0] = 0.0
    model.invalidate()
    index = model.index()
    np.testing.assert_array_equal(index.tools.x, model.catalog.tool_embeddings)
    np.testing.assert_array_equal(index.capabilities.x, model.catalog.capability_embeddings)
    kept = passing(model.catalog.hierarchy, None, model.params, model.config, training=True)
    x, cache = kept.forward(stack(model.catalog, model.params), model.params)
    np.testing.assert_array_equal(x, stack(model.catalog, model.params))
    assert len(cache.levels) == 3
