"""What a model learned follows the ids to a catalogue that has changed."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shgat import SHGAT, Catalog, InputError, SHGATConfig
from shgat.model import carry_over
from worlds import catalog, pairs, trained, unit

X = unit(np.random.default_rng(0), 16)
LEARNED = SHGAT.load(Path(__file__).parent / "version_0_1.safetensors")  # with offsets, co-occurrence and channels


def edges(model):
    """(from id, to id) -> weight."""
    graph, ids = model.state.cooccurrence, model.tool_ids
    if graph is None:
        return {}
    rows, columns = graph.incidence.row_of_entry.tolist(), graph.incidence.indices.tolist()
    return {(ids[r], ids[c]): w for r, c, w in zip(rows, columns, graph.weights.tolist(), strict=True)}


def test_over_its_own_catalogue_nothing_is_new():
    state = trained().state
    assert carry_over.over(state, state.catalog) is state


def test_offsets_follow_their_tools():
    """One tool added, another removed: as many rows as before, in other places."""
    model = trained(config=SHGATConfig(node_offsets=True))
    offsets = dict(zip(model.tool_ids, model.params["tool_offsets"].copy(), strict=True))
    model.add_tool({"id": "new", "embedding": X})
    assert not model.params["tool_offsets"][-1].any()
    model.remove("t0")
    assert model.params["tool_offsets"].shape == (14, 16)
    for tool, row in zip(model.tool_ids, model.params["tool_offsets"], strict=True):
        np.testing.assert_array_equal(row, offsets.get(tool, np.zeros(16)))


def test_a_new_level_starts_closed():
    model = trained()
    before = model.params.layout.n_levels
    scores = model.score(X, "tools")
    model.add_capability({"id": "peak", "embedding": X, "capabilities": [model.capability_ids[-1]]})
    assert model.params.layout.n_levels == before + 1
    np.testing.assert_allclose(model.score(X, "tools"), scores, rtol=1e-5)


def test_co_occurrence_follows_its_ids_through_every_change():
    model = trained()
    model.set_cooccurrence(pairs())
    expected = {(a, b): w for a, b, w in pairs()}
    assert edges(model) == expected
    model.add_tool({"id": "new", "embedding": X})
    assert edges(model) == expected
    model.add_capability({"id": "top", "embedding": X, "tools": ["new", "t0"]})
    assert edges(model) == expected
    model.remove("c4")
    assert edges(model) == expected
    for tool in ("t3", "new", "t0"):
        model.remove(tool)
        expected = {pair: w for pair, w in expected.items() if tool not in pair}
        assert edges(model) == expected


def test_co_occurrence_follows_its_ids_to_the_catalogue_of_from_bytes():
    model = trained()
    model.set_cooccurrence(pairs())
    tools, capabilities = catalog(seed=1).records()
    kept = [t for t in tools[::-1] if t.id != "t3"]
    left = [c for c in capabilities if "t3" not in c.tools and not c.capabilities]
    moved = SHGAT.from_bytes(model.to_bytes(), catalog=Catalog.from_records([{"id": "new", "embedding": X}, *kept], left))
    assert edges(moved) == {(a, b): w for a, b, w in pairs() if "t3" not in (a, b)}
    model.set_cooccurrence([("t3", "t1", 1.0)])
    assert SHGAT.from_bytes(model.to_bytes(), catalog=moved.catalog).state.cooccurrence is None


@given(st.permutations(range(6)), st.permutations(range(4)))
def test_where_an_item_stands_does_not_change_its_score(tools, capabilities):
    nodes, sets = LEARNED.catalog.records()
    turned = Catalog.from_records([nodes[i] for i in tools], [sets[i] for i in capabilities])
    moved = SHGAT.from_bytes(LEARNED.to_bytes(), catalog=turned)
    assert moved.catalog is turned
    assert edges(moved) == edges(LEARNED)
    intents = np.random.default_rng(0).standard_normal((3, 8)).astype(np.float32)
    asked = {"texts": ["read the mail of anna", "page", ""], "context_tools": ["send_mail", "read_file"]}
    np.testing.assert_allclose(moved.score(intents, **asked), LEARNED.score(intents, **asked)[:, tools], rtol=1e-4, atol=1e-4)
    found = LEARNED.score(intents, "capabilities")[:, capabilities]
    np.testing.assert_allclose(moved.score(intents, "capabilities"), found, rtol=1e-4, atol=1e-4)


def test_what_is_new_was_never_seen_and_what_is_gone_is_forgotten():
    tools, capabilities = LEARNED.catalog.without("read_file").records()
    found = Catalog.from_records([*tools, {"id": "new", "embedding": np.ones(8)}], capabilities)
    moved = SHGAT.from_bytes(LEARNED.to_bytes(), catalog=found)
    seen = {t: moved.why_not(np.ones(8), t).seen for t in moved.tool_ids}
    assert seen == {t: LEARNED.why_not(np.ones(8), t).seen for t in seen if t != "new"} | {"new": False}
    assert not moved.params["tool_offsets"][-1].any()


def test_embeddings_of_another_dimension_are_refused():
    with pytest.raises(InputError, match="24 dimensions"):
        SHGAT.from_bytes(trained().to_bytes(), catalog=catalog(d=24))


def test_what_was_learned_follows_a_tool_to_its_new_id():
    before, old = LEARNED.catalog, LEARNED.tool_ids[2]
    moved = LEARNED.over(before.renamed(old, "new"))
    assert old not in moved.tool_ids
    assert old not in moved.learned.tool_ids
    x = np.random.default_rng(1).standard_normal(LEARNED.dimension)
    np.testing.assert_allclose(moved.score(x), LEARNED.score(x), rtol=1e-5, atol=1e-5)
    assert edges(moved) == {tuple("new" if i == old else i for i in pair): w for pair, w in edges(LEARNED).items()}
    again = SHGAT.from_bytes(moved.to_bytes())
    assert again.catalog.aliases == {old: "new"}
    np.testing.assert_array_equal(again.score(x), moved.score(x))
