"""Which candidates an intent is told apart from."""

from dataclasses import dataclass

import numpy as np

from .._types import Bool, Float32, Int64
from ..graph import Incidence

EASY, MEDIUM = 0.35, 0.55  # accuracies at which the curriculum moves on


@dataclass(frozen=True, eq=False)
class Negatives:
    """Draws n negatives for each row.

    Attributes
    ----------
    policy : "random": any; "semi-hard": scores from the 25th to the 75th percentile of the row's negatives; "curriculum": random while
        accuracy < 0.35, semi-hard while < 0.55, then the hardest quarter
    n : negatives a row
    accuracy : share of recent intents whose best candidate was right
    """

    policy: str
    n: int
    accuracy: float = 0.0

    def ruled_out(self, z: Float32, positives: Incidence, rng: np.random.Generator, excluded: Bool | None = None) -> Bool:
        """(B, n) True where a candidate is neither positive nor among the drawn negatives.

        What is `excluded` (B, n) is never drawn and has no part in the percentiles.
        """
        wanted = np.zeros(z.shape, bool)
        wanted[positives.row_of_entry, positives.indices] = True
        draw = rng.random(z.shape, dtype=np.float32)
        if excluded is not None:
            draw[excluded] = 2.0
        draw[wanted] = -1.0
        low, high = self._band()
        if (low, high) != (0.0, 1.0):
            inside = draw < 2.0
            inside &= ~wanted
            bounds = _percentiles(z, inside, (low, high))
            draw[inside & ((z < bounds[0][:, None]) | (z > bounds[1][:, None]))] = 2.0
        k = min(self.n + int(positives.degrees.max(initial=0)), z.shape[1])
        nearest = np.argpartition(draw, k - 1, axis=1)[:, :k] if k else np.zeros((len(z), 0), np.int64)
        order = np.take_along_axis(draw, nearest, axis=1)
        rank = np.argsort(order, axis=1, kind="stable")
        keep = np.zeros(z.shape, bool)
        allowed = np.arange(k)[None, :] < (self.n + positives.degrees)[:, None]
        chosen = np.take_along_axis(nearest, rank, axis=1)
        fine = allowed & (np.take_along_axis(order, rank, axis=1) <= 1.0)
        np.put_along_axis(keep, chosen, fine, axis=1)
        return ~(keep | wanted)

    def _band(self) -> tuple[float, float]:
        if self.policy == "semi-hard" or (self.policy == "curriculum" and EASY <= self.accuracy < MEDIUM):
            return 0.25, 0.75
        if self.policy == "curriculum" and self.accuracy >= MEDIUM:
            return 0.75, 1.0
        return 0.0, 1.0


def _percentiles(z: Float32, inside: Bool, shares: tuple[float, ...]) -> list[Float32]:
    """For each share the value (B,) below which that share of a row's inside entries lies; +inf in a row without any."""
    ordered = np.sort(np.where(inside, z, np.float32(np.inf)), axis=1)
    last = np.maximum(inside.sum(axis=1) - 1, 0)
    return [ordered[np.arange(len(z)), np.rint(share * last).astype(np.int64)] for share in shares]


def pool(positives: Incidence, n_columns: int, size: int, rng: np.random.Generator) -> Int64:
    """Sorted columns that a step sees of a large catalogue: everything that is positive in the batch, and random others."""
    inside = np.unique(positives.indices).astype(np.int64)
    drawn = rng.integers(0, n_columns, max(0, size - len(inside)), dtype=np.int64)
    return np.union1d(inside, drawn)
