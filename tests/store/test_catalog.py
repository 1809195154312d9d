"""The catalogue in a store: it comes back, is replaced by id, and is kept once."""

import numpy as np
import pytest

from shgat.errors import CatalogError, InputError
from shgat.graph import Capability, Catalog, Tool
from traces.examples import D


def test_a_catalogue_comes_back_and_is_replaced_by_id(store):
    vector = np.arange(D, dtype=np.float32)
    store.upsert_catalog(
        [Tool("a", "reads", "fs", vector), Tool("b")],
        [Capability("c", "both", ("b", "a"), (), 0.5, 4, vector), Capability("e", capabilities=("c",))],
    )
    assert store.catalog()[1][0].tools == ("b", "a")
    store.upsert_catalog([Tool("a", "reads files", "fs", vector * 2)], [Capability("c", "one", ("a",))])
    tools, capabilities = store.catalog()
    assert [(t.id, t.text, t.server) for t in tools] == [("a", "reads files", "fs"), ("b", "", "")]
    np.testing.assert_array_equal(tools[0].embedding, vector * 2)
    assert [(c.id, c.tools, c.capabilities, c.uses) for c in capabilities] == [
        ("c", ("a",), (), 0),
        ("e", (), ("c",), 0),
    ]
    assert tools[1].embedding is None
    assert store.counts()["members"] == 2
    assert store.remove_from_catalog(["a", "c", "unknown"]) == 2
    assert store.counts() | {"members": 0, "tools": 1, "capabilities": 1} == store.counts()


def test_a_catalogue_is_kept_once_and_again_after_a_change(store):
    vector = np.ones(D, np.float32)
    edges = [Capability("c", "both", ("b", "a"), embedding=vector)]
    first = Catalog.from_records([Tool("b", embedding=vector), Tool("a", embedding=2 * vector)], edges)
    assert store.keep_catalog(first)
    assert not store.keep_catalog(first)
    changed = Catalog.from_records([Tool("b", embedding=vector), Tool("a", embedding=3 * vector)], edges)
    assert changed.fingerprint == first.fingerprint
    assert store.keep_catalog(changed)
    np.testing.assert_array_equal(store.catalog()[0][0].embedding, 3 * vector)
    assert store.remove_from_catalog(["a"]) == 1
    assert store.keep_catalog(changed)
    assert [t.id for t in store.catalog()[0]] == ["a", "b"]
    store.upsert_catalog([Tool("only here", embedding=vector)])
    assert store.keep_catalog(changed)
    assert [t.id for t in store.catalog()[0]] == ["a", "b", "only here"]


def test_a_kept_catalogue_is_the_same_catalogue(store):
    rng = np.random.default_rng(0)
    tools = [Tool(f"t{i:04}", f"tool {i}", "s", rng.standard_normal(D).astype(np.float32)) for i in range(1100)]
    capabilities = [
        Capability(f"c{i:04}", "", (f"t{i:04}",), (f"c{i - 1:04}",) if i % 2 else (), 0.5, i, tools[i].embedding)
        for i in range(1050)
    ]
    catalog = Catalog.from_records(tools, capabilities)
    store.keep_catalog(catalog)
    assert Catalog.from_records(*store.catalog()).checksum == catalog.checksum


@pytest.mark.parametrize(
    ("bad", "fault"),
    [
        (Tool("b", embedding=np.zeros(3, np.float32)), "tool 'b': embedding has 3 dimensions, the store has 8"),
        (Tool("b", embedding=np.full(D, np.nan, np.float32)), "tool 'b': embedding holds NaN"),
        (Tool("b\0"), r"the id of a tool holds U\+0000"),
        (Tool("b", "text\0"), r"tool 'b': text holds U\+0000"),
        (Tool("b", server="fs\0"), r"tool 'b': server holds U\+0000"),
    ],
)
def test_what_is_bad_is_refused_by_name_and_nothing_written(store, bad, fault):
    with pytest.raises(InputError, match=fault):
        store.upsert_catalog([Tool("a"), bad])
    assert store.catalog() == ([], [])


def test_a_bad_member_is_refused_and_nothing_written(store):
    with pytest.raises(InputError, match=r"member's id holds U\+0000"):
        store.upsert_catalog([Tool("a")], [Capability("c", tools=("a\0",))])
    assert store.catalog() == ([], [])


def world(n=40, seed=0, encoder="", text="tool"):
    rows = np.random.default_rng(seed).standard_normal((n, D)).astype(np.float32)
    return Catalog.from_records(
        [Tool(f"t{i}", text and f"{text} {i}", embedding=row) for i, row in enumerate(rows)], encoder=encoder
    )


def test_what_made_the_embeddings_is_kept_and_another_encoder_refused(store):
    assert store.encoder() == ""
    store.keep_catalog(world())
    assert store.encoder() == ""
    store.keep_catalog(world(41, encoder="one"))  # unknown before: it fits anything that is alike
    assert store.encoder() == "one"
    store.keep_catalog(world(42))
    store.upsert_catalog([Tool("z", embedding=np.ones(D, np.float32))])
    assert store.encoder() == "one"
    before = store.catalog()
    for refuse in (store.keep_catalog, store.check_catalog):
        with pytest.raises(CatalogError, match=r"made by 'two', those of the store .* by 'one'"):
            refuse(world(43, encoder="two"))
    assert len(before[0]) == len(store.catalog()[0])


def test_another_encoder_that_nobody_named_is_seen_by_what_it_made(store):
    store.keep_catalog(world(300))
    with pytest.raises(CatalogError, match=r"150 tools have the same id and text .* another encoder .* Use another store"):
        store.keep_catalog(world(300, seed=1))
    with pytest.raises(CatalogError, match="not alike"):
        store.check_catalog(world(1000, seed=1))
    store.check_catalog(world(300, seed=1, text="another"))  # other texts, other embeddings
    store.check_catalog(world(4, seed=1))  # too few to tell
    store.check_catalog(Catalog.from_records([{"id": "t1", "text": "tool 1"}]))
    rows = world(300).tool_embeddings
    noise = np.random.default_rng(2).standard_normal(rows.shape).astype(np.float32)
    tools = world(300).tools
    for size, scale in ((0.0, 7.0), (0.3, 1.0)):  # of another length, or a little newer
        found = Catalog.from_records(
            [Tool(t.id, t.text, embedding=scale * (r + size * e)) for t, r, e in zip(tools, rows, noise, strict=True)]
        )
        store.check_catalog(found)


def test_what_tools_were_called_is_remembered(store):
    assert store.former_ids() == {}
    store.add_former_ids({"a": "b"})
    store.add_former_ids({"b": "c", "x": "y"})
    assert store.former_ids() == {"a": "c", "b": "c", "x": "y"}
    store.add_former_ids({"x": "y"})
    assert store.former_ids() == {"a": "c", "b": "c", "x": "y"}
