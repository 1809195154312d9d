"""Calibration on held-out predictions: the rising line from fused scores to probabilities, and where the traffic ends.

    minimise  sum_i sum_t log(1 + exp(z_it)) - y_it z_it + 1/2 |a - a0|^2,     z_it = c + sum_j a_j r_j(s_it) - fall_i,   a >= 0

a0 are the slopes of one straight line (Platt), which few traces leave as it is. The knots are where that line has 5, 20, 50 and 80 %.
"""

from dataclasses import replace

import numpy as np

from .._types import Float32, Float64
from ..metrics.calibration import PlattScaling, sigmoid
from ..model.calibration import LEADERS, Calibration, fall, nearness, ramps
from ..model.channels import STRETCH, Fusion, log_softmax
from .fusion import HeldOut

KNOTS = (0.05, 0.2, 0.5, 0.8)
OUTSKIRTS = 0.1  # share of the held-out intents that are farther than `Calibration.near`
NORMAL = 1.2816  # standard deviations that a tenth of a normal distribution lies below its median by
FEWEST_FAR = 20  # held-out intents below which no end of the traffic is told
LEAST_SLOPE, LEAST_SPREAD = 1e-3, 1e-3
MOST_PAIRS = 1_000_000  # (intent, tool) pairs that are looked at, about
STEPS = 50
FALSE_ABSTENTIONS = (0.01, 0.05, 0.1)


def calibrate(fusion: Fusion, held: HeldOut, closest: Float32) -> Fusion:
    """The fusion with a calibration from every candidate of every held-out intent that wants something.

    Parameters
    ----------
    held : with the channel "cosine"
    closest : (N, <= 3) cosines of the intents to the nearest traces that were not held out
    """
    rows = np.flatnonzero(held.wanted.degrees > 0)
    if not len(rows):
        return fusion
    near = held_out_nearness(fusion, held, closest)[rows]
    rows = rows[:: max(1, len(rows) * held.unseen.shape[1] // MOST_PAIRS)]
    part = held.take(rows)
    s = log_softmax(fusion.combine(part.scores, part.unseen))
    right = np.zeros(s.shape)
    right[part.wanted.row_of_entry, part.wanted.indices] = 1.0
    edge, spread = _edge(near)
    far = np.zeros(len(rows)) if edge is None else fall(held_out_nearness(fusion, part, closest[rows]), edge, spread)
    line = PlattScaling.fit(s.ravel(), right.ravel())
    knots = _knots(line)
    slopes, intercept = _bent(s, right, far, line, knots)
    return replace(fusion, calibration=Calibration(slopes, knots, intercept, edge, spread))


def best_probabilities(fusion: Fusion, held: HeldOut, closest: Float32) -> Float64:
    """(M,) probability of the first tool of each held-out intent that wants something."""
    rows = np.flatnonzero(held.wanted.degrees > 0)
    part = held.take(rows)
    fused = fusion.combine(part.scores, part.unseen)
    return np.asarray(fusion.probability(fused, held_out_nearness(fusion, part, closest[rows])).max(axis=1), np.float64)


def thresholds(fusion: Fusion, held: HeldOut, closest: Float32) -> dict[str, float]:
    """Share of held-out intents that would go without any tool, although one fits -> the `min_score` that does this."""
    best = best_probabilities(fusion, held, closest)
    return {f"{share:g}": float(np.quantile(best, share)) for share in FALSE_ABSTENTIONS} if len(best) else {}


def held_out_nearness(fusion: Fusion, held: HeldOut, closest: Float32) -> Float32:
    """(N,) as `Channels.nearness` has it, of held-out intents."""
    fused = fusion.combine(held.scores, held.unseen)
    k = min(LEADERS, fused.shape[1])
    leaders = np.argpartition(fused, -k, axis=1)[:, -k:]
    return nearness(closest, np.take_along_axis(held.scores["cosine"], leaders, axis=1) / np.float32(STRETCH))


def _edge(near: Float32) -> tuple[float | None, float]:
    """Nearness that nine in ten have, and one standard deviation of it, read off the lower half."""
    if len(near) < FEWEST_FAR:
        return None, 1.0
    low, middle = np.quantile(near.astype(np.float64), (OUTSKIRTS, 0.5)).tolist()
    return low, max((middle - low) / NORMAL, LEAST_SPREAD)


def _knots(line: PlattScaling) -> tuple[float, ...]:
    """Log shares where the straight line has the probabilities of `KNOTS`, as far as log shares go."""
    p = np.array(KNOTS)
    at = (np.log(p / (1.0 - p)) - line.intercept) / line.slope
    return tuple(v for v in at.tolist() if -100.0 < v < -1e-3)


def _bent(
    s: Float32, right: Float64, far: Float64, line: PlattScaling, knots: tuple[float, ...]
) -> tuple[tuple[float, ...], float]:
    """Slopes and intercept by projected Newton from the straight line; s, right (N, n), far (N,)."""
    x = np.stack([r.ravel() for r in (*ramps(s, knots), np.ones(s.shape))])  # (J + 1, N n)
    y, off = right.ravel(), np.repeat(far, s.shape[1])
    start = np.append(np.full(len(knots) + 1, line.slope), line.intercept + line.slope * (knots[0] if knots else 0.0))
    pull = np.append(np.ones(len(knots) + 1), 0.0)
    least = np.append(np.full(len(knots) + 1, min(LEAST_SLOPE, line.slope)), -np.inf)
    w = start.copy()
    value = _loss(w, x, y, off, pull, start)
    for _ in range(STEPS):
        p = sigmoid(w @ x - off)
        gradient = x @ (p - y) + pull * (w - start)
        curvature = (x * (p * (1.0 - p))) @ x.T + np.diag(pull + 1e-9)
        free = ~((w <= least) & (gradient > 0.0))
        step = np.zeros_like(w)
        step[free] = np.linalg.solve(curvature[np.ix_(free, free)], gradient[free])
        length = 1.0
        while (new := _loss(tried := np.maximum(w - length * step, least), x, y, off, pull, start)) > value and length > 1e-8:
            length /= 2.0
        gain = value - new
        if gain > 0.0:
            w, value = tried, new
        if gain <= 1e-10 * max(1.0, value):
            break
    return tuple(w[:-1].tolist()), float(w[-1])


def _loss(w: Float64, x: Float64, y: Float64, off: Float64, pull: Float64, start: Float64) -> float:
    z = w @ x - off
    return float(np.sum(np.logaddexp(0.0, z) - y * z) + 0.5 * np.sum(pull * (w - start) ** 2))
