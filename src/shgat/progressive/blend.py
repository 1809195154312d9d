"""One ranking out of several: a conditional logit (McFadden, 1974) over their logarithms.

    P(file) = softmax( sum_f w_f log s_f(file) ), w >= 0

w maximises the mean log P of the files that were touched, over earlier commits. The weights are few and know nothing of a repository:
those of many repositories serve others, and are what one repository's own begin at and are held to.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._types import Float32, Float64, Int64
from ..errors import InputError

_STEPS, _RATE = 200, 0.03
_HELD = 20.0  # cases that the weights to begin at are worth


@dataclass(frozen=True)
class Case:
    """One question with its candidates.

    Attributes
    ----------
    features : (n_features, n) logarithms
    wanted : columns that were touched, at least one
    """

    features: Float32
    wanted: Int64


@dataclass(frozen=True)
class Blend:
    """Weights of rankings.

    Attributes
    ----------
    weights : name -> weight
    """

    weights: Mapping[str, float]

    @classmethod
    def fitted(
        cls, names: Sequence[str], cases: Sequence[Case], used: Sequence[str] | None = None, start: "Blend | None" = None
    ) -> "Blend":
        """The weights of some of the features, `used`, or all, that explain the cases best, by Adam.

        They begin at those of `start`, or equal ones, and are held to them as by twenty cases.

        Raises
        ------
        InputError
            for a case of another number of features.
        """
        chosen = [names.index(name) for name in (names if used is None else used)]
        if any(case.features.shape[0] != len(names) for case in cases):
            raise InputError(f"a case has other features than the {len(names)} that are named")
        centre = np.array([1.0 / len(chosen) if start is None else start.weights.get(names[k], 0.0) for k in chosen])
        w, held = centre.copy(), _HELD / max(len(cases), 1)
        first, second = np.zeros_like(w), np.zeros_like(w)
        parts = [(case.features[chosen].astype(np.float64), case.features[chosen][:, case.wanted].mean(axis=1)) for case in cases]
        for step in range(1, _STEPS + 1 if cases else 1):
            gradient = held * (w - centre)
            for features, wanted in parts:
                z = w @ features
                p = np.exp(z - z.max())
                gradient = gradient + (features @ (p / p.sum()) - wanted) / len(parts)
            first += 0.1 * (gradient - first)
            second += 0.01 * (gradient**2 - second)
            w -= _RATE * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.99**step)) + 1e-8)
            np.maximum(w, 0.0, out=w)
        return cls({names[k]: float(v) for k, v in zip(chosen, w, strict=True)})

    def logits(self, names: Sequence[str], features: Float32) -> Float64:
        """(n,) of features (n_features, n)."""
        return np.array([self.weights.get(name, 0.0) for name in names]) @ features.astype(np.float64)

    def record(self) -> dict[str, Any]:
        """As JSON values."""
        return {name: round(w, 6) for name, w in sorted(self.weights.items())}
