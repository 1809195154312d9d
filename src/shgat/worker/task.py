"""What a job asks for: its model, its traces, the training, and the result."""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .. import _check
from .._types import Float64
from ..config import SHGATConfig
from ..errors import InputError
from ..graph import Catalog
from ..model.channels import log_softmax, tools_within
from ..shgat import SHGAT
from ..traces import Traces, load_traces
from ..training import Epoch, TrainingConfig, TrainReport
from .protocol import Job

_log = logging.getLogger("shgat")
_CHUNK = 512  # traces scored at a time


@dataclass(frozen=True, eq=False)
class Task:
    """A job with its arrays.

    Attributes
    ----------
    job : as it came
    model : to be trained
    traces : the examples, in their order
    """

    job: Job
    model: SHGAT
    traces: Traces

    @classmethod
    def build(cls, job: Job) -> "Task":
        """Reads files and checks ids and numbers; InputError, ModelFileError or StoreError names what does not fit."""
        if job.store_url is not None:
            return cls(job, *_from_store(job.store_url, job.config.max_traces))
        model = SHGAT.load(job.model_path) if job.model_path is not None else _model(job)
        if job.examples_path is not None:
            return cls(job, model, load_traces(job.examples_path, model.catalog))
        return cls(job, model, _traces(job.examples or [], model.catalog))

    def run(self, on_epoch: Callable[[Epoch], None] | None = None) -> dict[str, Any]:
        """Trains, and writes the model where the job says; the result as JSON values."""
        started = time.perf_counter()
        before, version = accuracy(self.model, self.traces), self.model.version
        report = train(self.model, self.traces, self.job, on_epoch)
        after = accuracy(self.model, self.traces)
        result: dict[str, Any] = {"success": True, "finalAccuracy": after, "accepted": report.accepted, "reason": report.reason}
        result["changed"] = self.model.version != version
        if report.epochs:
            result["finalLoss"] = report.epochs[-1].loss
        result["healthCheck"] = _health(before, after, report)
        result["tdErrors"] = td_errors(self.model, self.traces, report).tolist()
        result["traceIds"] = self.traces.ids.tolist()
        if self.job.params_path is not None:
            self.model.save(self.job.params_path)
            result["paramsPath"] = self.job.params_path
        else:
            result["params"] = self.model.export_params()
        result["seconds"] = time.perf_counter() - started
        return result


def train(model: SHGAT, traces: Traces, job: Job, on_epoch: Callable[[Epoch], None] | None = None) -> TrainReport:
    """The training that the job's `config` asks for: from scratch, or going on from the model's parameters.

    Where a model from scratch is refused, the one that is there goes on, or gives way to cosine where nothing shows that it is better.
    """
    asked = job.config
    config = TrainingConfig(
        epochs=asked.epochs,
        batch_size=asked.batch_size,
        lr=asked.learning_rate,
        temperature=asked.temperature,
        negatives="curriculum" if asked.use_curriculum else "all",
        replay="prioritized" if asked.use_per else "shuffle",
    )
    if not asked.from_scratch:
        return model.partial_fit(traces, config=config, seed=asked.seed, on_epoch=on_epoch)
    report = model.fit(traces, config=config, seed=asked.seed, on_epoch=on_epoch)
    version = model.version
    if not report.accepted:
        report = model.back_to_cosine(traces, report)
    if report.accepted or model.version != version:
        return report
    update = model.partial_fit(traces, config=config, seed=asked.seed, on_epoch=on_epoch)
    return replace(update, reason=f"not begun anew: {report.reason}; updated: {update.reason}")


def accuracy(model: SHGAT, traces: Traces) -> float:
    """Share of the successful traces whose best tool was really used (Hit@1); 0 where none succeeded."""
    hits = n = 0
    worked = traces.succeeded
    for rows, scores in _scores(model, traces):
        best = scores.argmax(axis=1)
        for row, tool in zip(rows.tolist(), best.tolist(), strict=True):
            if worked[row]:
                n += 1
                hits += tool in traces.tools.row(row)
    return hits / n if n else 0.0


def td_errors(model: SHGAT, traces: Traces, report: TrainReport) -> Float64:
    """(N,) |outcome - probability mass on the trace's tools|; from the trained model for traces on which no step was made."""
    td = np.array([report.td_errors.get(key, np.nan) for key in traces.ids.tolist()], np.float64)
    if np.isnan(td).any():
        for rows, scores in _scores(model, traces):
            p = np.exp(log_softmax(scores))
            for row, mass in zip(rows.tolist(), p, strict=True):
                if np.isnan(td[row]):
                    td[row] = abs(float(traces.outcome[row]) - float(mass[traces.tools.row(row)].sum()))
    return np.clip(td, 0.0, 1.0)


def _scores(model: SHGAT, traces: Traces) -> Any:
    for start in range(0, len(traces), _CHUNK):
        rows = np.arange(start, min(start + _CHUNK, len(traces)))
        texts = [str(traces.texts[i]) for i in rows.tolist()]
        yield rows, model.score(traces.vectors(rows), texts=texts if any(texts) else None)


