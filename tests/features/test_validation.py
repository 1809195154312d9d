"""Each fault is found by its check alone, and is named; sound features pass."""

from dataclasses import replace

import numpy as np
import pytest

from features import planted
from shgat.errors import InputError
from shgat.features.capability import capability_features
from shgat.features.node2vec import Node2VecConfig
from shgat.features.validation import HOUR, Limits, embeddings, near_duplicates, validate, variance

D, K, NOW = 16, 8, 1e9
IDS = [f"c{i}" for i in range(40)]


@pytest.fixture(scope="module")
def sound():
    rng = np.random.default_rng(0)
    catalog = planted.catalog(planted.members(60, 40, 6, rng), 60, rng, D)
    return capability_features(catalog, as_of=NOW, config=Node2VecConfig(dimensions=K, walks=5))


def faults(rows, ids=IDS, now=NOW, **options):
    report = validate(rows, ids, dimension=D, n2v_dimension=K, now=now, **options)
    assert report.ok == (not report.faults)
    return {(f.check, f.of): f.items for f in report.faults}


def test_sound_features_pass(sound):
    assert faults(sound) == {}
    assert faults([], []) == {}


def spoilt(rows, n=1, **changes):
    return [replace(r, **changes) if i < n else r for i, r in enumerate(rows)]


@pytest.mark.parametrize(
    ("changes", "check"),
    [
        ({"hybrid_embedding": np.ones(D + 1, np.float32)}, ("dimension", "hybrid_embedding")),
        ({"n2v_embedding": np.ones(K - 1, np.float32)}, ("dimension", "n2v_embedding")),
        ({"text_embedding": np.full(D, np.nan, np.float32)}, ("not a number", "text_embedding")),
        ({"hybrid_embedding": np.full(D, 1.02 / 4, np.float32)}, ("length from 1", "hybrid_embedding")),
        ({"n2v_embedding": np.zeros(K, np.float32)}, ("length from 1", "n2v_embedding")),
        ({"pagerank_score": float("nan")}, ("not a number", "figures")),
        ({"success_rate": float("inf")}, ("not a number", "figures")),
        ({"computed_at": NOW - 24.1 * HOUR}, ("age in hours", "features")),
    ],
)
def test_one_fault_is_found_where_it_is(sound, changes, check):
    assert faults(spoilt(sound, **changes)) == {check: ("c0",)}


def test_limits_are_not_narrower_than_they_say(sound):
    length = np.full(D, 1.009 / 4, np.float32)
    assert faults(spoilt(sound, hybrid_embedding=length)) == {}
    assert faults(sound, now=NOW + 23.9 * HOUR) == {}
    assert faults(sound, now=NOW + 30 * HOUR, limits=Limits(max_age_hours=48)) == {}
    assert faults(spoilt(sound, 2, n2v_embedding=None)) == {}  # 5 %


def test_collapse_is_found_and_spread_is_not_taken_for_it(sound):
    rng = np.random.default_rng(1)

    def around(noise):
        rows = np.ones(D) + noise * rng.standard_normal((40, D))
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        return [replace(r, hybrid_embedding=v.astype(np.float32)) for r, v in zip(sound, rows, strict=True)]

    assert list(faults(around(0.05))) == [("variance", "hybrid_embedding")]
    assert faults(around(0.2)) == {}
    u = np.random.default_rng(2).standard_normal((500, D))
    u /= np.linalg.norm(u, axis=1, keepdims=True)
    np.testing.assert_allclose(variance(3 * u), 1 - np.linalg.norm(u.mean(axis=0)) ** 2)
    np.testing.assert_allclose(variance(u), u.var(axis=0).sum())


def test_what_is_missing_is_named_and_what_has_no_graph_is_excused(sound):
    assert faults(sound[3:])["missing", "hybrid_embedding"] == ("c0", "c1", "c2")
    alone = spoilt(sound, 3, n2v_embedding=None)
    assert faults(alone) == {("missing", "n2v_embedding"): ("c0", "c1", "c2")}
    assert faults(alone, alone=IDS[:3]) == {}
    assert set(faults([])) == {("missing", f"{kind}_embedding") for kind in ("text", "n2v", "hybrid")}


def test_duplicates_are_worth_a_look_and_no_fault(sound):
    twins = spoilt(sound, 2, hybrid_embedding=sound[5].hybrid_embedding)
    report = validate(twins, IDS, dimension=D, n2v_dimension=K, now=NOW)
    assert report.ok
    (found,) = [f for f in report.findings if not f.ok]
    assert (found.check, found.of, found.items) == ("duplicates", "hybrid_embedding", ("c0 = c1 = c5",))
    assert report.to_dict()["findings"]


@pytest.mark.parametrize("n", [0, 1, 2, 1030])
def test_near_duplicates_are_those_of_all_pairs(n):
    rng = np.random.default_rng(3)
    rows = rng.standard_normal((n, 8)).astype(np.float32)
    if n > 1:
        rows[n - 1] = 3 * rows[0] + 0.01
    ids = [str(i) for i in range(n)]
    found = near_duplicates(ids, rows)
    assert found.items == ((f"0 ~ {n - 1}",) if n > 1 else ())
    assert (found.ok, found.fault) == (n < 2, False)
    if n > 1:
        u = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        np.testing.assert_allclose(found.value, (u @ u.T - 2 * np.eye(n)).max(), atol=1e-5)
        assert near_duplicates(ids, rows, Limits(near_duplicate=1.5)).ok


def test_embeddings_alone_are_checked_too():
    found = {f.check: f for f in embeddings(["a", "b"], np.float32([[1, 0], [1, 0]]), "tools")}
    assert not found["variance"].ok
    assert found["duplicates"].items == ("a = b",)
    assert all(f.ok for f in embeddings([], np.zeros((0, 3), np.float32), "tools"))


def test_limits_are_numbers():
    with pytest.raises(InputError, match="limits: min_variance"):
        Limits(min_variance=-1)
