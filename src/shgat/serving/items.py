"""The best items of one way to rank, and what a request makes of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .._types import Float32
from ..model import Explanation
from .filters import NOTHING, Eligible

CATALOGUE = "catalogue"  # the way that only knows the order of the catalogue


@dataclass(frozen=True)
class Items:
    """The best of one way to rank.

    Attributes
    ----------
    ids : best first
    scores : of each, as `shgat.model.unit_scores` has them
    calibrated : are the scores probabilities?
    explanations : of each, None where nobody asked or could tell
    """

    ids: tuple[str, ...]
    scores: tuple[float, ...]
    calibrated: bool = False
    explanations: tuple[Explanation | None, ...] | None = None

    def each(self) -> Iterator[tuple[str, tuple[float, Explanation | None]]]:
        """Id -> score and explanation."""
        return zip(self.ids, zip(self.scores, self.explanations or (None,) * len(self.ids), strict=True), strict=True)

    def at(self, places: Sequence[int], scores: tuple[float, ...] | None = None) -> "Items":
        """Those at some places, in that order; `scores` in place of theirs."""
        why = self.explanations
        return Items(
            tuple(self.ids[at] for at in places),
            tuple(self.scores[at] for at in places) if scores is None else scores,
            self.calibrated,
            None if why is None else tuple(why[at] for at in places),
        )

    def probable(self, least: float) -> "Items":
        """Those with a score of at least `least`."""
        n = sum(s >= least for s in self.scores)
        why = self.explanations
        return Items(self.ids[:n], self.scores[:n], self.calibrated, None if why is None else why[:n])

    def followed_by(self, ids: Sequence[str], said: Sequence[tuple[float, Explanation | None]] = ()) -> "Items":
        """These, then some more: with scores and explanations, or without where nothing is known of them."""
        said = said or [(0.0, None)] * len(ids)
        scores, why = (*self.scores, *(s for s, _ in said)), self.explanations
        return Items((*self.ids, *ids), scores, self.calibrated, None if why is None else (*why, *(e for _, e in said)))


@dataclass(frozen=True, eq=False)
class Found:
    """The items, who ranked them, and why it was not the model.

    Attributes
    ----------
    intent : (d,) float32, None where the request's cannot be used
    encoder : id of what made the intent of its text, "" where it came as a vector
    eligible : what the request may have
    rules : (id, what a rule did with it)
    encoding : seconds from its text to the vector
    """

    items: Items
    version: str
    by: str
    why: tuple[str, ...]
    intent: Float32 | None
    encoder: str = ""
    eligible: Eligible = NOTHING
    rules: tuple[tuple[str, str], ...] = ()
    encoding: float = 0.0


def above(items: Items, strangers: tuple[str, ...], least: float, by: str, why: list[str]) -> tuple[Items, tuple[str, ...]]:
    """What has a score of at least `least`; where nothing could be scored, all of it: the agent needs its tools."""
    if by == CATALOGUE:
        why.append("min_score: nothing could be scored, so nothing is left out")
        return items, strangers
    if not items.calibrated:
        why.append(f"min_score: the scores are no calibrated probabilities, they are those of {by}")
    return items.probable(least), strangers if least <= 0.0 else ()
