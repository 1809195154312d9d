"""The rules: one table, evaluated here, written out for Prometheus, and shown by the documentation."""

from dataclasses import dataclass
from typing import Literal

from .history import History
from .measures import FALLBACKS
from .quantities import EACH, Gauge, Quantile, Quantity, Share

Severity = Literal["critical", "warning"]
_HOUR, _DAY = 3600.0, 86400.0


@dataclass(frozen=True)
class Rule:
    """Attributes
    ----------
    name : of its alert
    severity : "critical": people are not served well now; "warning": look at it today
    quantity : what is compared
    op, limit : the alert is raised where `quantity op limit`
    summary : what is wrong, in words
    remedy : what to do
    unless : rules whose condition explains this one, which is not raised then
    """

    name: str
    severity: Severity
    quantity: Quantity
    op: Literal["<", ">"]
    limit: float
    summary: str
    remedy: str
    unless: tuple[str, ...] = ()

    def breached(self, history: History) -> float | None:
        """The value, where it is beyond the limit."""
        return self._beyond(self.quantity.value(history))

    def explained(self, history: History) -> bool:
        """Is another rule's condition the reason? For what looks back over the window one that held within the window is, too."""
        lately = bool(self.quantity.record)
        others = [BY_NAME[name] for name in self.unless]
        return any(r._beyond((r.quantity.worst_lately if lately else r.quantity.value)(history)) is not None for r in others)

    def expression(self, window: str) -> str:
        """For Prometheus."""
        own = self.quantity.record or self.quantity.expression(window)
        parts = [f"{own} {self.op} {self.limit:g}"]
        for other in (BY_NAME[name] for name in self.unless):
            now = other.quantity.record or other.quantity.expression(window)
            seen = other.quantity.expression_lately(window) if self.quantity.record else now
            parts.append(f"unless on ({EACH}) ({seen} {other.op} {other.limit:g})")
        return " ".join(parts)

    def _beyond(self, value: float | None) -> float | None:
        """The value, where it is."""
        beyond = value is not None and (value < self.limit if self.op == "<" else value > self.limit)
        return value if beyond else None


RULES = (
    Rule("Down", "critical", Gauge("up", {"job": "shgat"}, "min"), "<", 1.0,
         "It does not answer when asked for its figures.", "Is the process running, and does the key have the scope metrics?"),
    Rule("StoreUnavailable", "critical", Gauge("shgat_store_up", worst="min"), "<", 1.0,
         "The store cannot be written to; what comes in is kept.", "shgat db status --store URL says what is wrong with it."),
    Rule("StoreSlow", "warning", Gauge("shgat_store_write_seconds"), ">", 1.0,
         "A write to the store takes longer than a second.", "Who else writes to it, or holds a lock? shgat db status --store URL",
         ("StoreUnavailable",)),
    Rule("EncoderDown", "critical", Gauge("shgat_encoder_up", worst="min"), "<", 1.0,
         "What makes vectors of texts does not answer; texts are ranked by words.", "Is the embeddings server up, and its key valid?"),
    Rule("ErrorsHigh", "critical", Share("shgat:http_errors:share", "shgat_http_errors_total", "shgat_http_requests_total"), ">", 0.01,
         "More than 1 % of the requests fail.", "The server's log names each of them by its id."),
    Rule("FallbacksHigh", "warning",
         Share("shgat:fallbacks:share", "shgat_answers_total", "shgat_answers_total", {"by": FALLBACKS}), ">", 0.05,
         "More than 5 % of the answers are not the model's.", "Answer.degraded of such an answer says why.", ("EncoderDown",)),
    Rule("AnswersSlow", "warning", Quantile("shgat:answer_seconds:p50", 0.5, "shgat_answer_seconds"), ">", 0.05,
         "Half of the answers take longer than 50 ms.", "shgat_stage_seconds says which stage it is."),
    Rule("SlowestAnswersSlow", "critical", Quantile("shgat:answer_seconds:p99", 0.99, "shgat_answer_seconds"), ">", 0.2,
         "One answer in a hundred takes longer than 200 ms.", "shgat_stage_seconds says which stage it is."),
    Rule("RankingPoor", "critical", Gauge("shgat_online_mrr", {"window": "1h"}, "min"), "<", 0.1,
         "What worked stood far down in what was shown.", "shgat models rollback puts the version before back."),
    Rule("HitsFew", "warning", Gauge("shgat_online_hit_rate", {"window": "1h", "k": "3"}, "min"), "<", 0.2,
         "Of what worked, less than a fifth stood among the first three.", "shgat evaluate, on the traces of the last days.",
         ("RankingPoor",)),
    Rule("EmbeddingsCollapsed", "critical", Gauge("shgat_embedding_variance", worst="min"), "<", 0.01,
         "Embeddings are all alike: nothing can be told apart.", "What made them? shgat embed --catalog DIR makes them anew."),
    Rule("EmbeddingsMissing", "warning", Gauge("shgat_missing_share"), ">", 0.05,
         "More than 5 % of tools or capabilities have no embedding.", "shgat embed --catalog DIR, or shgat features build."),
    Rule("FeaturesStale", "warning", Gauge("shgat_feature_age_seconds"), ">", 48 * _HOUR,
         "Features of capabilities are older than two days.", "shgat features build, daily."),
    Rule("EncoderChanged", "critical", Gauge("shgat_drift", {"test": "encoder"}), ">", 0.0,
         "Intents are made by another encoder than those the model learned from.", "Go back to it, or train anew."),
    Rule("IntentsDrifted", "warning", Gauge("shgat_drift", {"test": ("directions", "embedding")}), ">", 0.0,
         "What people ask for is not what the model was made for.", "shgat drift says where; shgat pipeline run trains anew.",
         ("EncoderChanged", "EmbeddingsCollapsed")),
    Rule("ScoresShifted", "warning", Gauge("shgat_drift", {"test": "scores"}), ">", 0.0,
         "Tools fit intents otherwise than when the model was made.", "Has the catalogue changed? shgat drift",
         ("IntentsDrifted", "EncoderChanged", "EmbeddingsCollapsed")),
    Rule("ChoicesShifted", "warning", Gauge("shgat_drift", {"test": "mix"}), ">", 0.0,
         "Other tools are chosen than when the model was made.", "shgat drift names them; shgat pipeline run trains anew.",
         ("IntentsDrifted", "EncoderChanged", "EmbeddingsCollapsed", "ToolsFailing", "ScoresShifted")),
    Rule("ToolsFailing", "critical", Gauge("shgat_drift", {"test": "tools"}), ">", 0.0,
         "A tool fails more often than it did.", "shgat drift names it; is its server up?"),
    Rule("TrainingOverdue", "warning", Gauge("shgat_backlog_seconds"), ">", _DAY,
         "Traces have waited for a day to be learned from.", "stats() and the log say why trainings are refused or do not run."),
)  # fmt: skip
BY_NAME = {rule.name: rule for rule in RULES}
