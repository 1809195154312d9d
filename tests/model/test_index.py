"""An index never changes, and holds what it says."""

import numpy as np
import pytest

from shgat import SHGAT, SHGATConfig
from shgat.model.index import reliability
from worlds import catalog, trained, unit


def test_reliability_in_steps():
    rates = np.array([np.nan, 0.0, 0.49, 0.5, 0.9, 0.91, 1.0])
    factors = reliability(rates, np.ones(7, int), "steps")
    np.testing.assert_allclose(factors, [1, 0.5, 0.5, 1, 1, 1.2, 1.2])


def test_smooth_reliability():
    rates, uses = np.array([np.nan, 0.9, 0.1, 1.0, 0.2]), np.array([7, 1000, 1000, 0, 1])
    factors = reliability(rates, uses, "smooth")
    assert factors[0] == factors[3] == 1.0  # nothing known, nothing seen
    assert factors[1] == pytest.approx(1.2)
    assert factors[2] == pytest.approx(0.5)
    assert 0.9 < factors[4] < 1.0  # one observation moves little
    few, many = (reliability(np.array([0.8, 0.5]), np.array([n, 100]), "smooth")[0] for n in (2, 50))
    assert 1.0 < few < many


@pytest.mark.parametrize("rule", ["none", "smooth", "steps"])
def test_nothing_known_is_no_factor(rule):
    assert reliability(np.array([np.nan, np.nan]), np.array([0, 3]), rule) is None
    assert reliability(np.zeros(0), np.zeros(0, int), rule) is None


def test_an_index_never_changes():
    model = trained()
    index = model.index()
    x = unit(np.random.default_rng(0), 16)
    before = index.tools.keys.copy(), index.w_query.copy(), index.capabilities.x.copy()
    model.params.buffer[:] *= -0.3
    model.add_capability({"id": "n", "embedding": x, "tools": ["t1"]})
    model.invalidate()
    model.rank(x)
    for array, old in zip((index.tools.keys, index.w_query, index.capabilities.x), before, strict=True):
        np.testing.assert_array_equal(array, old)


@pytest.mark.parametrize("config", [SHGATConfig(), SHGATConfig(n_heads=3, d_head=11)], ids=["identity", "D > d"])
def test_folded_maps_are_the_products(config):
    rng = np.random.default_rng(0)
    model = SHGAT.from_catalog(catalog(), config)
    for change in (lambda w: None, lambda w: w.__setitem__((3, 4), 0.5), lambda w: w.__imul__(rng.standard_normal(w.shape))):
        for name in ("w_intent", "w_context"):
            change(model.params[name])
        model.invalidate()
        index = model.index()
        np.testing.assert_allclose(index.w_query, model.params.w_q @ model.params["w_intent"], rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(index.w_context, model.params.w_q @ model.params["w_context"], rtol=1e-4, atol=1e-5)


def test_a_change_of_the_graph_keeps_the_folded_maps():
    model = trained()
    before = model.index().w_query
    model.remove("c3")
    assert model.index().w_query is before
    model.invalidate()
    assert model.index().w_query is not before


def test_keys_are_folded_where_the_map_of_intents_keeps_angles():
    """So it does in an untrained model as wide as its embeddings, and no longer once it is turned and stretched a little."""
    config = SHGATConfig(n_heads=4, d_head=4)
    model = SHGAT.from_catalog(catalog(), config)
    index = model.index()
    assert index.stretch > 0.0
    rng = np.random.default_rng(0)
    x = np.stack([unit(rng, 16) for _ in range(5)])
    q = x @ index.w_query.T
    np.testing.assert_allclose(np.linalg.norm(q, axis=1), index.stretch, rtol=1e-5)
    np.testing.assert_allclose(index.tools.folded @ x.T, index.tools.keys @ q.T, rtol=1e-4, atol=1e-5)
    for row in x:
        of_one, of_many = model.rank(row, 14), model.rank_many(row[None], 14)[0]
        assert of_one.ids == of_many.ids
        np.testing.assert_allclose(of_one.scores, of_many.scores, rtol=1e-5, atol=1e-5)
    model.params.w_q[0, 1] += np.float32(0.01)
    model.invalidate()
    assert model.index().stretch == 0.0
    assert model.index().tools.folded is None
    narrow = SHGAT.from_catalog(catalog(), SHGATConfig(n_heads=1, d_head=4)).index()
    assert narrow.tools.folded is None
