"""One buffer and its views, gradients that are not cleared, and what an untrained model starts from."""

import pickle

import numpy as np
import pytest

from shgat import InputError, SHGATConfig
from shgat.model.params import SMALL, Layout, Params, initial_params, resolve_layout
from worlds import catalog

LAYOUT = Layout(d=64, n_heads=4, d_head=16, n_message_heads=2, n_levels=2, attention="gat", n_tools=3, n_capabilities=2)


def test_views_fill_the_buffer_one_after_the_other():
    params = Params(LAYOUT)
    for number, view in enumerate(params.values(), 1):
        assert not view.any()
        view[:] = number
    changes = np.flatnonzero(np.diff(params.buffer)) + 1
    assert (params.buffer > 0).all()
    assert [0, *changes.tolist()] == [s.start for s in LAYOUT.slices.values()]
    params.w_q[:], params.w_k[:] = -1.0, -2.0
    np.testing.assert_array_equal(params["w_q"], -1.0)
    np.testing.assert_array_equal(params["w_k"], -2.0)


def test_a_copy_has_a_buffer_of_its_own_and_a_pickle_has_views():
    params = Params(LAYOUT)
    copied, pickled = params.copy(), pickle.loads(pickle.dumps(params))
    params.buffer[:] = 1.0
    assert not copied.buffer.any()
    pickled["w_k"][:] = 2.0
    assert pickled.buffer.any()
    assert pickled.layout == LAYOUT


@pytest.mark.parametrize("buffer", [np.zeros(LAYOUT.size), np.zeros(LAYOUT.size - 1, np.float32)], ids=["float64", "too short"])
def test_a_buffer_that_does_not_fit_is_refused(buffer):
    with pytest.raises(InputError, match=f"expected {LAYOUT.size} float32"):
        Params(LAYOUT, buffer)


def test_a_gradient_holds_nothing_of_the_step_before():
    """The first product into a matrix writes, the next ones add; what no product reached is zero at the end."""
    gradient = Params(LAYOUT).gradient()
    reached = [{"w_q": 2, "w_k": 1, "log_scale": 1}, {"w_q": 1, "level0.w_child": 3}, {}]
    for products in reached:
        gradient.begin()
        for name, times in products.items():
            for _ in range(times):
                view = gradient[name]
                factor = gradient.beta(name) if view.size >= SMALL else 1.0
                view[:] = factor * view + 1.0
        gradient.finish()
        for name, view in gradient.items():
            np.testing.assert_array_equal(view, products.get(name, 0), err_msg=name)


@pytest.mark.parametrize(("n_heads", "d_head"), [(4, None), (5, 7), (2, 3)], ids=["D = d", "D > d", "D < d"])
def test_an_untrained_model_starts_where_ranking_is_cosine(n_heads, d_head):
    config = SHGATConfig(n_heads=n_heads, d_head=d_head, log_scale=2.0, node_offsets=True)
    layout = resolve_layout(catalog(), config)
    params = initial_params(layout, config, np.random.default_rng(0))
    w = params.w_q.astype(float)
    np.testing.assert_array_equal(params.w_k, params.w_q)
    np.testing.assert_allclose(w.T @ w if len(w) >= 16 else w @ w.T, np.eye(min(len(w), 16)), atol=1e-6)
    np.testing.assert_array_equal(params["w_intent"], np.eye(16))
    assert params["log_scale"] == 2.0
    for name, view in params.items():
        if name == "w_context" or "gate" in name or "offsets" in name:
            assert not view.any(), name


def test_sizes_follow_the_catalogue():
    found = catalog()
    layout = resolve_layout(found, SHGATConfig(node_offsets=True))
    assert (layout.d, layout.n_levels, layout.n_tools, layout.n_capabilities) == (16, 3, 14, 10)
    assert layout.n_heads * layout.d_head == 16
    silent = resolve_layout(found, SHGATConfig(message_passing=False))
    assert (silent.n_levels, silent.n_tools, silent.n_capabilities) == (0, 0, 0)
    assert resolve_layout(found, SHGATConfig(n_heads=3, d_head=9)).shapes["w_q"] == (3, 9, 16)


def test_heads_have_to_divide():
    with pytest.raises(InputError, match="n_heads = 5 does not divide d = 16; give d_head too, or 4 heads"):
        resolve_layout(catalog(), SHGATConfig(n_heads=5))
    with pytest.raises(InputError, match="n_message_heads = 3 does not divide d = 16"):
        resolve_layout(catalog(), SHGATConfig(n_message_heads=3))
