"""Neighbours: what a graph proposes, against scoring everything."""

import numpy as np
import pytest

from shgat.model import neighbours
from shgat.model.candidates import Candidates
from shgat.model.neighbours import Graph, Neighbours, marks_of, scores

RNG = np.random.default_rng(0)
N, D = 3000, 24


def unit(rows):
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


CENTRES = RNG.standard_normal((60, D))
KEYS = unit(CENTRES[RNG.integers(0, 60, N)] + 0.6 * RNG.standard_normal((N, D)))
QUERIES = unit(CENTRES[RNG.integers(0, 60, 50)] + 0.6 * RNG.standard_normal((50, D)))
FOUND = Neighbours.of(KEYS, threads=1)


def named(keys, ids=None):
    ids = [f"t{i}" for i in range(len(keys))] if ids is None else ids
    return Candidates.of(ids, {key: i for i, key in enumerate(ids)}, keys, keys, None)


def best(found, keys, q, k, allowed=None):
    columns = found.candidates(q, k, allowed)
    columns = (np.arange(len(keys), dtype=np.int32) if allowed is None else allowed) if columns is None else columns
    assert (np.diff(columns) > 0).all()
    z = scores(q, named(keys), columns, 1.0)
    return columns[np.argsort(-z, kind="stable")[:k]]


def recall(found, keys, k=10, allowed=None):
    hits = []
    for q in QUERIES:
        z = keys @ q
        if allowed is not None:
            z = np.where(np.isin(np.arange(len(z)), allowed), z, -9.0)
        hits.append(len(set(best(found, keys, q, k, allowed).tolist()) & set(np.argsort(-z)[:k].tolist())) / k)
    return float(np.mean(hits))


def test_what_is_found_is_what_scoring_everything_finds():
    assert all(len(FOUND.candidates(q, 10, None)) < 200 for q in QUERIES)
    assert recall(FOUND, KEYS) >= 0.99


@pytest.mark.parametrize("share", [0.9, 0.5, 0.2])
def test_a_filter_is_applied_inside(share, monkeypatch):
    monkeypatch.setattr(neighbours, "FEW", 10)
    allowed = np.flatnonzero(RNG.random(N) < share).astype(np.int32)
    asked = [FOUND.candidates(q, 10, allowed) for q in QUERIES]
    assert any(found is not None for found in asked)
    assert all(np.isin(found, allowed).all() and len(found) >= 10 for found in asked if found is not None)
    assert recall(FOUND, KEYS, allowed=allowed) >= 0.99


def test_where_what_is_allowed_lies_elsewhere_all_of_it_is_scored(monkeypatch):
    monkeypatch.setattr(neighbours, "FEW", 10)
    q = QUERIES[0]
    allowed = np.sort(np.argsort(KEYS @ q)[: N // 2]).astype(np.int32)  # the farthest half
    assert FOUND.candidates(q, 10, allowed) is None


def test_few_that_are_allowed_are_scored_without_asking():
    allowed = np.array([4, 9, 1999], np.int32)
    assert FOUND.candidates(QUERIES[0], 10, allowed) is allowed
    assert FOUND.candidates(QUERIES[0], 10, allowed[:0]).tolist() == []


def test_who_asks_for_very_many_gets_all():
    assert FOUND.candidates(QUERIES[0], 1000, None) is None


def test_tools_that_come_are_found_at_once_and_those_that_go_at_no_time():
    new = unit(QUERIES + 0.01 * RNG.standard_normal(QUERIES.shape))
    keys = np.concatenate([KEYS, new])
    grown = FOUND.grown(len(keys))
    assert grown.loose.tolist() == list(range(N, N + 50))
    assert [best(grown, keys, q, 1)[0] for q in QUERIES] == list(range(N, N + 50))
    again = grown.grown(len(keys) + 2)
    assert again.loose.tolist() == list(range(N, N + 52))
    ids = [f"t{i}" for i in range(len(keys))]
    gone = set(np.argsort(-(KEYS @ QUERIES[0]))[:20].tolist())
    left = [i for i in range(len(keys)) if i not in gone]
    after = grown.over(ids, named(keys[left], [ids[i] for i in left]))
    assert len(after.loose) == 50
    assert after.known == N - 20
    assert recall(after, keys[left]) >= 0.99
    assert recall(after, keys[left], k=30) >= 0.98


def test_tools_that_change_places_are_followed_by_their_ids():
    order = RNG.permutation(N)
    ids = [f"t{i}" for i in range(N)]
    after = FOUND.over(ids, named(KEYS[order], [ids[i] for i in order]))
    assert not len(after.loose)
    assert recall(after, KEYS[order]) >= 0.99


def test_a_key_that_moved_is_loose_and_many_make_the_graph_stale():
    keys = KEYS.copy()
    keys[7] = -keys[7]
    after = FOUND.over([f"t{i}" for i in range(N)], named(keys))
    assert after.loose.tolist() == [7]
    assert not after.stale
    assert best(after, keys, keys[7], 1).tolist() == [7]
    shaken = unit(KEYS + 1e-4 * RNG.standard_normal(KEYS.shape))
    assert not len(FOUND.over([f"t{i}" for i in range(N)], named(shaken)).loose)
    other = FOUND.over([f"t{i}" for i in range(N)], named(unit(RNG.standard_normal(KEYS.shape))))
    assert other.stale
    assert other.candidates(QUERIES[0], 10, None) is None


def test_twins_take_one_score():
    keys = KEYS.copy()
    keys[[20, 2999]] = keys[3]
    z = scores(QUERIES[0], named(keys), np.array([3, 4, 20, 2999], np.int32), 2.0)
    assert z[0] == z[2] == z[3] != z[1]
    np.testing.assert_allclose(z, 2.0 * keys[[3, 4, 20, 2999]] @ QUERIES[0], rtol=1e-5)


def test_marks_estimate_distances():
    moved = unit(KEYS + 0.02 * RNG.standard_normal(KEYS.shape))
    estimate = np.linalg.norm(marks_of(moved) - marks_of(KEYS), axis=1) / 2.0
    assert np.sqrt((estimate**2).mean()) == pytest.approx(np.sqrt(((moved - KEYS) ** 2).sum(axis=1).mean()), rel=0.1)


def test_progress_reaches_the_end():
    told = []
    graph = Graph.of(np.concatenate([KEYS, KEYS, KEYS]), 1, lambda done, of: told.append((done, of)))
    assert len(graph) == 3 * N
    assert told == [(8192, 9000), (9000, 9000)]
