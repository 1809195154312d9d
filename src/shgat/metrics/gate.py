"""The one gate: may a ranker serve in the place of others? Asked by training, by evaluation, and by whoever promotes a version.

A ranker passes if it is better than each rival over all intents, and worse on no part of them than those rivals that hold on every
part. "Better" and "worse" mean that the whole interval of the mean difference says so, by paired bootstrap over the same intents.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from .._types import Float64
from .resampling import paired_bootstrap

CONFIDENCE = 0.98  # weights and verdict may come from the same held-out intents, so 95 % would let too much chance through
ONE_STANDARD_ERROR = 0.68  # the confidence whose interval is about a standard error to either side: for choices that can be undone
RESAMPLES = 2000


@dataclass(frozen=True)
class Comparison:
    """One ranker against another on the same intents of one part.

    Attributes
    ----------
    against : the rival: "cosine", "popularity", "novelty" (cosine with a bonus for tools without training traces), or another model
    part : "all", "warm" or "cold"
    ours, theirs : mean of the criterion (Recall@5, NDCG@5 and COMP@5 averaged), fractions
    low, high : interval of the mean difference by paired bootstrap
    n : intents
    name : whose ranking, "shgat" or a variant of the model
    """

    against: str
    part: str
    ours: float
    theirs: float
    low: float
    high: float
    n: int
    name: str = "shgat"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Does it pass, and the figures that say so."""

    passed: bool
    reason: str


def compare(
    against: str,
    part: str,
    ours: Float64,
    theirs: Float64,
    rng: np.random.Generator,
    confidence: float = CONFIDENCE,
    name: str = "shgat",
) -> Comparison | None:
    """Two rankings by their criterion (N,) on the same intents; None where no intent has anything to find (NaN)."""
    known = ~np.isnan(ours)
    if not known.any():
        return None
    test = paired_bootstrap(ours[known], theirs[known], rng=rng, n_resamples=RESAMPLES, confidence=confidence)
    means = float(ours[known].mean()), float(theirs[known].mean())
    return Comparison(against, part, *means, test.ci_low, test.ci_high, int(known.sum()), name)


def decide(comparisons: Sequence[Comparison], on_every_part: Collection[str]) -> Verdict:
    """The verdict on all comparisons of one ranker.

    Parameters
    ----------
    on_every_part : rivals to which it must lose on no part; the others only have to be beaten over all intents
    """
    for c in comparisons:
        if c.part == "all" and not c.low > 0.0:
            return Verdict(False, f"not better than {c.against}: {_figures(c)}")
        if c.against in on_every_part and c.high < 0.0:
            return Verdict(False, f"worse than {c.against}: {_figures(c)}")
    whole = [c for c in comparisons if c.part == "all"]
    if not whole:
        return Verdict(False, "no held-out intent has a tool to find")
    return Verdict(True, f"better than {whole[0].against}: {_figures(whole[0])}")


def keep(comparison: Comparison) -> Verdict:
    """May a small update stay, which the next one can undo? Unless it is worse than what was before."""
    kept = comparison.high >= 0.0
    figures = f"{comparison.ours:.3f} against {comparison.theirs:.3f} on {comparison.n} held-out traces"
    return Verdict(kept, f"{'not worse' if kept else 'worse'} than {comparison.against}: {figures}")


def _figures(c: Comparison) -> str:
    return f"{c.ours:.3f} against {c.theirs:.3f} on {c.n} {c.part} intents (difference {c.low:+.3f} to {c.high:+.3f})"
