"""What a ranker answers."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

ORDERS = ("score", "stable")
RANKED_BY = ("model", "cosine", "lexical", "catalogue")


@dataclass(frozen=True)
class Answer:
    """Ids for an intent, best first, or in the order of their session where that is stable.

    Attributes
    ----------
    decision_id : what feedback refers to
    kind : "tools" or "capabilities"
    ids, scores : the items; scores are comparable within one answer, and 0 for what only the session or the caller brought along
    model_version : of what made the scores: "v7" (version 7 of the store), "untrained", or the name of the way that stood in
    ranked_by : "model", or what stood in for it: "cosine", "lexical" or "catalogue"
    degraded : why the answer or its record is less than it should be; empty where all is well
    """

    decision_id: str
    kind: str
    ids: tuple[str, ...]
    scores: tuple[float, ...]
    model_version: str
    ranked_by: str
    degraded: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[tuple[str, float]]:
        return iter(zip(self.ids, self.scores, strict=True))

    def __len__(self) -> int:
        return len(self.ids)

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "decision_id": self.decision_id,
            "kind": self.kind,
            "items": [{"id": i, "score": s} for i, s in self],
            "model_version": self.model_version,
            "ranked_by": self.ranked_by,
            "degraded": list(self.degraded),
        }
