"""What a training was: curves, validation, choices, and whether the result may serve."""

from dataclasses import asdict, dataclass, field
from typing import Any

from .._json import none_for_not_finite
from ..metrics.gate import Comparison
from .trainer import Epoch


@dataclass(frozen=True, eq=False)
class TrainReport:
    """The outcome of `fit`.

    Attributes
    ----------
    accepted : were the trained parameters handed out? Otherwise the model still ranks as before
    reason : why, or why not
    epochs : each epoch of each run; `stage` says which run
    losses : loss of every step of the last run
    comparisons : against frozen cosine and against popularity
    validation : held-out metrics of the fused ranking and of cosine, by part
    weights : of the channels, for tools with and without traces, if any were chosen
    choices : settings that were chosen from the data, `message_passing`, `node_offsets` and `words` among them
    td_errors : trace id -> |outcome - probability mass on its tools|
    gradient_norms : parameter group -> norm after each epoch of the last run
    seconds : stage -> time
    skipped : (trace id, reason)
    min_scores : "0.01", "0.05", "0.1" -> the `min_score` by which that share of the held-out intents would have got no tool, although each
        of them wanted some; empty where nothing was validated
    trials : each variant that was tried against the best before it; it was chosen where `low` is above 0
    """

    accepted: bool
    reason: str
    epochs: list[Epoch]
    losses: list[float]
    comparisons: list[Comparison]
    validation: dict[str, dict[str, dict[str, float]]]
    weights: dict[str, dict[str, float]]
    choices: dict[str, Any]
    td_errors: dict[str, float]
    gradient_norms: dict[str, list[float]]
    seconds: dict[str, float]
    seed: int
    n_traces: int
    skipped: list[tuple[str, str]] = field(default_factory=list)
    trials: list[Comparison] = field(default_factory=list)
    min_scores: dict[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """As JSON values; NaN becomes None."""
        value = {**vars(self), "epochs": [vars(e) for e in self.epochs]}  # what nests is copied below
        for name in ("comparisons", "trials"):
            value[name] = [asdict(c) for c in value[name]]
        return dict(none_for_not_finite(value))
