"""The channels and their fusion against plain NumPy, and what was learned over a catalogue that has changed."""

from dataclasses import replace

import numpy as np

from shgat import Catalog
from shgat.graph import Incidence
from shgat.model.calibration import Calibration
from shgat.model.channels import Channels, Fusion, Learned, log_softmax, tools_within
from shgat.model.memory import Memory
from shgat.model.words import asked, terms
from training import planted


def test_the_channels_of_a_catalogue():
    rng = np.random.default_rng(2)
    catalog = planted.catalog(rng, 9, [((0, 1), ()), ((2,), (0,)), ((), ())], 8)
    memory, rows = planted.memory(rng)
    channels = Channels.build(catalog, memory)
    x, texts = rng.standard_normal((4, 8)).astype(np.float32), ["tool 3", "mail", "", "send page 4"]
    z_tools, z_sets = rng.standard_normal((4, 9)).astype(np.float32), rng.standard_normal((4, 3)).astype(np.float32)
    found = channels.score(("semantic", "route", "cosine", "lexical", "usage"), x, texts, z_tools, z_sets)
    e = np.exp(z_tools.astype(float))
    np.testing.assert_allclose(found["semantic"], np.log(e / e.sum(axis=1, keepdims=True)), rtol=1e-4, atol=1e-5)
    p = np.exp(z_sets.astype(float))
    p /= p.sum(axis=1, keepdims=True)
    mass = np.zeros((4, 9))
    for c, tools in enumerate(((0, 1), (0, 1, 2), ())):
        mass[:, list(tools)] += p[:, [c]]
    np.testing.assert_allclose(found["route"], np.log(mass + 1e-4), rtol=1e-4, atol=1e-4)
    cosine = planted.unit(x.astype(float)) @ planted.unit(catalog.tool_embeddings.astype(float)).T
    np.testing.assert_allclose(found["cosine"], 20.0 * cosine, rtol=1e-4, atol=1e-4)
    documents = [terms(f"{t.id} {t.text}") for t in catalog.tools]
    usage = [2 * d for d in documents]
    for text, tools in zip(memory.texts, rows, strict=True):
        for t in tools:
            usage[t] = usage[t] + terms(text)
    for name, docs in (("lexical", documents), ("usage", usage)):
        for i, text in enumerate(texts):
            s = planted.bm25(docs, asked(text))
            np.testing.assert_allclose(found[name][i], 20.0 * s / (s.max() + 1e-6), rtol=1e-3, atol=1e-3, err_msg=f"{name} {text}")


def test_the_route_is_one_function_for_few_rows_and_for_many():
    rng = np.random.default_rng(3)
    catalog = planted.catalog(rng, 5, [((0, 1), ()), ((2,), (0,)), ((3,), ())], 8)
    channels = Channels.build(catalog, planted.memory(rng, n_tools=5)[0])
    z = rng.standard_normal((40, 3)).astype(np.float32)
    z[:, 2] = -1e30
    many = channels.route(z)
    few = np.concatenate([channels.route(z[i : i + 1]) for i in range(40)])
    np.testing.assert_allclose(many, few, rtol=1e-5)
    np.testing.assert_allclose(many[:, 3:], np.log(1e-4), rtol=1e-5)


def test_where_every_capability_is_hidden_the_route_says_nothing():
    catalog = planted.catalog(np.random.default_rng(0), 7, [((0, 1), ()), ((2,), (0,)), ((), ())], 8)
    channels = Channels.build(catalog, Memory.empty(8))
    z = np.full((2, 3), -1e30, np.float32)
    np.testing.assert_allclose(channels.route(z), np.log(1e-4), rtol=1e-5)
    z[:, 1] = 3.0
    np.testing.assert_allclose(channels.route(z)[0, :3], np.log(1.0 + 1e-4), atol=1e-5)
    np.testing.assert_allclose(channels.route(z)[0, 3:], np.log(1e-4), rtol=1e-5)


def test_a_catalogue_without_capabilities_has_a_silent_route():
    channels = Channels.build(planted.catalog(np.random.default_rng(0), 4, [], 8), Memory.empty(8))
    np.testing.assert_allclose(channels.route(np.zeros((2, 0), np.float32)), np.full((2, 4), np.log(1e-4)), rtol=1e-5)


