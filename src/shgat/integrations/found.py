"""What a search offers, and what a model is told beside it."""

from dataclasses import dataclass, replace

from ..serving.searches import note as said_of


@dataclass(frozen=True)
class Found:
    """What a search offers.

    Attributes
    ----------
    search_id : by which a call may say that it followed this search; "" where nothing is written down
    names : of the tools, as the host calls them, best first; empty where nothing fits
    scores : of each, in [0, 1]
    note : what to tell the model, "" for nothing
    degraded : why this is less than it should be
    unranked : are these merely the first ones, because ranking failed?
    """

    search_id: str
    names: tuple[str, ...]
    scores: tuple[float, ...] = ()
    note: str = ""
    degraded: tuple[str, ...] = ()
    unranked: bool = False

    def noted(self, n: int) -> "Found":
        """With what to tell a model of the n-th search in a row for much the same."""
        return replace(self, note=said_of(n, bool(self.names)))
