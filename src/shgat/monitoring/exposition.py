"""What Prometheus reads of a process: counters and histograms of its ranker, and what was read of its store."""

import os
import threading
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ..serving.observing import STAGES, Answered, Executed
from .measures import BY_NAME, EXECUTION_SECONDS, MEASURES, SECONDS, WAYS, Samples

if TYPE_CHECKING:
    from ..serving import Ranker

FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # of figures that several processes share, see prometheus_client
_WAITING = 200_000  # observations at most, until somebody looks
_TRAININGS = ("accepted", "refused", "failed")


class Exposition:
    """A registry of its own, so that several rankers of one process do not mix. Where the environment names a folder for that, the figures of
    all processes that share it are shown as one.

    Attributes
    ----------
    registry : of this process
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._shared = os.environ.get(FOLDER, "")
        if self._shared:
            _bury(Path(self._shared))
        self._lock = threading.Lock()
        self._told: deque[Answered | Executed] = deque(maxlen=_WAITING)
        self._ranker: Ranker | None = None
        self._counted: dict[tuple[str, tuple[str, ...]], float] = {}
        self._facts = _Facts()
        self._of: dict[str, Any] = {m.name: self._metric(m.name) for m in MEASURES if m.of == "process"}
        self._answers: dict[tuple[str, bool], Any] = {}
        for by in WAYS:  # from 0 on, so that the first one is a rise
            for degraded in (False, True):
                self._answers[by, degraded] = self._of["shgat_answers_total"].labels(by, "yes" if degraded else "no")
        self._stages = [self._of["shgat_stage_seconds"].labels(stage) for stage in STAGES]
        self._outcomes = {
            worked: self._of["shgat_executions_total"].labels(name) for worked, name in ((True, "worked"), (False, "failed"))
        }

    def _metric(self, name: str) -> Any:
        m = BY_NAME[name]
        if m.kind == "counter":
            return Counter(name.removesuffix("_total"), m.what, m.labels, registry=self.registry)
        if m.kind == "histogram":
            buckets = EXECUTION_SECONDS if name == "shgat_execution_seconds" else SECONDS
            return Histogram(name, m.what, m.labels, buckets=buckets, registry=self.registry)
        return Gauge(name, m.what, m.labels, registry=self.registry, multiprocess_mode=m.over)

    def watch(self, ranker: "Ranker") -> None:
        """Shows what a ranker does from now on."""
        self._ranker = ranker
        ranker.watch(self._told.append)

    def show(self, facts: Samples) -> None:
        """Shows these in place of the former figures of the store."""
        self._facts.samples = facts

    def refresh(self) -> None:
        """Takes in what the ranker did since the last time, and how it is now."""
        with self._lock:
            while True:
                try:
                    told = self._told.popleft()
                except IndexError:
                    break
                self._take(told)
            if self._ranker is not None:
                self._state(self._ranker.stats())

    def text(self) -> bytes:
        """In the format of Prometheus."""
        self.refresh()
        if not self._shared:
            return generate_latest(self.registry) + generate_latest(self._facts)
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry, self._shared)  # type: ignore[no-untyped-call]
        return generate_latest(registry) + generate_latest(self._facts)

    def samples(self) -> Samples:
        """What `text` would show of this process."""
        self.refresh()
        found = {(s.name, tuple(sorted(s.labels.items()))): s.value for metric in self.registry.collect() for s in metric.samples}
        return {**found, **self._facts.samples}

    def _take(self, told: Answered | Executed) -> None:
        if isinstance(told, Answered):
            counter = self._answers.get((told.by, told.degraded))
            if counter is not None:
                counter.inc()
            self._of["shgat_answer_seconds"].observe(told.seconds)
            for stage, seconds in zip(self._stages, told[4:], strict=True):
                stage.observe(seconds)
        else:
            self._outcomes[told.outcome >= 0.5].inc()
            if told.seconds is not None:
                self._of["shgat_execution_seconds"].observe(told.seconds)

    def _state(self, stats: dict[str, Any]) -> None:
        for result in _TRAININGS:
            self._rise("shgat_trainings_total", stats["trainings"].get(result, 0), result)
        cache, backlog = stats["cache"], stats["backlog"]
        for result, name in (("hit", "hits"), ("shared", "shared_hits"), ("miss", "misses")):
            self._rise("shgat_cache_reads_total", cache[name], result)
        for name, value in (("swaps", stats["swaps"]), ("dropped_decisions", stats["dropped_decisions"]),
                            ("unlearnable_feedback", stats["unlearnable_feedback"])):  # fmt: skip
            self._rise(f"shgat_{name}_total", value)
        oldest = 0.0 if backlog["oldest"] is None else max(0.0, time.time() - backlog["oldest"])
        gauges = {
            "training": stats["training"], "waiting_for_store": stats["waiting_for_store"],
            "store_write_seconds": stats["store_writes"]["seconds"], "store_up": not stats["store_writes"]["trouble"],
            "encoder_up": not stats["encoder"]["trouble"], "backlog_traces": backlog["traces"], "backlog_seconds": oldest,
            "success_rate": stats["success"]["rate"], "troubles": len(stats["trouble"]),
            "tools": len(self._ranker.catalog.tools) if self._ranker is not None else 0,
        }  # fmt: skip
        for name, value in gauges.items():
            self._of[f"shgat_{name}"].set(float(value))
        for role, number in self._versions().items():
            self._of["shgat_model_version"].labels(role).set(number)

    def _versions(self) -> dict[str, int]:
        ranker = self._ranker
        if ranker is None:
            return {}
        beside = {role: ranker.slots.get(role) for role in ("canary", "shadow")}
        return {"production": ranker.slots.production.number, **{role: 0 if v is None else v.number for role, v in beside.items()}}

    def _rise(self, name: str, total: float, *labels: str) -> None:
        """A counter of the ranker's own becomes one here."""
        before = self._counted.get((name, labels), 0.0)
        metric = self._of[name].labels(*labels) if labels else self._of[name]
        metric.inc(max(0.0, total - before))
        self._counted[name, labels] = total


class _Facts(Collector):
    """Samples as they are."""

    def __init__(self) -> None:
        self.samples: Samples = {}

    def collect(self) -> Iterator[Metric]:
        families: dict[str, GaugeMetricFamily] = {}
        for (name, labels), value in self.samples.items():
            m = BY_NAME[name]
            family = families.setdefault(name, GaugeMetricFamily(name, m.what, labels=m.labels))
            family.add_metric([dict(labels)[label] for label in m.labels], value)
        yield from families.values()


def _bury(folder: Path) -> None:
    """Takes away the gauges of processes that are gone, which nobody else does where one was killed."""
    for file in folder.glob("gauge_live*_*.db"):
        pid = file.stem.rpartition("_")[2]
        if pid.isdigit() and not Path(f"/proc/{pid}").exists():
            multiprocess.mark_process_dead(int(pid), str(folder))  # type: ignore[no-untyped-call]
