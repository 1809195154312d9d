"""The value network against its twin, and the twin against central differences."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference import value as twin
from reference.gradients import assert_gradient
from reference.incidence import readonly, single
from shgat._kernels import value

# rows, states, actions, hidden
CASES = {
    "a request": (50, 1, 60, (256, 128, 64)),
    "a batch": (129, 129, 129, (33, 17, 7)),
    "one": (1, 1, 1, (8, 5, 3)),
    "shared": (40, 3, 4, (16, 8, 1)),
    "none": (0, 2, 2, (8, 4, 2)),
}


def problem(case, seed=0):
    """base, owner, parts, item, layers, d_q"""
    m, states, actions, (h1, h2, h3) = CASES[case]
    rng = np.random.default_rng(seed)
    shapes = (h2, h1), (h2,), (h3, h2), (h3,), (h3,), (1,)
    layers = [rng.standard_normal(shape) / shape[-1] ** 0.5 for shape in shapes]
    base, parts = rng.standard_normal((states, h1)), rng.standard_normal((actions, h1))
    owner = readonly(rng.integers(states, size=m).astype(np.int32))
    item = readonly(rng.integers(actions, size=m).astype(np.int32))
    return base, owner, parts, item, layers, rng.standard_normal(m)


def run_forward(base, owner, parts, item, layers):
    """a1, a2, a3, q of the kernel"""
    (h2, h1), h3 = layers[0].shape, len(layers[4])
    out = [np.full((len(owner), h), np.nan, np.float32) for h in (h1, h2, h3)] + [np.full(len(owner), np.nan, np.float32)]
    base, parts, *layers = single(base, parts, *layers)
    value.forward(base, owner, parts, item, *layers, *out)
    return out


def run_backward(d_q, base, owner, parts, item, layers):
    """d_base, d_parts, gradients of the layers of the kernel"""
    activations = run_forward(base, owner, parts, item, layers)[:3]
    d_q, base, parts, *layers = single(d_q, base, parts, *layers)
    d_base, d_parts = np.zeros_like(base), np.zeros_like(parts)
    gradients = [np.full_like(layer, np.nan) for layer in layers]
    scratch = [np.full_like(a, np.nan) for a in activations]
    value.backward(d_q, owner, item, *layers[::2], *activations, *scratch, d_base, d_parts, *gradients)
    return d_base, d_parts, gradients


@pytest.mark.parametrize("case", CASES)
def test_forward_matches_the_twin(case):
    *network, _ = problem(case)
    for kernel, reference in zip(run_forward(*network), twin.forward(*network), strict=True):
        np.testing.assert_allclose(kernel, reference, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("case", [case for case in CASES if case != "none"])
def test_backward_matches_the_twin(case):
    *network, d_q = problem(case)
    mine, reference = run_backward(d_q, *network), twin.backward(d_q, *network)
    for a, b in zip([*mine[:2], *mine[2]], [*reference[:2], *reference[2]], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("case", ["a batch", "shared"])
def test_the_twin_is_the_gradient(case):
    base, owner, parts, item, layers, d_q = problem(case)
    d_base, d_parts, gradients = twin.backward(d_q, base, owner, parts, item, layers)

    def loss():
        return float(d_q @ twin.forward(base, owner, parts, item, layers)[3])

    names = ("base", "parts", "w2", "b2", "w3", "b3", "w4", "b4")
    for name, x, d in zip(names, [base, parts, *layers], [d_base, d_parts, *gradients], strict=True):
        # a step so small that next to no unit crosses its bend
        assert_gradient(loss, x, d, name=name, step=1e-7, directions=40)


def test_what_does_not_fit_is_refused():
    base, owner, parts, item, layers, _ = problem("shared")
    with pytest.raises(ValueError, match="do not fit"):
        run_forward(base[:, :-1], owner, parts, item, layers)
    with pytest.raises(ValueError, match="do not fit"):
        run_forward(base, owner, parts, item[:-1], layers)
    with pytest.raises(ValueError, match="one length"):
        value.accumulate(np.zeros(3), np.zeros(2), np.zeros(3))


@given(st.lists(st.tuples(st.floats(-10, 10), st.floats(0, 1)), max_size=12))
def test_sums_of_what_follows_match_the_twin(pairs):
    errors, decay = np.array(pairs, float).reshape(-1, 2).T.copy()
    out = np.full(len(errors), np.nan)
    value.accumulate(errors, decay, out)
    np.testing.assert_allclose(out, twin.accumulate(errors, decay), rtol=1e-12, atol=1e-12)
