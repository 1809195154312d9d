"""Prioritised experience replay over traces (Schaul et al., ICLR 2016), proportional variant."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from .. import _check
from .._kernels import replay
from .._types import Float32, Float64, Int64
from ..errors import InputError


class PrioritizedReplay:
    """Trace ids with priorities p_i = (|td_i| + eps)^alpha, sampled with probability p_i / sum p.

    Priorities are keyed by trace id. When `capacity` is reached, the oldest id makes room. A new id gets the highest priority there is,
    so that it is seen soon.

    Parameters
    ----------
    alpha : how much priorities count, 0 for uniform
    eps : keeps a trace without error in play
    """

    def __init__(self, capacity: int = 100_000, alpha: float = 0.6, eps: float = 0.01) -> None:
        self.capacity = _check.positive_integer(capacity, "capacity")
        self.alpha = _check.number(alpha, 0.0, 1.0, "alpha")
        self.eps = _check.number(eps, 1e-12, 1.0, "eps")
        leaves = 1 << (self.capacity - 1).bit_length()
        self.tree = np.zeros(2 * leaves)
        self._leaves = leaves
        self._ids: list[str] = []
        self._slot: dict[str, int] = {}
        self._next = 0

    def __len__(self) -> int:
        return len(self._ids)

    @property
    def ids(self) -> list[str]:
        """The id in each slot."""
        return list(self._ids)

    @property
    def priorities(self) -> Float64:
        """(len(self),) priority of each slot."""
        return self.tree[self._leaves : self._leaves + len(self._ids)].copy()

    def add(self, ids: Sequence[str], td: npt.ArrayLike | None = None) -> None:
        """Adds new ids; with `td` (n,) errors where they are known."""
        highest = float(self.tree[self._leaves : self._leaves + len(self._ids)].max(initial=0.0)) or 1.0
        values = np.full(len(ids), highest) if td is None else self._priority(td, len(ids))
        slots = np.empty(len(ids), np.int64)
        for i, key in enumerate(ids):
            if key in self._slot:
                raise InputError(f"trace {key!r} is in the replay already")
            slots[i] = self._place(key)
        # The last value given to a slot holds: with more ids than capacity the first ones have already made room.
        replay.update(self.tree, slots, np.ascontiguousarray(values))

    def _place(self, key: str) -> int:
        slot = self._next
        self._next = (slot + 1) % self.capacity
        if slot < len(self._ids):
            del self._slot[self._ids[slot]]
            self._ids[slot] = key
        else:
            self._ids.append(key)
        self._slot[key] = slot
        return slot

    def sample(self, n: int, beta: float, rng: np.random.Generator) -> tuple[Int64, Float32]:
        """n slots, stratified, and their importance weights (N P(i))^-beta, divided by the largest of them.

        Returns
        -------
        slots : (n,) int64
        weights : (n,) float32 in (0, 1]
        """
        if not self._ids:
            raise InputError("the replay is empty")
        total = self.tree[1]
        slots = np.empty(n, np.int64)
        replay.find(self.tree, (np.arange(n) + rng.random(n)) * (total / n), slots)
        weights = (len(self._ids) * self.tree[self._leaves + slots] / total) ** -beta
        return slots, (weights / weights.max()).astype(np.float32)

    def update(self, slots: Int64, td: npt.ArrayLike) -> None:
        """New errors (n,) for the traces in `slots`, for a slot given twice the last one."""
        replay.update(self.tree, np.asarray(slots, np.int64), self._priority(td, len(slots)))

    def _priority(self, td: npt.ArrayLike, n: int) -> Float64:
        errors = np.abs(np.asarray(td, np.float64))
        if errors.shape != (n,) or not np.isfinite(errors).all():
            raise InputError(f"td is ({n},) finite numbers, not {errors.shape}")
        return np.asarray((errors + self.eps) ** self.alpha)
