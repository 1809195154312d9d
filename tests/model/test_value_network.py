"""The network as a whole: its gradient, its shapes, its start."""

import pickle

import numpy as np
import pytest

from shgat.errors import InputError
from shgat.model.value_network import ValueLayout, ValueNetwork

LAYOUT = ValueLayout(state=11, action=4, hidden=(9, 7, 5))


def network(seed=0):
    """With values of the order of 1."""
    made = ValueNetwork.initial(LAYOUT, np.random.default_rng(seed))
    made["w4"][...] *= 10.0
    return made


def rows(m=6, seed=1):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((m, 11), dtype=np.float32), rng.standard_normal((m, 4), dtype=np.float32)


def dense(made, states, actions):
    """q in float64, as the formula stands."""
    p = {name: made[name].astype(float) for name in LAYOUT.shapes}
    a1 = np.maximum(states @ p["w_state"].T + actions @ p["w_action"].T + p["b1"], 0.0)
    a2 = np.maximum(a1 @ p["w2"].T + p["b2"], 0.0)
    return np.maximum(a2 @ p["w3"].T + p["b3"], 0.0) @ p["w4"] + p["b4"]


def test_forward_is_the_formula():
    made, (states, actions) = network(), rows()
    np.testing.assert_allclose(made.forward(states, actions).q, dense(made, states, actions), rtol=1e-5, atol=1e-6)


def test_backward_reaches_every_parameter():
    made, (states, actions) = network(), rows()
    gradient, d_q = ValueNetwork(LAYOUT), np.linspace(-1, 1, 6, dtype=np.float32)
    made.backward(d_q, states, actions, made.forward(states, actions), gradient)
    rng = np.random.default_rng(2)
    for name in LAYOUT.shapes:
        along = rng.standard_normal(LAYOUT.shapes[name]).astype(np.float32)
        ends = []
        for h in (1e-3, -1e-3):
            moved = made.copy()
            moved[name][...] += np.float32(h) * along
            ends.append(d_q @ dense(moved, states, actions))
        assert (ends[0] - ends[1]) / 2e-3 == pytest.approx(float((gradient[name] * along).sum()), rel=2e-2, abs=1e-3), name


def test_it_starts_near_nothing_and_differs_between_actions():
    q = (
        ValueNetwork.initial(ValueLayout(state=3 * 64 + 5, action=64), np.random.default_rng(0))
        .forward(np.full((50, 197), 197**-0.5, np.float32), np.eye(50, 64, dtype=np.float32))
        .q
    )
    assert np.abs(q).max() < 0.5
    assert q.std() > 0.0


def test_a_copy_is_its_own_and_pickles_as_it_is():
    made = network()
    other = made.copy()
    other["b4"][...] = 5.0
    assert made["b4"] == 0.0
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(other)).buffer, other.buffer)


@pytest.mark.parametrize("wrong", [{"state": 0}, {"action": -1}, {"hidden": (1, 2)}, {"hidden": (1, 2, 0)}, {"state": True}])
def test_a_layout_that_is_none_is_refused(wrong):
    with pytest.raises(InputError, match="ValueLayout"):
        ValueLayout(**{"state": 3, "action": 2, **wrong})


def test_a_buffer_of_another_size_is_refused():
    with pytest.raises(InputError, match="expected"):
        ValueNetwork(LAYOUT, np.zeros(3, np.float32))