def _health(before: float, after: float, report: TrainReport) -> dict[str, Any]:
    """Hit@1 on the examples before and after, and what the held-out traces said on the way."""
    held = [e.validation["all"]["hit@1"] for e in report.epochs if e.validation]
    planned = report.epochs[-1].of if report.epochs else 0
    last = report.epochs[-1].number if report.epochs else 0
    return {
        "baselineAccuracy": before,
        "bestAccuracy": max(before, after),
        "finalAccuracy": after,
        "degradationDetected": bool((held and held[-1] < max(held) - 0.10) or (report.epochs and not report.accepted)),
        "earlyStopEpoch": last if last < planned else None,
    }


def _model(job: Job) -> SHGAT:
    """From inline capabilities; a tool without an embedding takes the mean of its capabilities'."""
    capabilities = [_capability(record, i) for i, record in enumerate(job.capabilities or [])]
    by_id = {c["id"]: c for c in capabilities}
    for record in job.capabilities or []:
        for parent in _check.texts(record.get("parents") or [], f"capability {record['id']!r}: parents"):
            if parent not in by_id:
                raise InputError(f"capability {record['id']!r} has the unknown parent {parent!r}")
            if record["id"] not in by_id[parent]["capabilities"]:
                by_id[parent]["capabilities"].append(record["id"])
    named = dict.fromkeys([*job.tool_embeddings, *(t for c in capabilities for t in c["tools"])])
    tools = [{"id": t, "embedding": job.tool_embeddings.get(t)} for t in named]
    config = None
    given = (job.existing_params or {}).get("config")
    if isinstance(given, Mapping):
        config = SHGATConfig.from_dict(given)
    model = SHGAT.from_capabilities(capabilities, tools, config, job.config.seed)
    if job.existing_params is not None:
        model.import_params(job.existing_params)
    return model


def _capability(record: Mapping[str, Any], i: int) -> dict[str, Any]:
    key = _check.text(record.get("id"), f"capabilities[{i}].id")
    found = {
        "id": key,
        "text": record.get("text"),
        "embedding": record["embedding"],
        "tools": _check.texts(record["toolsUsed"], f"capability {key!r}: toolsUsed"),
        "capabilities": _check.texts(record.get("children") or [], f"capability {key!r}: children"),
        "uses": record.get("uses", 0),
        "origin": record.get("origin"),
    }
    if "successRate" in record:
        found["success_rate"] = record["successRate"]
    return found


def _traces(examples: list[Mapping[str, Any]], catalog: Catalog) -> Traces:
    """Inline examples; without `toolsUsed` the tools are all those of the candidate, or the candidate where it is a tool."""
    within = tools_within(catalog.hierarchy)
    records = []
    for i, example in enumerate(examples):
        where = f"examples[{i}]"
        tools, candidate = example.get("toolsUsed"), example.get("candidateId")
        if candidate is not None:
            candidate = _check.text(candidate, f"{where}.candidateId")
        for other in _check.texts(example.get("negativeCapIds") or [], f"{where}.negativeCapIds"):
            if other not in catalog.capability_column:  # every other capability is a negative anyway
                raise InputError(f"{where}.negativeCapIds names the unknown capability {other!r}")
        is_capability = candidate in catalog.capability_column
        if candidate is not None and not is_capability and candidate not in catalog.tool_column:
            raise InputError(f"{where}.candidateId is an unknown capability or tool: {candidate!r:.100}")
        if tools is None:
            if candidate is None:
                raise InputError(f"{where} has neither candidateId nor toolsUsed")
            columns = sorted(within[catalog.capability_column[candidate]]) if is_capability else [catalog.tool_column[candidate]]
            tools = [catalog.tools[t].id for t in columns]
        records.append({
            "id": example.get("traceId", f"example {i}"),
            "intent": example.get("intent"),
            "embedding": example["intentEmbedding"],
            "tools": tools,
            "capability": candidate if is_capability else None,
            "context_tools": example.get("contextTools"),
            "outcome": example["outcome"],
            "timestamp": example.get("timestamp"),
        })  # fmt: skip
    return Traces.from_records(records, catalog)


def _from_store(url: str, n: int) -> tuple[SHGAT, Traces]:
    """Catalogue, newest intact model and most urgent traces of a store; traces that cannot be used are left out."""
    from ..store import Store  # an extra

    with Store.open(url) as store:
        catalog = Catalog.from_records(*store.catalog(), encoder=store.encoder())
        if not catalog.tools:
            raise InputError(
                f"{store.url} holds no catalogue; open a Ranker on it, which writes its own, or call Store.keep_catalog"
            )
        kept = store.newest_model(lambda v: SHGAT.from_bytes(v.data, f"model version {v.version}", catalog))
        found = [trace for trace in store.traces_by_priority(n) if trace.embedding is not None]
    if not found:
        raise InputError("the store holds no traces with embeddings to learn from; give a Ranker feedback, or import some")
    return SHGAT.from_catalog(catalog) if kept is None else kept.content, Traces.from_records(found, catalog, unknown="skip")
