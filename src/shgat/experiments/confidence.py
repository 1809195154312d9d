"""Can scores be trusted? How far probabilities are from what comes true, and whether a low best score tells that no tool fits.

Calibration is that of the first ten tools of each intent: whether each was needed, beside the probability that it had. Beside the error
stands what chance alone gives: the same error where every tool is right with exactly the probability that it has. It shrinks as intents
become more.

Abstention asks with intents of another catalogue, that no tool here is meant for. The area under the ROC curve is the chance that an
intent of this catalogue has a higher best score than one of another (Hanley and McNeil, 1982), half of it for equal ones.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._types import Bool, Float32, Float64
from ..errors import InputError
from ..graph.incidence import Incidence
from ..metrics.calibration import expected_calibration_error
from ..model import unit_scores
from ..shgat import SHGAT

TOP = 10  # ranked tools of each intent whose probabilities are looked at
STRANGERS = 500  # intents of another catalogue that are asked with
_DRAWS = 20  # of outcomes, for what chance gives


@dataclass(frozen=True, eq=False)
class Intents:
    """Intents of another catalogue. x : (B, d) float32; texts : B of them."""

    x: Float32
    texts: Sequence[str]


def first_tools(probability: NDArray[np.floating], wanted: Incidence, k: int = TOP) -> tuple[Float64, Bool]:
    """(B, k) probabilities of the k most probable tools of each intent, and whether each is wanted, from those of all (B, n_tools)."""
    right = np.zeros(probability.shape, bool)
    right[wanted.row_of_entry, wanted.indices] = True
    top = np.argsort(-probability, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(probability, top, axis=1).astype(np.float64), np.take_along_axis(right, top, axis=1)


def calibration(probability: Float32, wanted: Incidence, cold: Bool, rng: np.random.Generator) -> dict[str, dict[str, float]]:
    """Part ("all", "warm", "cold") -> its intents `n`, its calibration error `ece`, and `chance`; a part without intents is left out.

    Parameters
    ----------
    probability : (B, n_tools)
    wanted : (B rows) -> tools; an intent that wants none does not count
    cold : (B,) does the intent need a tool without training traces?
    """
    p, right = first_tools(probability, wanted)
    some = wanted.degrees > 0
    found = {}
    for part, rows in (("all", some), ("warm", some & ~cold), ("cold", some & cold)):
        if rows.any():
            mine, outcome = p[rows].ravel(), right[rows].ravel()
            chance = np.mean([expected_calibration_error(mine, rng.random(mine.size) < mine) for _ in range(_DRAWS)])
            ece = expected_calibration_error(mine, outcome)
            found[part] = {"n": float(rows.sum()), "ece": ece, "chance": float(chance)}
    return found


def area_under_roc(inside: NDArray[np.floating], outside: NDArray[np.floating]) -> float:
    """P(inside > outside) + 1/2 P(inside = outside), from (m,) and (n,) scores; NaN where either is empty."""
    if not len(inside) or not len(outside):
        return float("nan")
    order = np.sort(outside)
    below, not_above = np.searchsorted(order, inside, "left"), np.searchsorted(order, inside, "right")
    return float(np.mean(below + not_above) / (2.0 * len(outside)))


def best_scores(model: SHGAT, intents: Intents) -> Float64:
    """(B,) score of the first tool of each intent, in [0, 1] as a `Ranker` answers with; see `shgat.model.unit_scores`."""
    index, rankings = model.index(), model.rank_many(intents.x, 1, texts=intents.texts)
    return np.array([unit_scores.of_ranking(index, ranking)[0][0] for ranking in rankings], np.float64)


def abstention(model: SHGAT, own: Intents, outside: Mapping[str, Intents]) -> dict[str, float]:
    """Name of another catalogue -> area under the ROC curve of the best score, own intents against those."""
    if not outside:
        return {}
    inside = best_scores(model, own)
    for name, strangers in outside.items():
        if strangers.x.shape[1] != own.x.shape[1]:
            raise InputError(f"intents of {name} have {strangers.x.shape[1]} dimensions, expected {own.x.shape[1]}")
    return {name: area_under_roc(inside, best_scores(model, strangers)) for name, strangers in outside.items()}


def summary(areas: Mapping[str, float]) -> dict[str, Any]:
    """Mean and worst area, and the catalogue that it is worst for; empty without any."""
    if not areas:
        return {}
    worst = min(areas, key=lambda name: areas[name])
    return {"mean": float(np.mean(list(areas.values()))), "worst": areas[worst], "worst_for": worst}
