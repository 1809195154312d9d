"""Channel weights from held-out scores: non-negative, by the log-likelihood of each wanted tool, convex, so nothing is searched.

    minimise  sum_i r_i sum_t y_it [ log(exp(z_it) + N_i) - z_it ],   N_i = sum of exp(z_is) over unwanted s,   z = sum_c w_c s_c,  w >= 0

Each wanted tool competes with what is not wanted and not with the others of its set, so that a large one does not push them out.

The semantic channel's own weight is among them, so temperature is chosen too. Tools without training traces have weights of their own
(their semantic score was trained only as a negative, and no trace votes for them), fitted afterwards with the others fixed, on warm and
cold intents at equal total weight.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from .._types import Bool, Float32, Float64, Int64
from ..graph.incidence import Incidence
from ..model.channels import Fusion, log_softmax

BONUS_SCALE = 5.0
RIDGE = 1.0  # pulls the weights of unseen tools towards those of seen ones, worth one cold intent
FEWEST_COLD = 3
SHORTLIST = 1024  # candidates of an intent that weights are fitted on
ITERATIONS = 60
_BLOCK = 64  # rows that are shortlisted at a time


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Channel scores of traces by models that were not trained on them.

    Attributes
    ----------
    scores : channel -> (N, n_tools)
    unseen : (N, n_tools) tools that had no training trace
    wanted : relevant tools of each intent
    """

    scores: dict[str, Float32]
    unseen: Bool
    wanted: Incidence

    @property
    def cold(self) -> Bool:
        """(N,) does the intent need a tool that had no training trace?"""
        entries = self.wanted.row_of_entry, self.wanted.indices
        return np.bincount(entries[0], self.unseen[entries], self.wanted.n_rows) > 0

    def take(self, rows: Int64) -> "HeldOut":
        """Some of the traces."""
        return HeldOut({name: s[rows] for name, s in self.scores.items()}, self.unseen[rows], self.wanted.take(rows))

    def restricted(self, channels: Sequence[str]) -> "HeldOut":
        """The same with some of the channels only."""
        return replace(self, scores={name: s for name, s in self.scores.items() if name in channels})


def fit_fusion(held: HeldOut) -> Fusion:
    """Weights from held-out scores; `calibrate` comes after it, once the variant is chosen."""
    names = list(held.scores)
    features, y, unseen = _shortlist(held)
    wants = y.sum(axis=1) > 0
    cold = (y * unseen).sum(axis=1) > 0
    warm = wants & ~cold
    start = np.full(len(names), 0.2)
    start[0] = 0.7
    seen = start
    if warm.any():
        blocked = np.where(unseen[warm], -1e9, 0.0)
        seen = _fit(features[:, warm], y[warm], np.full(warm.sum(), 1.0 / warm.sum()), blocked, start)
    bare, bonus = seen, 0.0
    if cold.sum() >= FEWEST_COLD:
        rows = np.flatnonzero(wants)
        inside = unseen[rows]
        own = np.concatenate([features[:, rows] * inside, BONUS_SCALE * inside[None].astype(np.float64)])
        fixed = np.einsum("c,cbt->bt", seen, features[:, rows] * ~inside)
        share = np.where(cold[rows], 0.5 / cold.sum(), 0.5 / max(1, warm.sum()))
        first = np.append(seen, 0.0)
        v = _fit(own, y[rows], share, fixed, first, ridge=RIDGE / cold.sum(), towards=first)
        bare, bonus = v[:-1], BONUS_SCALE * v[-1]
    return Fusion(dict(zip(names, seen.tolist(), strict=True)), dict(zip(names, bare.tolist(), strict=True)), float(bonus))


def likelihood(fused: Float32, wanted: Incidence) -> Float64:
    """(N,) mean log-probability of each intent's wanted tools under the softmax of fused scores (N, n_tools); NaN where it wants none."""
    p = log_softmax(fused).astype(np.float64)
    total = np.bincount(wanted.row_of_entry, p[wanted.row_of_entry, wanted.indices], wanted.n_rows)
    return np.asarray(np.where(wanted.degrees > 0, total / np.maximum(wanted.degrees, 1), np.nan))


def cross_fitted(held: HeldOut, rng: np.random.Generator) -> Float64:
    """`likelihood` of each intent under weights that were fitted on the other half of the intents."""
    values = np.full(held.wanted.n_rows, np.nan)
    for mine in np.array_split(rng.permutation(len(values)), 2):
        others = np.setdiff1d(np.arange(len(values)), mine)
        part = held.take(mine)
        values[mine] = likelihood(fit_fusion(held.take(others)).combine(part.scores, part.unseen), part.wanted)
    return values


