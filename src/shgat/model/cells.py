"""Cells: remembered intents in groups of near ones, so that a request compares itself with the groups and the nearest of them alone.

An inverted file (Jegou, Douze and Schmid, 2011) without compression: centres by two rounds of k-means on the sphere, about 2 sqrt(N) of them.
"""

from dataclasses import dataclass

import numpy as np

from .._kernels import readout
from .._types import Float32, Int32, Int64
from .readout import product, unit_rows

ROUNDS = 2
SAMPLE = 20_000  # rows that centres are made of
BLOCK = 8192  # rows that are assigned at a time
LOOKED_AT, SHARE = 2048, 1 / 24  # rows that a request looks at: so many at least, and this share


@dataclass(frozen=True, eq=False)
class Cells:
    """Groups of the rows of a matrix.

    Attributes
    ----------
    rows : (N, d) unit rows, or zero
    centres : (C, d)
    order : (N,) rows, cell by cell
    start : (C + 1,) where each cell begins in `order`
    """

    rows: Float32
    centres: Float32
    order: Int32
    start: Int64

    @classmethod
    def of(cls, rows: Float32) -> "Cells":
        """Of unit rows (N, d); the same ones give the same cells."""
        n, rng = len(rows), np.random.default_rng(0)
        sample = rows if n <= SAMPLE else rows[np.sort(rng.choice(n, SAMPLE, replace=False))]
        centres = sample[np.sort(rng.choice(len(sample), min(len(sample), max(1, int(2.0 * np.sqrt(n)))), replace=False))]
        for _ in range(ROUNDS):
            near, moved = _assigned(sample, centres), np.zeros_like(centres)
            np.add.at(moved, near, sample)
            centres = np.where(np.bincount(near, minlength=len(centres))[:, None] > 0, unit_rows(moved), centres)
        near = _assigned(rows, centres)
        counts = np.bincount(near, minlength=len(centres))
        return cls(rows, centres, np.argsort(near, kind="stable").astype(np.int32), np.append(0, np.cumsum(counts)))

    def cosines(self, unit: Float32, elsewhere: np.float32) -> Float32:
        """(N,) cosines of a unit intent (d,) to the rows of the nearest cells, and `elsewhere` for all others."""
        found = np.full(len(self.rows), elsewhere, np.float32)
        nearest = np.argsort(-product(unit[None], self.centres)[0])
        sizes = np.cumsum(self.start[nearest + 1] - self.start[nearest])
        enough = int(np.searchsorted(sizes, max(LOOKED_AT, len(self.rows) * SHARE))) + 1
        rows = np.concatenate([self.order[self.start[c] : self.start[c + 1]] for c in nearest[:enough].tolist()])
        z = np.empty(len(rows), np.float32)
        readout.score_rows(unit, self.rows, rows, 1.0, z)
        found[rows] = z
        return found


def _assigned(rows: Float32, centres: Float32) -> Int64:
    """(n,) the nearest centre of each row."""
    blocks = [product(rows[at : at + BLOCK], centres).argmax(axis=1) for at in range(0, len(rows), BLOCK)]
    return np.concatenate(blocks) if blocks else np.zeros(0, np.int64)
