"""How good forecasts would have been: those of the last part of a history, with probabilities from what turned out before each."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .._types import Float64
from ..metrics.calibration import brier, expected_calibration_error
from .changeset import Changes
from .guesses import KINDS, Guess, guesses, probabilities, scaling

TESTED = 0.8  # part of the commits after which forecasts are looked at
_ANEW = 20  # rows after which probabilities are learned anew


@dataclass(frozen=True)
class Backtest:
    """Forecasts that turned out.

    Attributes
    ----------
    kind : label, touched or partner
    p : (m,) probability of the first candidate
    base : (m,) the share of hits among those that turned out before
    hit : (m,) 0 or 1
    due, resolved : how many should be known by now, and are
    """

    kind: str
    p: Float64
    base: Float64
    hit: Float64
    due: int
    resolved: int

    def figures(self) -> dict[str, float | int]:
        """As JSON values: the share of hits, Brier scores of the forecasts and of the base rate, and the calibration error."""
        return {
            "n": len(self.p),
            "accuracy": float(self.hit.mean()) if len(self.hit) else float("nan"),
            "brier": brier(self.p, self.hit),
            "brier_base": brier(self.base, self.hit),
            "ece": expected_calibration_error(self.p, self.hit),
            "due": self.due,
            "resolved": self.resolved,
        }


def backtests(changes: Changes, labels: Sequence[str]) -> dict[str, Backtest]:
    """Of each kind of forecast, over the last fifth of a history."""
    found = guesses(changes, labels)
    return {kind: _of_kind(kind, [g for g in found if g.kind == kind], len(changes.rows)) for kind in KINDS}


def joined(parts: Sequence[Backtest]) -> Backtest:
    """Those of several histories as one."""
    p, base, hit = (np.concatenate([getattr(b, name) for b in parts] or [np.zeros(0)]) for name in ("p", "base", "hit"))
    return Backtest(parts[0].kind if parts else "", p, base, hit, sum(b.due for b in parts), sum(b.resolved for b in parts))


def _of_kind(kind: str, found: list[Guess], end: int) -> Backtest:
    start = int(end * TESTED)
    p, base, hit, due = list[float](), list[float](), list[float](), 0
    for first in range(start, end, _ANEW):
        scale = scaling(found, found[0].kind, first) if found else None
        if scale is None:
            continue
        past = [bool(g.hit) for g in found if g.hit is not None and g.known < first]
        rate = (sum(past) + 1.0) / (len(past) + 2.0)
        for guess in found:
            if first <= guess.row < min(first + _ANEW, end) and guess.known < end:
                due += 1
                if guess.hit is not None:
                    p.append(probabilities(guess, scale)[0][1])
                    base.append(rate)
                    hit.append(float(guess.hit))
    return Backtest(kind, np.array(p), np.array(base), np.array(hit), due, len(p))