def _shortlist(held: HeldOut) -> tuple[Float64, Float64, Bool]:
    """(features (C, N, m), y (N, m) rows summing to 1 or 0, unseen (N, m)); m <= SHORTLIST, all wanted tools are in."""
    n_rows, n = next(iter(held.scores.values())).shape
    width, starts = min(n, SHORTLIST), range(0, n_rows, _BLOCK)
    blocks = [_shortlisted(held.take(np.arange(start, min(start + _BLOCK, n_rows))), width) for start in starts]
    if not blocks:
        return np.zeros((len(held.scores), 0, width)), np.zeros((0, width)), np.zeros((0, width), bool)
    features, y, unseen = zip(*blocks, strict=True)
    return np.concatenate(features, axis=1), np.concatenate(y), np.concatenate(unseen)


def _shortlisted(held: HeldOut, width: int) -> tuple[Float64, Float64, Bool]:
    """`_shortlist` of a few rows: what is as wide as the catalogue is never held for all of them."""
    first = next(iter(held.scores.values()))
    wanted = held.wanted.row_of_entry, held.wanted.indices
    y = np.zeros(first.shape)
    y[wanted] = (1.0 / np.maximum(held.wanted.degrees, 1))[wanted[0]]
    if width == first.shape[1]:
        return np.stack([s.astype(np.float64) for s in held.scores.values()]), y, held.unseen
    ranking = np.zeros(first.shape, np.float32)
    for s in held.scores.values():
        ranking += log_softmax(s)
    ranking[wanted] += np.float32(1e9)
    top = np.argpartition(-ranking, width - 1, axis=1)[:, :width]
    pick = [np.take_along_axis(s, top, axis=1).astype(np.float64) for s in held.scores.values()]
    return np.stack(pick), np.take_along_axis(y, top, axis=1), np.take_along_axis(held.unseen, top, axis=1)


def _fit(
    features: Float64,
    y: Float64,
    share: Float64,
    fixed: Float64,
    start: Float64,
    ridge: float = 0.0,
    towards: Float64 | None = None,
) -> Float64:
    """Projected Newton on the weights (F,) of features (F, N, m); share (N,) weighs the intents, fixed (N, m) is added to z."""
    w = start.copy()
    target = np.zeros_like(w) if towards is None else towards
    value, gradient, curvature = _objective(features, y, share, fixed, w, ridge, target)
    for _ in range(ITERATIONS):
        free = ~((w <= 0.0) & (gradient > 0.0))
        if not free.any() or np.abs(gradient[free]).max() < 1e-7:
            break
        step = np.zeros_like(w)
        damped = curvature[np.ix_(free, free)] + 1e-9 * np.eye(free.sum())
        step[free] = -np.linalg.lstsq(damped, gradient[free], rcond=None)[0]
        length = 1.0
        while length > 1e-6:
            candidate = np.maximum(0.0, w + length * step)
            result = _objective(features, y, share, fixed, candidate, ridge, target)
            if result[0] < value:
                break
            length *= 0.5
        else:
            break
        moved = np.abs(candidate - w).max()
        w, (value, gradient, curvature) = candidate, result
        if moved < 1e-6:
            break
    return w


def _objective(
    features: Float64, y: Float64, share: Float64, fixed: Float64, w: Float64, ridge: float, target: Float64
) -> tuple[float, Float64, Float64]:
    """Value, gradient (F,) and Hessian (F, F)."""
    z = fixed + np.einsum("f,fbt->bt", w, features)
    z -= z.max(axis=1, keepdims=True)
    wanted = np.nonzero(y)
    weight = y[wanted] * share[wanted[0]]  # of each (intent, wanted tool) pair
    others = np.exp(z)
    others[wanted] = 0.0
    mass = np.maximum(others.sum(axis=1), 1e-300)
    rival = 1.0 / (
        1.0 + np.exp(np.clip(z[wanted] - np.log(mass[wanted[0]]), -700.0, 700.0))
    )  # probability that an unwanted one wins
    others /= mass[:, None]
    value = float(weight @ -np.log1p(-np.minimum(rival, 1.0 - 1e-16)))
    lost = np.bincount(wanted[0], weight * rival, len(z))
    flat = features.reshape(len(w), -1)
    weighted = flat * (others * lost[:, None]).ravel()
    own = features[:, wanted[0], wanted[1]]
    gradient = weighted.sum(axis=1) - own @ (weight * rival)
    mean = (1.0 - rival) * own + rival * np.einsum("fbt,bt->fb", features, others)[:, wanted[0]]
    curvature = weighted @ flat.T + (own * (weight * (1.0 - rival))) @ own.T - (mean * weight) @ mean.T
    off = w - target
    return value + 0.5 * ridge * float(off @ off), gradient + ridge * off, curvature + ridge * np.eye(len(w))
