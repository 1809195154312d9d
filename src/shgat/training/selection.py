"""What held-out traces decide: which variant of the model is trained on all traces, and whether the result may serve."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from .._types import Float32, Float64
from ..metrics.gate import ONE_STANDARD_ERROR, Comparison, Verdict, compare, decide
from ..metrics.ranking import criterion, per_query
from ..model.channels import Fusion
from .fusion import HeldOut, cross_fitted, fit_fusion, likelihood
from .validation import by_part

RIVALS = ("cosine", "popularity", "novelty")


@dataclass(frozen=True)
class Variant:
    """A way to train the model.

    Attributes
    ----------
    message_passing : are the gates opened and trained? With closed gates a node is what its embedding says, and nothing else is slower
    node_offsets : do tools and capabilities learn vectors of their own?
    words : are words seen beside the embeddings?
    """

    message_passing: bool
    node_offsets: bool
    words: bool = False

    def __str__(self) -> str:
        named = {"words": self.words, "message passing": self.message_passing, "offsets": self.node_offsets}
        parts = [name for name, chosen in named.items() if chosen]
        return " and ".join(parts) or "plain"


@dataclass(frozen=True, eq=False)
class Candidate:
    """A variant, its held-out scores, the channel weights that suit it, and the criterion (N,) of each held-out intent under them.

    Whole tools are held out to make cold intents; in the criterion they count as often as they may be expected to come.
    """

    variant: Variant
    held: HeldOut
    fusion: Fusion
    criterion: Float64

    @classmethod
    def of(cls, variant: Variant, held: HeldOut, channels: Sequence[str], cold_share: float) -> "Candidate":
        """With weights for these channels only; cold_share: of the intents that are to come."""
        fusion = fit_fusion(held.restricted(channels))
        values = criterion(per_query(fusion.combine(held.scores, held.unseen), held.wanted))
        cold, known = held.cold, ~np.isnan(values)
        here = float(cold[known].mean()) if known.any() else 0.0
        if 0.0 < here < 1.0:
            values *= np.where(cold, cold_share / here, (1.0 - cold_share) / (1.0 - here))
        return cls(variant, held, fusion, values)


def choose(
    validate: Callable[[Variant], Candidate], first: Variant, free: Sequence[str], rng: np.random.Generator
) -> tuple[Candidate, list[Comparison]]:
    """The plainest variant, unless one with more is better by about a standard error, with words by half of one: the choice, and the trials.

    Words cost a request next to nothing, and are worth something on the held-out traces of most public sets. Where they are chosen, message
    passing is not tried: it is twice as dear to train, and never better by more than noise.

    Parameters
    ----------
    validate : trains a variant on every fold
    first : with everything off that may be chosen
    free : fields of `Variant` that may be switched on, one after the other
    """
    chosen, tried = validate(first), []
    for name in free:
        if name == "message_passing" and chosen.variant.words:
            continue
        other = validate(replace(chosen.variant, **{name: True}))
        test = compare(str(chosen.variant), "all", other.criterion, chosen.criterion, rng, ONE_STANDARD_ERROR, str(other.variant))
        if test is None:
            break
        tried.append(test)
        if test.low + (test.ours - test.theirs if name == "words" else 0.0) > 0.0:
            chosen = other
    return chosen, tried


def against_baselines(
    chosen: Candidate, popularity: Float32, rng: np.random.Generator
) -> tuple[list[Comparison], dict[str, dict[str, dict[str, float]]]]:
    """The fused ranking against frozen cosine, popularity and novelty, on warm and cold held-out intents; and metrics by part.

    Novelty is cosine with a bonus for unseen tools, chosen on the held-out part itself: where whole tools are held out, being unseen
    tells much of the answer, so that even a model trained on shuffled labels would beat cosine by its bonus alone.
    """
    held = chosen.held
    cosine = HeldOut({"cosine": held.scores["cosine"]}, held.unseen, held.wanted)
    novelty = fit_fusion(cosine).combine(cosine.scores, held.unseen)
    cold = held.cold
    metrics = {
        "shgat": per_query(chosen.fusion.combine(held.scores, held.unseen), held.wanted),
        "cosine": per_query(held.scores["cosine"], held.wanted),
        "popularity": per_query(popularity, held.wanted),
        "novelty": per_query(novelty, held.wanted),
    }
    comparisons = []
    for against in RIVALS if cold.any() else RIVALS[:2]:
        for part, rows in (("all", np.ones(len(cold), bool)), ("warm", ~cold), ("cold", cold)):
            test = compare(against, part, criterion(metrics["shgat"])[rows], criterion(metrics[against])[rows], rng)
            comparisons += [] if test is None else [test]
    comparisons += _likelihoods(
        chosen, {"cosine": held.scores["cosine"], "popularity": np.log1p(popularity), "novelty": novelty}, rng
    )
    return comparisons, {name: by_part(values, cold) for name, values in metrics.items() if name in ("shgat", "cosine")}


def _likelihoods(chosen: Candidate, rivals: dict[str, Float32], rng: np.random.Generator) -> list[Comparison]:
    """The tie-break over all intents: log-likelihoods, ours with weights from other intents, the rivals' at the temperature best for them."""
    held = chosen.held.restricted(chosen.fusion.names) if chosen.fusion.names else chosen.held
    ours, comparisons = cross_fitted(held, rng), list[Comparison]()
    for against, scores in rivals.items():
        alone = HeldOut({"cosine": scores}, np.zeros_like(held.unseen), held.wanted)
        theirs = likelihood(fit_fusion(alone).combine(alone.scores, alone.unseen), held.wanted)
        test = compare(against, "all", ours, theirs, rng, measure="likelihood")
        comparisons += [] if test is None else [test]
    return comparisons


@dataclass(frozen=True, eq=False)
class Selection:
    """All that held-out traces decided.

    Attributes
    ----------
    chosen : the variant, with its channel weights
    trials : each variant that was tried against the best before it
    comparisons : of the chosen one with the baselines
    validation : metrics of the chosen one and of cosine, by part
    min_scores : share of the held-out intents that would be left without a tool -> the `min_score` that leaves them so
    """

    chosen: Candidate
    trials: list[Comparison]
    comparisons: list[Comparison]
    validation: dict[str, dict[str, dict[str, float]]]
    min_scores: dict[str, float] = field(default_factory=dict)

    @property
    def verdict(self) -> Verdict:
        """It has to beat every baseline, and to lose to cosine on no part."""
        return decide(self.comparisons, on_every_part=("cosine",))
