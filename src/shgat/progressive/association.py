"""Do two things come together more often than they would by themselves? Counts and what follows from them.

Of `total` cases, `n` have both, `n_a` and `n_b` each:

    lift = n total / (n_a n_b)         NPMI = ln lift / -ln(n / total)        (Bouma, 2009)
    G2   = 2 sum over the four cells of O ln(O / E)                           (Dunning, 1993), chi-square with one degree of freedom
    q    = the false discovery rate at which it would be kept                 (Benjamini and Hochberg, 1995)
"""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .._types import Float64, Int64


@dataclass(frozen=True, slots=True)
class Association:
    """What is known of one pair.

    Attributes
    ----------
    kind : temporal, spatial, semantic or lead-lag
    a, b : what comes together; of temporal and lead-lag, a comes first
    n, na, nb, total : cases with both, with each, and all
    lift, npmi, g2, q : see above; q of lead-lag from permutations
    """

    kind: str
    a: str
    b: str
    n: int
    na: int
    nb: int
    total: int
    lift: float
    npmi: float
    g2: float
    q: float

    def record(self) -> dict[str, Any]:
        """For the ledger, whose records have no fractions: those are text of six digits."""
        values = asdict(self)
        return {k: f"{v:.6g}" if isinstance(v, float) else v for k, v in values.items()}


def measures(n: Int64, n_a: Int64, n_b: Int64, total: int) -> tuple[Float64, Float64, Float64]:
    """(lift, NPMI, G2) of pairs, each (m,), from counts (m,); where nothing is expected lift is 0, where n is 0 NPMI is -1."""
    both, a, b = n.astype(np.float64), n_a.astype(np.float64), n_b.astype(np.float64)
    size = float(max(total, 1))
    expected = a * b / size
    lift = np.divide(both, expected, out=np.zeros_like(both), where=expected > 0)
    share = both / size
    with np.errstate(divide="ignore", invalid="ignore"):
        npmi = np.where(both > 0, np.log(np.maximum(lift, 1e-300)) / -np.log(share), -1.0)
    npmi = np.where(both >= size, 1.0, npmi)
    g2 = np.zeros_like(both)
    for seen, margin in ((both, a * b), (a - both, a * (size - b)), (b - both, (size - a) * b)):
        g2 += _term(seen, margin / size)
    g2 += _term(size - a - b + both, (size - a) * (size - b) / size)
    return lift, npmi, np.maximum(2.0 * g2, 0.0)


def p_values(g2: Float64) -> Float64:
    """(m,) tail of chi-square with one degree of freedom beyond G2: erfc(sqrt(G2 / 2))."""
    return np.array([math.erfc(math.sqrt(0.5 * v)) for v in g2.tolist()], np.float64)


def benjamini_hochberg(p: npt.ArrayLike, n_tests: int | None = None) -> Float64:
    """(m,) q-values of p-values.

    Parameters
    ----------
    n_tests : tests in all, where those of which nothing was seen are not listed (their p is 1); None: len(p)
    """
    values = np.asarray(p, np.float64)
    size = len(values) if n_tests is None else max(n_tests, len(values))
    order = np.argsort(values, kind="stable")
    scaled = values[order] * size / np.arange(1, len(values) + 1)
    q = np.empty_like(values)
    q[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return q


def _term(seen: Float64, expected: Float64) -> Float64:
    """O ln(O / E), 0 where nothing is seen."""
    good = (seen > 0) & (expected > 0)
    ratio = np.divide(seen, expected, out=np.ones_like(seen), where=good)
    return np.where(good, seen * np.log(ratio), 0.0)
