"""A ratio means something only where both sides computed the same: each peer against shgat on the cases that are timed."""

import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2] / "asv_benchmarks"

MODELS = {
    "large": {},
    "tiny": {"n_tools": 4, "n_capabilities": (2,), "d": 8, "n_heads": 1, "d_head": 8},
}


@pytest.fixture(params=["numpy", "torch"])
def contenders(request, monkeypatch):
    """shgat, a peer, and the cases."""
    if request.param == "torch":
        pytest.importorskip("torch", reason="PyTorch is an optional peer")
    monkeypatch.syspath_prepend(ROOT)
    from peers import cases, contender

    yield contender("shgat"), contender(request.param), cases
    for name in [n for n in sys.modules if n.split(".")[0] == "peers"]:
        del sys.modules[name]


@pytest.mark.parametrize("size", MODELS)
@pytest.mark.parametrize("kind", ["tools", "capabilities"])
def test_ranks_the_same(contenders, size, kind):
    ours, peer, cases = contenders
    model = cases.model(**MODELS[size])
    x = cases.intent(model.dimension)
    assert peer.rank(model, kind)(x) == ours.rank(model, kind)(x)


@pytest.mark.parametrize("size", MODELS)
def test_rebuilds_the_same_keys(contenders, size):
    ours, peer, cases = contenders
    model = cases.model(**MODELS[size])
    np.testing.assert_allclose(peer.rebuild(model)(), ours.rebuild(model)(), atol=2e-6)


def test_the_open_gates_do_something(contenders):
    ours, _, cases = contenders
    model = cases.model()
    spoken = ours.rebuild(model)()
    for name, view in model.params.items():
        if "gate" in name:
            view[:] = 0
    assert np.abs(spoken - ours.rebuild(model)()).max() > 0.01


def test_kernels_agree(contenders):
    ours, peer, cases = contenders
    phase, logits, priorities, scores = (
        cases.phase(100, 200, 20, 8, 64),
        cases.logits(16, 1000),
        cases.priorities(1000, 64),
        cases.scores(1000),
    )
    np.testing.assert_allclose(peer.attend(phase)(), ours.attend(phase)(), atol=2e-6)
    np.testing.assert_allclose(peer.info_nce(*logits)(), ours.info_nce(*logits)(), atol=1e-4)
    np.testing.assert_array_equal(peer.replay(*priorities)(), ours.replay(*priorities)())
    np.testing.assert_array_equal(peer.top_k(scores, 10)(), ours.top_k(scores, 10)())


def test_gives_the_same_values(contenders):
    ours, peer, cases = contenders
    for d in (384, 8):
        case = cases.values(d, 16)
        np.testing.assert_allclose(peer.value(case)(), ours.value(case)(), rtol=1e-4, atol=1e-5)


def test_learns_the_same_values(contenders):
    ours, peer, cases = contenders
    if not hasattr(peer, "learn_values"):
        pytest.skip("NumPy learns no values")
    case = cases.values(32, 64)
    assert peer.learn_values(case, 10)() == pytest.approx(ours.learn_values(case, 10)(), rel=1e-3)