def test_tools_within_a_capability_are_those_of_its_members_too():
    of = planted.catalog(np.random.default_rng(0), 6, planted.DEEP, 8)
    assert tools_within(of.hierarchy) == [{0, 1}, {0, 1, 2, 3, 4}, {1, 2, 4}, {0, 1}, {0, 1, 2, 3, 4, 5}, {0, 1, 2, 3, 4}]


def test_fused_scores_are_the_weighted_sum_and_unseen_tools_have_weights_of_their_own():
    fusion = Fusion({"semantic": 0.5, "memory": 2.0}, {"semantic": 1.5, "cosine": 0.25}, bonus=3.0)
    rng = np.random.default_rng(0)
    scores = {name: rng.standard_normal((4, 5)).astype(np.float32) for name in ("semantic", "memory", "cosine")}
    unseen = np.array([False, True, False, True, False])
    seen_sum = 0.5 * scores["semantic"] + 2.0 * scores["memory"]
    unseen_sum = 1.5 * scores["semantic"] + 0.25 * scores["cosine"] + 3.0
    np.testing.assert_allclose(fusion.combine(scores, unseen), np.where(unseen, unseen_sum, seen_sum), rtol=1e-5)
    by_row = np.arange(20).reshape(4, 5) % 3 == 0
    np.testing.assert_allclose(fusion.combine(scores, by_row), np.where(by_row, unseen_sum, seen_sum), rtol=1e-5)
    assert fusion.names == ("semantic", "cosine", "memory")  # in the order of all channels


def test_probabilities_keep_the_order_within_a_row():
    fusion = Fusion({}, {}, 0.0, Calibration((1.5,), intercept=0.5))
    fused = np.random.default_rng(0).standard_normal((6, 9)).astype(np.float32) * 4.0
    p = fusion.probability(fused)
    np.testing.assert_array_equal(np.argsort(p, axis=1), np.argsort(fused, axis=1))
    np.testing.assert_allclose(p, 1.0 / (1.0 + np.exp(-(1.5 * log_softmax(fused) + 0.5))), rtol=1e-5)


def learned_on(of, rows, unseen=()):
    memory = Memory(tuple(map(str, range(len(rows)))), np.eye(len(rows), 8, dtype=np.float32), [""] * len(rows),
                    Incidence.from_rows(rows))  # fmt: skip
    return Learned(Fusion({"memory": 1.0}, {}, 0.0), memory, tuple(t.id for t in of.tools), frozenset(unseen))


def test_what_was_learned_follows_the_ids_to_another_catalogue():
    of = planted.catalog(np.random.default_rng(0), 4, [], 8)
    learned = learned_on(of, [[0, 3], [1], [2, 3]], unseen=["t2"])
    tools, _ = of.records()
    by_id = {t.id: t for t in tools}
    new = replace(by_id["t0"], id="new")
    after = Catalog.from_records([by_id["t3"], new, by_id["t2"], by_id["t0"]], [])  # t1 is gone, the others stand elsewhere
    channels, unseen = learned.over(after)
    assert [channels.memory.tools.row(i).tolist() for i in range(3)] == [[0, 3], [], [0, 2]]
    channels.memory.tools.check("moved")
    assert unseen.tolist() == [False, True, True, False]
    same, unseen = learned.over(of)
    np.testing.assert_array_equal(same.memory.tools.indices, learned.memory.tools.indices)
    assert unseen.tolist() == [False, False, True, False]


def test_renaming_leaves_alone_what_another_tool_is_called():
    learned = replace(
        Learned.cold_start(Catalog.from_records([{"id": "a", "embedding": np.ones(8)}])),
        tool_ids=("a", "b", "c"),
        unseen=frozenset({"a", "c"}),
    )
    found = learned.renamed({"a": "x", "b": "c", "other": "y"})
    assert (found.tool_ids, found.unseen) == (("x", "b", "c"), frozenset({"x", "c"}))
    assert learned.renamed({"other": "y"}) is learned
