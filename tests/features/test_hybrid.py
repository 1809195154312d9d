"""Texts and graph in one vector; held-out traces choose, and what was mined from them does not help them."""

import numpy as np
import pytest

from features import planted
from shgat import Catalog, Traces
from shgat.features.hybrid import FEWEST, TEXT_WEIGHTS, chosen, hybrid, only_from
from shgat.features.node2vec import Node2VecConfig, unit

CONFIG = Node2VecConfig(dimensions=16, walks=10)


def test_the_text_alone_is_the_text_and_the_graph_is_read_in_its_space():
    rng = np.random.default_rng(0)
    graph = unit(rng.standard_normal((200, 4)).astype(np.float32))
    text = (graph @ rng.standard_normal((4, 12)) + 0.3 * rng.standard_normal((200, 12))).astype(np.float32)
    graph[::7] = 0
    np.testing.assert_allclose(hybrid(text, graph, 1.0), unit(text), atol=1e-6)
    mixed = hybrid(text, graph, 0.3)
    np.testing.assert_allclose(np.linalg.norm(mixed, axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(mixed[::7], unit(text)[::7], atol=1e-6)  # joined with nothing
    assert mixed.dtype == np.float32
    g = np.concatenate([graph, np.ones((200, 1))], axis=1)[graph.any(axis=1)]
    a = np.linalg.inv(g.T @ g + np.eye(5)) @ g.T @ unit(text)[graph.any(axis=1)]
    expected = unit((0.3 * unit(text)[graph.any(axis=1)] + 0.7 * unit(np.float32(g @ a))).astype(np.float32))
    np.testing.assert_allclose(mixed[graph.any(axis=1)], expected, atol=1e-5)


@pytest.fixture(scope="module")
def world():
    """Groups of tools whose texts are noisy copies of a group's direction; intents are near it too."""
    rng = np.random.default_rng(5)
    n_groups, n_tools, d = 8, 64, 24
    centre = unit(rng.standard_normal((n_groups, d)).astype(np.float32))
    group = np.arange(n_tools) % n_groups
    text = centre[group] + 0.35 * rng.standard_normal((n_tools, d))
    tools = [{"id": f"t{i}", "embedding": text[i]} for i in range(n_tools)]

    def sets(truthful):
        found = []
        for i in range(80):
            pool = np.flatnonzero(group == i % n_groups) if truthful else np.arange(n_tools)
            picked = rng.choice(pool, 4, replace=False)
            found.append(
                {"id": f"c{i}", "tools": [f"t{t}" for t in picked], "origin": "declared", "embedding": centre[i % n_groups]}
            )
        return found

    traces = []
    for i in range(600):
        g = i % n_groups
        x = centre[g] + 0.15 * rng.standard_normal(d)
        traces.append(
            {"id": f"x{i}", "embedding": x, "tools": [f"t{t}" for t in rng.choice(np.flatnonzero(group == g), 2)], "timestamp": i}
        )
    return tools, sets, traces


def test_a_graph_that_knows_more_than_the_texts_gets_weight_and_a_wrong_one_none(world):
    tools, sets, traces = world
    catalog = Catalog.from_records(tools, sets(True))
    found = chosen(catalog, Traces.from_records(traces, catalog), CONFIG)
    assert found.text in TEXT_WEIGHTS[1:]
    assert found.n == 120
    assert found.mixed > found.alone + 0.02
    wrong = Catalog.from_records(tools, sets(False))
    assert chosen(wrong, Traces.from_records(traces, wrong), CONFIG).text == 1.0


def test_too_few_traces_choose_nothing(world):
    tools, sets, traces = world
    catalog = Catalog.from_records(tools, sets(True))
    few = Traces.from_records(traces[: 5 * FEWEST - 1], catalog)
    assert (chosen(catalog, few, CONFIG).text, chosen(catalog, few, CONFIG).n) == (1.0, 0)
    failed = Traces.from_records([{**t, "outcome": 0} for t in traces], catalog)
    assert chosen(catalog, failed, CONFIG).n == 0


def test_what_was_mined_from_the_held_out_traces_is_not_known_to_the_graph():
    """Each trace runs tools by chance, and each became a capability: a graph with these would seem to know everything."""
    rng = np.random.default_rng(6)
    n, d = 200, 16
    tools = [{"id": f"t{i}", "embedding": rng.standard_normal(d)} for i in range(40)]
    runs = [[f"t{t}" for t in rng.choice(40, 3, replace=False)] for _ in range(n)]
    text = {t["id"]: t["embedding"] for t in tools}
    traces = [{"id": f"x{i}", "embedding": text[r[0]], "tools": r, "timestamp": i} for i, r in enumerate(runs)]
    mined = [{"id": f"c{i}", "tools": r, "embedding": text[r[0]], "origin": [f"x{i}"]} for i, r in enumerate(runs)]
    catalog = Catalog.from_records(tools, mined)
    assert chosen(catalog, Traces.from_records(traces, catalog), CONFIG).text == 1.0


@pytest.mark.parametrize(
    ("origin", "gone"),
    [("declared", False), (None, True), (["x3"], True), (["x1", "x3"], False), (["x3", "elsewhere"], False), (1, True), (5, False)],
)
def test_what_only_held_traces_gave_rise_to(origin, gone):
    tools = [{"id": t, "embedding": np.eye(8)[i]} for i, t in enumerate("abc")]
    c = {"id": "c", "tools": ["a", "b"], "embedding": np.eye(8)[4], "origin": origin}
    other = {"id": "never run", "tools": ["b", "c"], "embedding": np.eye(8)[5]}
    catalog = Catalog.from_records(tools, [c, other])
    ran = {"x1": ["a"], "x2": ["c"], "x3": ["b", "a"]}
    traces = Traces.from_records([{"id": k, "tools": v, "embedding": np.eye(8)[0]} for k, v in ran.items()], catalog)
    assert only_from(catalog, traces, np.array([False, False, True])).tolist() == [gone, False]
    assert only_from(catalog, traces, np.zeros(3, bool)).tolist() == [False, False]


def test_a_catalogue_without_embeddings_chooses_nothing():
    catalog = planted.catalog([[0, 1]], 3)
    empty = Traces.from_records([], planted.catalog([[0, 1]], 3, np.random.default_rng(0)))
    assert chosen(catalog, empty, CONFIG).text == 1.0
