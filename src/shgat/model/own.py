"""What one principal's own executions say, on top of what all share: a posterior mean, with the shared ranking as its prior.

    like_i(x) = sigmoid(20 (cos(x, x_i) - 0.6))           how much an intent is like that of the principal's i-th execution
    m(x)      = sum of like_i over those that worked      v(t | x): their share that ran t, nearest first, by exp(20 (cos - best)) like_i
    n+_t, n-_t: sums of like_i over those that ran t and worked, or failed

    P'(t) = (1 - w) (1 - w_t) P(t) + w v(t | x),    w = cap m / (m + k),    w_t = cap n-_t / (n-_t + n+_t + k)

P is the softmax of the shared scores. With cap = 1 and no failures P' is the mean of a Dirichlet distribution after m observations, whose
prior counts as k of them (empirical Bayes: held-out executions choose k, see `shgat.learning.trial`). Whatever a principal ran,
(1 - cap)^2 P(t) <= P'(t) <= P(t) + cap.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from .._types import Bool, Float32, Float64, Int32, Int64
from ..graph import Incidence
from .channels import log_softmax
from .memory import SHARPNESS

ALIKE = 20.0, 0.6  # steepness, and the cosine at which an execution counts half
LEAST = 1e-3  # executions like this one, below which there are none


class Trust(NamedTuple):
    """How far own executions are trusted: what is shared counts as `prior` of them, and they have at most `cap` of the say."""

    prior: float
    cap: float


TRUSTS = Trust(16.0, 0.3), Trust(4.0, 0.6), Trust(1.0, 0.9)  # from the most careful one


@dataclass(frozen=True, eq=False)
class Own:
    """The executions of one principal over the tools of one catalogue.

    Attributes
    ----------
    vectors : (n, d) float32 unit intents
    tools : (n rows) -> tool columns
    worked : (n,) did it work rather than fail?
    trust : in them
    """

    vectors: Float32
    tools: Incidence
    worked: Bool
    trust: Trust = TRUSTS[0]

    def mixed(self, z: Float32, x: Float32, before: Sequence[int] | None = None) -> Float32:
        """log P' (B, n_tools) of shared scores z (B, n_tools) of intents x (B, d).

        Parameters
        ----------
        before : for each intent how many executions, from the first one, speak; None: all do
        """
        out, cosine = log_softmax(z), self._cosines(x)
        for i, (row, cosines) in enumerate(zip(out, cosine, strict=True)):
            n = len(self.vectors) if before is None else before[i]
            if n:
                self._mix(row, cosines, n)
        return out

    def weight(self, x: Float32) -> float:
        """w for an intent x (d,)."""
        like = _alike(self._cosines(x[None])[0])
        m = float(like @ self._good)
        return self.trust.cap * m / (m + self.trust.prior)

    def _cosines(self, x: Float32) -> Float32:
        """(B, n); those of a single intent are kept until the next, since its weight is asked for too."""
        kept: tuple[bytes, Float32] | None = self.__dict__.get("_last")
        if len(x) == 1 and kept is not None and kept[0] == x.tobytes():
            return kept[1]
        unit = x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)
        found = np.asarray(unit @ self.vectors.T, np.float32)
        if len(x) == 1:
            self.__dict__["_last"] = x.tobytes(), found
        return found

    def _mix(self, row: Float32, cosines: Float32, n: int) -> None:
        """In place: log P of the tools of one intent becomes log P'."""
        like, (prior, cap) = _alike(cosines), self.trust
        if n < len(like):
            like[n:] = 0.0
        good = like * self._good if self._any_failed else like
        (rows, places), columns = self._entries, self.columns
        if self._any_failed:
            ran = np.bincount(places, like[rows], len(columns))
            worked = np.bincount(places, good[rows], len(columns))
            row[columns] += np.log1p(-cap * (ran - worked) / (ran + prior))
        m = float(good.sum())
        if m < LEAST:
            return
        weight = cap * m / (m + prior)
        heard = np.exp(SHARPNESS * cosines) * good  # cosines are 1 at most: nothing overflows, and what is 0 has no say
        votes = np.bincount(places, heard[rows], len(columns))
        row += math.log1p(-weight)
        row[columns] = np.log(np.exp(row[columns].astype(np.float64)) + votes * (weight / float(votes.sum())))

    @cached_property
    def columns(self) -> Int64:
        """Of the tools that were run."""
        return np.unique(self.tools.indices).astype(np.int64)

    @cached_property
    def stranger(self) -> int:
        """The first column of a tool that was never run: to all of them mixing does the same."""
        return int(np.argmax(np.append(self.columns, -1) != np.arange(len(self.columns) + 1)))

    @cached_property
    def _entries(self) -> tuple[Int32, Int64]:
        """Of each tool that an execution ran: the execution, and the tool's place in `columns`."""
        return self.tools.row_of_entry, np.searchsorted(self.columns, self.tools.indices)

    @cached_property
    def _good(self) -> Float32:
        return self.worked.astype(np.float32)

    @cached_property
    def _any_failed(self) -> bool:
        return not bool(self.worked.all())


def _alike(cosines: Float32) -> Float64:
    found: Float64 = 1.0 / (1.0 + np.exp(-ALIKE[0] * (cosines.astype(np.float64) - ALIKE[1])))
    return found
