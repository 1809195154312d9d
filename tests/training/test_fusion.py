"""Channel weights: planted ones are found, and the optimum is the optimum."""

import itertools

import numpy as np
import pytest

from shgat.graph import Incidence
from shgat.training.fusion import SHORTLIST, HeldOut, fit_fusion

NAMES = ("semantic", "route", "cosine")


def planted_scores(rng, weights, *, n=600, tools=40, cold=0.0, bonus=0.0, new=4):
    """Intents whose tool is drawn from softmax of the weighted channels; the last `new` tools are unseen in a share `cold` of the rows."""
    scores = {name: rng.standard_normal((n, tools)).astype(np.float32) for name in NAMES}
    unseen = np.zeros((n, tools), bool)
    unseen[: int(cold * n), -new:] = True
    z = sum(w * s for w, s in zip(weights, scores.values(), strict=True)) + bonus * unseen
    wanted = [[int((row + rng.gumbel(size=tools)).argmax())] for row in z]
    return HeldOut(scores, unseen, Incidence.from_rows(wanted))


def loss(held, weights, rows=slice(None)):
    z = sum(w * s.astype(float) for w, s in zip(weights, held.scores.values(), strict=True))
    z = np.where(held.unseen, -1e9, z)
    cold = held.unseen[np.arange(len(z)), held.wanted.indices]
    rows = np.flatnonzero(~cold)
    z = z[rows]
    z -= z.max(axis=1, keepdims=True)
    return float(np.mean(np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(z)), held.wanted.indices[rows]]))


@pytest.mark.parametrize("weights", [(1.0, 0.5, 0.0), (0.0, 2.0, 1.0), (0.3, 0.3, 0.3)])
def test_planted_weights_are_recovered(weights):
    fusion = fit_fusion(planted_scores(np.random.default_rng(0), weights, n=3000))
    np.testing.assert_allclose(list(fusion.seen.values()), weights, atol=0.12)
    assert min(fusion.seen.values()) >= 0.0
    assert fusion.unseen == fusion.seen
    assert fusion.bonus == 0.0


def test_a_channel_that_speaks_against_the_answer_gets_no_weight():
    fusion = fit_fusion(planted_scores(np.random.default_rng(1), (1.0, -0.7, 0.0), n=1500))
    assert fusion.seen["route"] == 0.0
    assert "route" not in fusion.names


@pytest.mark.parametrize("weights", [(1.0, 0.5, 0.0), (1.0, -0.5, 0.2), (0.1, 0.0, 0.0)])
def test_the_optimum_is_that_of_scipy_and_no_grid_point_is_better(weights):
    optimize = pytest.importorskip("scipy.optimize", reason="SciPy is not installed")
    held = planted_scores(np.random.default_rng(2), weights, n=200)
    found = list(fit_fusion(held).seen.values())
    best = optimize.minimize(lambda w: loss(held, w), np.full(3, 0.5), bounds=[(0, None)] * 3, method="L-BFGS-B", tol=1e-12)
    assert loss(held, found) <= best.fun + 1e-7
    np.testing.assert_allclose(found, best.x, atol=2e-3)
    for step in itertools.product((-0.05, 0.0, 0.05), repeat=3):
        assert loss(held, found) <= loss(held, np.maximum(0.0, np.add(found, step))) + 1e-9


def test_unseen_tools_have_a_bonus_of_their_own():
    held = planted_scores(np.random.default_rng(3), (1.0, 1.0, 0.0), n=2000, cold=0.5, bonus=3.0)
    fusion = fit_fusion(held)
    assert 1.0 < fusion.bonus < 6.0
    np.testing.assert_allclose(list(fusion.seen.values()), (1.0, 1.0, 0.0), atol=0.2)
    assert min(fusion.unseen.values()) >= 0.0
    fused = fusion.combine(held.scores, held.unseen)
    rows, cold = np.arange(2000), held.unseen[np.arange(2000), held.wanted.indices]
    best = fused.argmax(axis=1) == held.wanted.indices
    assert best[cold].mean() > 0.2
    assert best[~cold].mean() > 0.1
    assert held.unseen[rows, fused.argmax(axis=1)].any()


def test_beyond_the_shortlist_the_wanted_tools_are_still_in():
    rng = np.random.default_rng(4)
    held = planted_scores(rng, (1.5, 0.5, 0.0), n=60, tools=SHORTLIST + 200)
    fusion = fit_fusion(held)
    assert fusion.seen["semantic"] > fusion.seen["cosine"]
    assert np.isfinite(list(fusion.seen.values())).all()


def test_nothing_to_find():
    rng = np.random.default_rng(5)
    scores = {name: rng.standard_normal((6, 5)).astype(np.float32) for name in NAMES}
    fusion = fit_fusion(HeldOut(scores, np.zeros((6, 5), bool), Incidence.from_rows([[]] * 6)))
    assert np.isfinite(list(fusion.seen.values())).all()
