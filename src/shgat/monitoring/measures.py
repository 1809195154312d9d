"""Every figure that is watched: one table, for what is counted, what is shown, and what the documentation says."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["counter", "gauge", "histogram"]
Labels = tuple[tuple[str, str], ...]
Samples = dict[tuple[str, Labels], float]  # (name, sorted labels) -> value
WAYS = ("model", "words", "cosine", "lexical", "catalogue")
FALLBACKS = ("cosine", "lexical", "catalogue")
TOOLS = 50  # that are labels, those that are executed most
VERSIONS = 10  # that are labels, the latest
SECONDS = (0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0)
EXECUTION_SECONDS = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)


@dataclass(frozen=True)
class Measure:
    """Attributes
    ----------
    name : as Prometheus shows it
    kind : what it is
    of : "process", the ranker of one process; or "store", the same wherever the store is read
    what : one sentence
    labels : their names
    over : of a gauge, how several processes that share a folder of figures are put together
    """

    name: str
    kind: Kind
    of: Literal["process", "store"]
    what: str
    labels: tuple[str, ...] = ()
    over: Literal["livesum", "livemax", "livemin", "livemostrecent"] = "livemax"


MEASURES = (
    Measure("shgat_answers_total", "counter", "process", "Answers, by what ranked and whether anything was wrong.", ("by", "degraded")),
    Measure("shgat_answer_seconds", "histogram", "process", "From the request to its answer, seconds."),
    Measure("shgat_stage_seconds", "histogram", "process", "The stages of an answer: encode, rank, arrange, record; seconds.", ("stage",)),
    Measure("shgat_executions_total", "counter", "process", "Executions that feedback told of; worked: from 0.5 on.", ("outcome",)),
    Measure("shgat_execution_seconds", "histogram", "process", "How long executions took, seconds."),
    Measure("shgat_trainings_total", "counter", "process", "Trainings, by what came of them.", ("result",)),
    Measure("shgat_swaps_total", "counter", "process", "Versions that came into production."),
    Measure("shgat_dropped_decisions_total", "counter", "process", "Decisions given up: the store could not take them."),
    Measure("shgat_unlearnable_feedback_total", "counter", "process", "Feedback that nothing can be learned from."),
    Measure("shgat_cache_reads_total", "counter", "process", "Vectors of texts, by where they were: hit, shared or miss.", ("result",)),
    Measure("shgat_training", "gauge", "process", "Is a training under way?", (), "livesum"),
    Measure("shgat_waiting_for_store", "gauge", "process", "Decisions and feedback that are not in the store yet.", (), "livesum"),
    Measure("shgat_store_write_seconds", "gauge", "process", "The slowest write to the store of the last five seconds."),
    Measure("shgat_store_up", "gauge", "process", "Can the store be written to?", (), "livemin"),
    Measure("shgat_encoder_up", "gauge", "process", "Does what makes vectors of texts answer?", (), "livemin"),
    Measure("shgat_backlog_traces", "gauge", "process", "Traces to be learned from."),
    Measure("shgat_backlog_seconds", "gauge", "process", "Age of the oldest trace that was never learned from."),
    Measure("shgat_success_rate", "gauge", "process", "Share of executions that worked, smoothed over thirty days.", (), "livemostrecent"),
    Measure("shgat_troubles", "gauge", "process", "Things that are wrong, as shgat stats names them."),
    Measure("shgat_tools", "gauge", "process", "Tools of the catalogue."),
    Measure("shgat_model_version", "gauge", "process", "Number of the version in each role; 0: untrained.", ("role",), "livemostrecent"),
    Measure("shgat_online_mrr", "gauge", "store", "Mean reciprocal place of the tool that worked; 30 executions at least.", ("window",)),
    Measure("shgat_online_hit_rate", "gauge", "store", "Share of what worked that stood among the first k; 30 at least.", ("window", "k")),
    Measure("shgat_online_executions", "gauge", "store", "Executions that followed an answer.", ("window",)),
    Measure("shgat_task_success", "gauge", "store", "Mean outcome of those executions.", ("window",)),
    Measure("shgat_satisfaction", "gauge", "store", "Mean rating of those who gave one, 1 to 5.", ("window",)),
    Measure("shgat_task_seconds", "gauge", "store", "Time to completion, by quantile.", ("window", "quantile")),
    Measure("shgat_version_executions", "gauge", "store", "Executions of the last day, by version; the latest ten.", ("version",)),
    Measure("shgat_version_success", "gauge", "store", "Mean outcome of those.", ("version",)),
    Measure("shgat_tool_executions", "gauge", "store", "Executions of the last day, by tool; the fifty that ran most.", ("tool",)),
    Measure("shgat_tool_success", "gauge", "store", "Mean outcome of those.", ("tool",)),
    Measure("shgat_model_age_seconds", "gauge", "store", "Age of the version that serves."),
    Measure("shgat_embedding_variance", "gauge", "store", "Of unit vectors, 1 - |mean|^2; near 0 they have collapsed into one.", ("of",)),
    Measure("shgat_missing_share", "gauge", "store", "Share of tools, or capabilities, without an embedding.", ("of",)),
    Measure("shgat_feature_age_seconds", "gauge", "store", "Age of the oldest features of a capability."),
    Measure("shgat_drift", "gauge", "store", "Does a test say drift since the version that serves was made?", ("test",)),
    Measure("shgat_drift_value", "gauge", "store", "Its figure: PSI, distance or discrepancy.", ("test",)),
    Measure("shgat_store_read_seconds", "gauge", "store", "How long it took to read the figures of the store."),
)  # fmt: skip
BY_NAME = {m.name: m for m in MEASURES}


def key(name: str, **labels: str) -> tuple[str, Labels]:
    """Of a sample."""
    return name, tuple(sorted(labels.items()))
