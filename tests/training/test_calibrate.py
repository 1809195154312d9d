"""Probabilities from held-out scores: right as often as they say, in the order of the scores, and low far from the traffic."""

import numpy as np
import pytest

from shgat.graph import Incidence
from shgat.metrics.calibration import expected_calibration_error
from shgat.model.channels import Fusion
from shgat.training.calibrate import KNOTS, calibrate, held_out_nearness, thresholds
from shgat.training.fusion import HeldOut

PLAIN = Fusion({"semantic": 1.0}, {"semantic": 1.0}, 0.0)


def planted(rng, chance, *, n=2000, tools=30):
    """Intents whose tools are right with chance(score), and scores whose softmax says something else."""
    scores = rng.standard_normal((n, tools)).astype(np.float32)
    scores -= np.log(np.exp(scores).sum(axis=1, keepdims=True))
    right = rng.random(scores.shape) < chance(scores)
    cosine = np.clip(rng.normal(8.0, 1.0, scores.shape), -20, 20).astype(np.float32)
    wanted = Incidence.from_rows([np.flatnonzero(row).tolist() for row in right])
    return HeldOut({"semantic": scores, "cosine": cosine}, np.zeros(scores.shape, bool), wanted), right


def closest(rng, n):
    return np.sort(rng.normal(0.5, 0.05, (n, 3)).astype(np.float32), axis=1)


@pytest.mark.parametrize(
    "chance",
    [lambda s: 1 / (1 + np.exp(-1.5 * s - 3)), lambda s: np.where(s > -2.5, 0.7, 0.03), lambda s: np.clip(0.4 + 0.1 * s, 0.02, 1)],
    ids=["straight", "a step", "no logistic"],
)
def test_probabilities_are_right_as_often_as_they_say(chance):
    rng = np.random.default_rng(0)
    held, _ = planted(rng, chance)
    fusion = calibrate(PLAIN, held, closest(rng, 2000))
    fresh, right = planted(np.random.default_rng(1), chance)
    fused = fusion.combine(fresh.scores, fresh.unseen)
    p = fusion.probability(fused)
    assert expected_calibration_error(p.ravel(), right.ravel()) < 0.03
    for row, score in zip(p[:50], fused[:50], strict=True):
        assert (np.diff(row[np.argsort(score, kind="stable")]) >= 0.0).all()
    assert min(fusion.calibration.slopes) > 0.0
    assert len(fusion.calibration.knots) <= len(KNOTS)


def test_a_bent_line_is_better_than_a_straight_one():
    rng = np.random.default_rng(2)
    held, right = planted(rng, lambda s: np.where(s > -2.5, 0.7, 0.03))
    fusion = calibrate(PLAIN, held, closest(rng, 2000))
    straight = calibrate(PLAIN, held.take(np.arange(2)), closest(rng, 2))  # two intents bend nothing
    assert straight.calibration.near is None
    fused = PLAIN.combine(held.scores, held.unseen)
    errors = [expected_calibration_error(f.probability(fused).ravel(), right.ravel()) for f in (fusion, straight)]
    assert errors[0] < errors[1]


def test_an_intent_far_from_the_traffic_has_low_probabilities():
    rng = np.random.default_rng(3)
    held, _ = planted(rng, lambda s: 1 / (1 + np.exp(-1.5 * s - 3)))
    near = closest(rng, 2000)
    fusion = calibrate(PLAIN, held, near)
    measured = held_out_nearness(fusion, held, near)
    assert np.mean(measured < fusion.calibration.near) == pytest.approx(0.1, abs=0.02)
    fused = fusion.combine(held.scores, held.unseen)[:100]
    far = fusion.probability(fused, np.full(100, 0.1, np.float32))
    assert far.max() < 0.05 < fusion.probability(fused, measured[:100]).max(axis=1).min()


def test_thresholds_leave_out_the_share_that_they_say():
    rng = np.random.default_rng(4)
    held, right = planted(rng, lambda s: 1 / (1 + np.exp(-1.5 * s - 3)))
    near = closest(rng, 2000)
    fusion = calibrate(PLAIN, held, near)
    found = thresholds(fusion, held, near)
    fused = fusion.combine(held.scores, held.unseen)
    best = fusion.probability(fused, held_out_nearness(fusion, held, near)).max(axis=1)[right.any(axis=1)]
    for share, least in found.items():
        assert np.mean(best < least) == pytest.approx(float(share), abs=0.003)
    assert list(found.values()) == sorted(found.values())


def test_nothing_to_calibrate_by():
    rng = np.random.default_rng(5)
    scores = {name: rng.standard_normal((6, 5)).astype(np.float32) for name in ("semantic", "cosine")}
    held = HeldOut(scores, np.zeros((6, 5), bool), Incidence.from_rows([[]] * 6))
    assert calibrate(PLAIN, held, closest(rng, 6)) == PLAIN
    assert thresholds(PLAIN, held, closest(rng, 6)) == {}
