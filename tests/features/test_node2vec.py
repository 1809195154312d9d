"""Held-out links are found, what is new is put in its place and moves nothing, and a seed is a result."""

import numpy as np
import pytest

from features import planted
from shgat import Catalog
from shgat.errors import InputError
from shgat.features.member_graph import MemberGraph
from shgat.features.node2vec import Node2VecConfig, node2vec, random_walks, unit

SMALL = Node2VecConfig(dimensions=16, walks=10)
METHODS = ["factors", "skip-gram"]


def test_links_that_were_held_out_are_found_among_4000_nodes():
    rng = np.random.default_rng(0)
    rows = planted.members(3000, 1000, 60, rng)
    kept, held = planted.split(rows, rng)
    space = node2vec(planted.graph(kept, 3000))
    assert space.vectors.shape == (4000, 64)
    assert planted.auc(space, rows, held, 3000, rng) >= 0.88


@pytest.mark.parametrize("method", METHODS)
def test_both_ways_find_them_and_neither_does_in_a_shuffled_graph(method):
    rng = np.random.default_rng(1)
    rows = planted.members(240, 120, 12, rng)
    kept, held = planted.split(rows, rng)
    config = Node2VecConfig(dimensions=32, walks=10, method=method, rate=0.1, negatives=3)
    assert planted.auc(node2vec(planted.graph(kept, 240), config), rows, held, 240, rng) > 0.8
    shuffled = [rng.choice(240, len(row), replace=False).tolist() for row in kept]
    assert planted.auc(node2vec(planted.graph(shuffled, 240), config), rows, held, 240, rng) < 0.65


@pytest.mark.parametrize("method", METHODS)
def test_new_nodes_find_their_place_and_nobody_moves(method):
    rng = np.random.default_rng(2)
    rows = planted.members(300, 150, 12, rng)
    kept, held = planted.split(rows, rng, 0.4)
    old = 120
    config = Node2VecConfig(dimensions=32, walks=10, method=method, rate=0.1, negatives=3)
    before = node2vec(MemberGraph.of(planted.catalog(kept[:old], 300)), config)
    graph = MemberGraph.of(planted.catalog(kept, 300), before.nodes)
    after = before.extended(graph)
    np.testing.assert_array_equal(after.raw[: len(before.nodes)], before.raw)
    assert len(after.nodes) == len(before.nodes) + len(rows) - old
    assert planted.auc(after, rows, [(t, i) for t, i in held if i >= old], 300, rng) > 0.75
    np.testing.assert_array_equal(before.extended(graph, threads=3).raw, after.raw)
    with pytest.raises(InputError, match="does not begin with the nodes of the space"):
        before.extended(planted.graph(kept, 299))


def test_a_node_that_is_placed_again_stands_where_it_stood():
    rng = np.random.default_rng(3)
    rows = planted.members(60, 60, 4, rng)
    graph = planted.graph(rows, 60)
    space = node2vec(graph, Node2VecConfig(dimensions=16))
    half = type(space)(graph.nodes[:100], space.raw[:100], space.contexts[:100], space.shares[:100], space.config)
    again = half.extended(graph).vectors[100:]
    cosines = (again * space.vectors[100:]).sum(axis=1)
    assert cosines.min() > 0.9


@pytest.mark.parametrize("method", METHODS)
def test_a_seed_is_a_result_in_any_number_of_threads(method):
    graph = planted.graph(planted.members(50, 30, 4, np.random.default_rng(4)), 50)
    config = Node2VecConfig(dimensions=8, walks=5, method=method, p=0.5, q=2.0)
    one = node2vec(graph, config)
    for threads in (2, 5):
        np.testing.assert_array_equal(node2vec(graph, config, threads).raw, one.raw)
    other = Node2VecConfig(**(vars(config) | {"seed": 1}))
    assert (node2vec(graph, other).raw != one.raw).any()
    starts = np.arange(len(graph), dtype=np.int32)
    np.testing.assert_array_equal(random_walks(graph, config, starts, 3), random_walks(graph, config, starts))


@pytest.mark.parametrize("method", METHODS)
def test_what_is_joined_with_nothing_is_zero_and_strangers_are_too(method):
    space = node2vec(planted.graph([[0, 1], []], 3), Node2VecConfig(dimensions=4, method=method))
    assert space.vectors.any(axis=1).tolist() == [True, True, False, True, False]
    found = space.of("tool", ["t1", "nobody", "t2", "t0"])
    np.testing.assert_array_equal(found[0], space.vectors[1])
    assert not found[1:3].any()
    np.testing.assert_allclose(np.linalg.norm(found[[0, 3]], axis=1), 1, rtol=1e-6)
    assert not node2vec(planted.graph([[]], 2), SMALL).vectors.any()
    assert node2vec(MemberGraph.of(Catalog.from_records([])), SMALL).vectors.shape == (0, 16)


def test_rows_are_scaled_and_zero_stays():
    np.testing.assert_allclose(unit(np.float32([[3, 4], [0, 0]])), [[0.6, 0.8], [0, 0]])


@pytest.mark.parametrize(
    "wrong", [{"p": 0}, {"q": 100}, {"walks": 0}, {"dimensions": 1.5}, {"method": "magic"}, {"seed": -1}, {"rate": 0}]
)
def test_settings_that_make_no_sense_are_refused(wrong):
    with pytest.raises(InputError, match="node2vec: " + next(iter(wrong))):
        Node2VecConfig(**wrong)
