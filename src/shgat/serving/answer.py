"""What a ranker answers."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..model import Explanation

RANKED_BY = ("model", "words", "cosine", "lexical", "catalogue")


@dataclass(frozen=True)
class Answer:
    """Ids for an intent, best first, or in the order of their session where that is stable.

    Attributes
    ----------
    decision_id : what feedback refers to
    kind : "tools" or "capabilities"
    ids, scores : the items; scores lie in [0, 1], see `shgat.model.unit_scores`, and 0 is kept for what the catalogue does not know
    model_version : of what made the scores: "v7" (version 7 of the store), "untrained", or the name of the way that stood in without it
    ranked_by : "model", or what stood in for it: "words" (what the model has learned about them, for an intent without an embedding),
        "cosine", "lexical" (words of descriptions) or "catalogue" (its order)
    degraded : why the answer or its record is less than it should be; empty where all is well
    calibrated : is a score the probability that its tool is right? Otherwise it rises with the similarity, and says no more
    explanations : of each item where asked for; None for items, and for answers, that the model did not rank
    tools : of `rank_sets`: all tools that each capability needs, else None
    encoder : id of what made a vector of the intent's text, "" where it came with one or was ranked without
    propensities : with which each item was put where it stands; 1 where nothing is explored
    rules : with `explain`: (id, what a rule or an exclusion did with it)
    latency_ms : milliseconds that it took
    principal : who asked, "" where nobody said
    own_weight : how much of the say what the principal ran itself had, from 0 to below 1; see docs/serving.md
    """

    decision_id: str
    kind: str
    ids: tuple[str, ...]
    scores: tuple[float, ...]
    model_version: str
    ranked_by: str
    degraded: tuple[str, ...] = ()
    calibrated: bool = False
    explanations: tuple[Explanation | None, ...] | None = None
    tools: tuple[tuple[str, ...], ...] | None = None
    encoder: str = ""
    propensities: tuple[float, ...] = ()
    rules: tuple[tuple[str, str], ...] = ()
    latency_ms: float = 0.0
    principal: str = ""
    own_weight: float = 0.0

    @property
    def fallback(self) -> bool:
        """Did something else than the model rank?"""
        return self.ranked_by != "model"

    @property
    def probabilities(self) -> tuple[float, ...] | None:
        """The scores where they are calibrated probabilities, else None."""
        return self.scores if self.calibrated else None

    def __iter__(self) -> Iterator[tuple[str, float]]:
        return iter(zip(self.ids, self.scores, strict=True))

    def __len__(self) -> int:
        return len(self.ids)

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        items: list[dict[str, Any]] = [{"id": i, "score": s} for i, s in self]
        for item, tools in zip(items, self.tools or (), strict=False):
            item["tools"] = list(tools)
        for item, why in zip(items, self.explanations or (), strict=False):
            item["explanation"] = None if why is None else why.to_dict()
        for item, propensity in zip(items, self.propensities, strict=False):
            item["propensity"] = propensity
        return {
            "decision_id": self.decision_id,
            "kind": self.kind,
            "items": items,
            "model_version": self.model_version,
            "ranked_by": self.ranked_by,
            "encoder": self.encoder,
            "calibrated": self.calibrated,
            "degraded": list(self.degraded),
            "fallback": self.fallback,
            "rules": [{"id": i, "rule": rule} for i, rule in self.rules],
            "latency_ms": self.latency_ms,
            **({"principal": self.principal, "own_weight": self.own_weight} if self.principal else {}),
        }
