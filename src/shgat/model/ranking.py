"""What a ranking hands back."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from .._types import Float32
from .candidates import Kind


@dataclass(frozen=True)
class Explanation:
    """Why an item stands where it stands.

    Attributes
    ----------
    cosine : cosine of the intent and the item's own embedding
    head_scores : (H,) sigmoid of each head's logit
    carried_by : for a tool: (capability id, weight) of those that carried it, heaviest first; weight is the share of the
        tool's incoming message times the capability's probability given the intent
    reliability : factor from the success rate, 1 where nothing is known
    channels : score of each channel that has a weight, before weighting, "success", what is taken off for executions that failed, "own",
        what the principal's own executions add, and "values", what the rest of the session adds
    weights : what each of them counts for this tool, and "bonus", which is added where no trace ran it: tools stand in the order of
        sum_c weights[c] channels[c] + bonus, for intents near those that were learned from. Empty where nothing was learned
    """

    cosine: float
    head_scores: tuple[float, ...]
    carried_by: tuple[tuple[str, float], ...] = ()
    reliability: float = 1.0
    channels: dict[str, float] = field(default_factory=dict)
    weights: dict[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "cosine": self.cosine,
            "head_scores": list(self.head_scores),
            "carried_by": [{"id": c, "weight": w} for c, w in self.carried_by],
            "reliability": self.reliability,
            "channels": self.channels,
            "weights": self.weights,
        }


@dataclass(frozen=True, eq=False)
class Ranking:
    """Items by descending score; equal scores in catalogue order.

    Attributes
    ----------
    kind : "tools" or "capabilities"
    ids : best first
    scores : (len(ids),) float32, what `ids` are sorted by: logits, comparable within one ranking only. `probabilities` are on one scale
    model_version : of the model that answered
    probabilities : (len(ids),) calibrated probability that each tool is right, or None before training and for capabilities
    explanations : one for each id where asked for, else None
    baseline : what is part of every score of this ranking and says nothing; the scores less it are logits of a similarity
    encoder : id of what made the intent of its text, "" where it came as a vector
    degraded : why that vector is less than it should be, such as another encoder of the space that had to follow; empty where all is well
    """

    kind: Kind
    ids: tuple[str, ...]
    scores: Float32
    model_version: int
    probabilities: Float32 | None = None
    explanations: tuple[Explanation, ...] | None = None
    baseline: float = 0.0
    encoder: str = ""
    degraded: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[tuple[str, float]]:
        return iter(zip(self.ids, self.scores.tolist(), strict=True))

    def __len__(self) -> int:
        return len(self.ids)

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        items: list[dict[str, Any]] = [{"id": i, "score": s} for i, s in self]
        if self.probabilities is not None:
            for item, p in zip(items, self.probabilities.tolist(), strict=True):
                item["probability"] = p
        for item, why in zip(items, self.explanations or (), strict=False):
            item["explanation"] = why.to_dict()
        made: dict[str, Any] = {"encoder": self.encoder} if self.encoder else {}
        if self.degraded:
            made["degraded"] = list(self.degraded)
        return {"kind": self.kind, "model_version": self.model_version, **made, "items": items}


@dataclass(frozen=True)
class RankedSet:
    """A capability with all the tools it needs, members of members included, in catalogue order."""

    id: str
    score: float
    tools: tuple[str, ...]
