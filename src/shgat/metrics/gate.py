"""The one gate: may a ranker serve in the place of others? Asked by training, by evaluation, and by whoever promotes a version.

A ranker passes if it is better than each rival over all intents, and worse on no part of them than those rivals that hold on every
part. "Better" and "worse" mean that the whole interval of the mean difference says so, by paired bootstrap over the same intents.

Where the criterion cannot tell two rankers apart, since both stand at its ceiling or a tool is only now learned to fail, the
log-likelihood of what worked decides: it still moves there. A rival that need only be beaten over all intents is no hurdle where it is
at the ceiling itself: nothing is left to be better at.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from .._types import Float64
from .resampling import paired_bootstrap

CONFIDENCE = 0.98  # weights and verdict may come from the same held-out intents, so 95 % would let too much chance through
ONE_STANDARD_ERROR = 0.68  # the confidence whose interval is about a standard error to either side: for choices that can be undone
RESAMPLES = 2000
CEILING = 0.98  # of the criterion
EARLIER = "earlier"  # the part of intents that were learned from before
Measure = Literal["criterion", "likelihood"]


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
    measure : "criterion", or "likelihood": the mean log-probability of the tools that worked, in nats
    """

    against: str
    part: str
    ours: float
    theirs: float
    low: float
    high: float
    n: int
    name: str = "shgat"
    measure: Measure = "criterion"


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
    measure: Measure = "criterion",
) -> Comparison | None:
    """Two rankings by their criterion (N,) on the same intents; None where no intent has anything to find (NaN)."""
    known = ~np.isnan(ours)
    if not known.any():
        return None
    test = paired_bootstrap(ours[known], theirs[known], rng=rng, n_resamples=RESAMPLES, confidence=confidence)
    means = float(ours[known].mean()), float(theirs[known].mean())
    return Comparison(against, part, *means, test.ci_low, test.ci_high, int(known.sum()), name, measure)


def decide(comparisons: Sequence[Comparison], on_every_part: Collection[str]) -> Verdict:
    """The verdict on all comparisons of one ranker.

    Parameters
    ----------
    on_every_part : rivals to which it must lose on no part; the others only have to be beaten over all intents
    """
    likelihood = {(c.against, c.part): c for c in comparisons if c.measure == "likelihood"}
    ranked = [c for c in comparisons if c.measure == "criterion"]
    for c in ranked:
        tie_break = likelihood.get((c.against, c.part))
        surer = tie_break is not None and tie_break.low > 0.0
        nothing_left = c.theirs >= CEILING and c.against not in on_every_part
        better = c.low > 0.0 or (c.high >= 0.0 and (surer or nothing_left))
        if c.part == "all" and not better:
            return Verdict(False, f"not better than {c.against}: {_figures(c)}")
        if c.against in on_every_part and c.high < 0.0:
            return Verdict(False, f"worse than {c.against}: {_figures(c)}")
    whole = [c for c in ranked if c.part == "all"]
    if not whole:
        return Verdict(False, "no held-out intent has a tool to find")
    first = whole[0] if whole[0].low > 0.0 else likelihood.get((whole[0].against, "all"), whole[0])
    return Verdict(True, f"better than {first.against}: {_figures(first)}")


def kept(comparisons: Sequence[Comparison], one_of_many: bool = True) -> Verdict:
    """May an update stay? Each comparison is with the model before, on one part and by one measure.

    It may be worse by neither measure on any part, as far as the interval tells.

    Parameters
    ----------
    one_of_many : of small updates, that would add up where each is worse by less than anybody can tell: on earlier traces one of the two
        measures must not have fallen at all
    """
    for c in comparisons:
        if c.high < 0.0:
            return Verdict(False, f"worse than {c.against} on {c.part}: {_figures(c)}")
    fallen = [c for c in comparisons if c.part == EARLIER and c.ours < c.theirs]
    level = [c for c in comparisons if c.part == EARLIER and c.measure == "likelihood" and c.ours >= c.theirs]
    risen = [c for c in comparisons if c.part == EARLIER and c.measure == "criterion" and c.ours > c.theirs]
    if one_of_many and fallen and not level and not risen:
        return Verdict(False, f"worse than {fallen[0].against} on {EARLIER}: {_figures(fallen[0])}")
    shown = next((c for c in comparisons if c.measure == "criterion"), None)
    if shown is None:
        return Verdict(True, "too few earlier and held-out traces to compare")
    return Verdict(True, f"not worse than {shown.against} on {shown.part}: {_figures(shown)}")


def _figures(c: Comparison) -> str:
    what = "log-likelihood " if c.measure == "likelihood" else ""
    return f"{what}{c.ours:.3f} against {c.theirs:.3f} on {c.n} {c.part} intents (difference {c.low:+.3f} to {c.high:+.3f})"
