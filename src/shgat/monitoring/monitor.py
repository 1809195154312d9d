"""Watches a ranker in its own process: takes its figures in, reads its store, evaluates the rules, and tells who wants to know."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .._check import number
from ..errors import ShgatError
from .evaluator import Alert
from .exposition import Exposition
from .facts import FactSettings, StoreFacts
from .measures import Samples, key
from .receivers import Receiver
from .sources import UP
from .watch import Watch

if TYPE_CHECKING:
    from ..serving import Ranker

_log = logging.getLogger("shgat")


@dataclass(frozen=True, kw_only=True)
class MonitorSettings:
    """Attributes
    ----------
    every : seconds between two evaluations
    window : seconds over which shares and quantiles are taken
    facts : of what the store is asked
    """

    every: float = 15.0
    window: float = 300.0
    facts: FactSettings = field(default_factory=FactSettings)

    def __post_init__(self) -> None:
        number(self.every, 0.01, 86400.0, "monitor: every")
        number(self.window, 0.01, 604800.0, "monitor: window")


class Monitor:
    """One for a ranker; `start` begins it, `stop` ends it.

    Parameters
    ----------
    ranker : is watched
    store : URL of its store
    user_id : whose model
    settings : see `MonitorSettings`
    receivers : are told of alerts
    target : what the ranker is called in alerts
    clock : seconds since the epoch

    Attributes
    ----------
    exposition : what Prometheus reads
    """

    def __init__(
        self,
        ranker: "Ranker",
        store: str,
        user_id: str = "local",
        settings: MonitorSettings | None = None,
        *,
        receivers: Sequence[Receiver] = (),
        target: str = "this process",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.settings = settings or MonitorSettings()
        self.exposition = Exposition()
        self.exposition.watch(ranker)
        facts = StoreFacts(store, user_id, self.settings.facts, lambda: ranker.catalog, clock)
        self._source = _Here(self.exposition, facts, target)
        self._watch = Watch([self._source], receivers, self.settings.window, clock=clock)
        self._looking, self._stopping = threading.Lock(), threading.Event()
        self._thread: threading.Thread | None = None
        self._said: tuple[str, ...] = ()

    def start(self) -> None:
        """Looks from now on, in a thread of its own."""
        if self._thread is None:
            self._stopping.clear()
            self._thread = threading.Thread(target=self._work, name="shgat-monitor", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Ends that, and closes the store."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        with self._looking:
            self._watch.close()

    def look(self) -> list[Alert]:
        """Looks once; what began or ended by that."""
        with self._looking:
            changed, before = self._watch.look(), self._said
            self._said = self._watch.trouble
        for alert in changed:
            level = logging.INFO if alert.state == "resolved" else logging.WARNING
            _log.log(level, "alert %s %s: %s (%.4g, limit %g)", alert.name, alert.state, alert.summary, alert.value, alert.limit)
        for trouble in self._said:
            if trouble not in before:
                _log.warning("monitor: %s", trouble)
        return changed

    @property
    def firing(self) -> list[Alert]:
        """What fires now."""
        return self._watch.firing

    @property
    def trouble(self) -> str:
        """Why the last look was not whole, "" where it was."""
        return "; ".join(self._watch.trouble)

    def to_dict(self) -> dict[str, Any]:
        """As JSON values: what fires, what has ended lately, and how far each rule is from its limit."""
        values = self._watch.values()[self._source.target]
        rules = [
            {"name": r.name, "severity": r.severity, "op": r.op, "limit": r.limit, "value": values[r.name], "summary": r.summary}
            for r in self._watch.rules
        ]
        firing, ended = ([a.to_dict() for a in alerts] for alerts in (self.firing, self._watch.ended))
        return {"firing": firing, "ended": ended, "rules": rules, "every": self.settings.every, "trouble": self.trouble}

    def _work(self) -> None:
        while not self._stopping.is_set():
            try:
                self.look()
            except Exception:  # what watches must not be what breaks
                _log.exception("the monitor failed")
            self._stopping.wait(self.settings.every)


class _Here:
    """The figures of this process and of its store."""

    def __init__(self, exposition: Exposition, facts: StoreFacts, target: str) -> None:
        self._exposition, self._facts, self.target, self.trouble = exposition, facts, target, ""

    def look(self) -> Samples:
        found: Samples = {}
        try:
            found = self._facts.read()
            self.trouble = ""
        except ShgatError as error:
            self._facts.close()
            self.trouble = f"the figures of the store cannot be read: {error}"
        self._exposition.show(found)
        samples = {**self._exposition.samples(), UP: 1.0}
        if self.trouble:
            samples[key("shgat_store_up")] = 0.0
        return samples

    def close(self) -> None:
        self._facts.close()
