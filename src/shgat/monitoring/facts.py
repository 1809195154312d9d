"""What a store says of how things are: quality of what was answered, age and soundness of what answers are made of, drift."""

import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from .._check import number, positive_integer
from .._types import Float32
from ..drift import DriftConfig, Report, compared, kept
from ..errors import InputError
from ..features.validation import variance
from ..graph import Catalog
from ..store import Outcome, Store
from ..store.feature_build import stored_catalog
from .measures import TOOLS, VERSIONS, Samples, key

WINDOWS = {"1h": 3600.0, "24h": 86400.0, "7d": 604800.0}
HITS = (1, 3, 5)
LEAST = 30  # executions below which a mean says nothing
_FIRST = 20_000  # executions read at once, and held at most
_INTENTS = 200  # whose variance is watched
_DAY = WINDOWS["24h"]
_DRIFT = DriftConfig(n_resamples=499, sample=200)  # an answer must not wait for it


@dataclass(frozen=True, kw_only=True)
class FactSettings:
    """Attributes
    ----------
    drift_every : seconds between comparisons with the reference of the version that serves
    drift_latest : traces since that version, the latest, that are compared
    store_timeout : seconds that a read waits for the store at most
    """

    drift_every: float = 300.0
    drift_latest: int = 400
    store_timeout: float = 5.0

    def __post_init__(self) -> None:
        number(self.drift_every, 0.0, 1e7, "facts: drift_every")
        number(self.store_timeout, 0.01, 3600.0, "facts: store_timeout")
        positive_integer(self.drift_latest, "facts: drift_latest")


class StoreFacts:
    """Reads them, each time what is new alone.

    Parameters
    ----------
    url : of the store
    user_id : whose model
    settings : see `FactSettings`
    catalog : what is served; None: as the store holds it
    clock : seconds since the epoch
    """

    def __init__(
        self,
        url: str,
        user_id: str = "local",
        settings: FactSettings | None = None,
        catalog: Callable[[], Catalog] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.url, self.settings = url, settings or FactSettings()
        self._user, self._catalog, self._clock = user_id, catalog, clock
        self._store: Store | None = None
        self._outcomes: deque[Outcome] = deque(maxlen=_FIRST)
        self._seq, self._next_drift = 0, 0.0
        self._drift: Samples = {}
        self._kept: tuple[str, Catalog] | None = None  # its checksum in the store
        self._spread: tuple[str, float] | None = None  # checksum -> variance of the tools

    def close(self) -> None:
        """Closes the store."""
        if self._store is not None:
            self._store.close()
            self._store = None

    def read(self) -> Samples:
        """Every figure that there is something to say of.

        Raises
        ------
        StoreError
            where the store cannot be read.
        """
        started = time.perf_counter()
        if self._store is None:
            self._store = Store.open(self.url, timeout=self.settings.store_timeout, clock=self._clock)
        store, now = self._store, self._clock()
        self._take_in(store, now)
        catalog = self._served(store)
        found = {**self._quality(now), **self._model(store, now), **self._features(store, now), **self._embeddings(catalog)}
        if now >= self._next_drift:
            self._next_drift = now + self.settings.drift_every
            self._drift = self._compared(store, catalog, now)
        found |= self._drift
        found[key("shgat_store_read_seconds")] = time.perf_counter() - started
        return found

    # ---------------------------------------------------------------- what came of answers
    def _take_in(self, store: Store, now: float) -> None:
        oldest = now - max(WINDOWS.values())
        if store.last_seq() < self._seq:  # another store under the same name
            self._outcomes.clear()
            self._seq = 0
        new = store.outcomes(self._seq, oldest, _FIRST, self._user)
        self._outcomes.extend(new)
        self._seq = max((o.seq for o in new), default=self._seq)
        while self._outcomes and self._outcomes[0].at <= oldest:
            self._outcomes.popleft()

    def _quality(self, now: float) -> Samples:
        found: Samples = {}
        for window, seconds in WINDOWS.items():
            rows = [o for o in self._outcomes if o.at > now - seconds]
            found[key("shgat_online_executions", window=window)] = float(len(rows))
            places = np.array([o.place for o in rows if o.outcome >= 0.5], np.float64)
            if len(places) >= LEAST:
                reciprocal = np.divide(1.0, places, out=np.zeros_like(places), where=places > 0)
                found[key("shgat_online_mrr", window=window)] = float(reciprocal.mean())
                for k in HITS:
                    hit = ((places >= 1) & (places <= k)).mean()
                    found[key("shgat_online_hit_rate", window=window, k=str(k))] = float(hit)
            if rows:
                found[key("shgat_task_success", window=window)] = float(np.mean([o.outcome for o in rows]))
            ratings = [o.rating for o in rows if o.rating is not None]
            if ratings:
                found[key("shgat_satisfaction", window=window)] = float(np.mean(ratings))
            took = [o.seconds for o in rows if o.seconds is not None]
            if took:
                for q in (0.5, 0.99):
                    found[key("shgat_task_seconds", window=window, quantile=f"{q:g}")] = float(np.quantile(took, q))
        day = [o for o in self._outcomes if o.at > now - _DAY]
        latest = {o.version: o.seq for o in day}
        versions = sorted(latest, key=latest.__getitem__)[-VERSIONS:]
        tools = [tool for tool, _ in Counter(tool for o in day for tool in set(o.tools)).most_common(TOOLS)]
        found |= _shares("version", versions, ((o.version, o.outcome) for o in day))
        return found | _shares("tool", tools, ((tool, o.outcome) for o in day for tool in set(o.tools)))

    # ---------------------------------------------------------------- what answers are made of
    def _served(self, store: Store) -> Catalog:
        if self._catalog is not None:
            return self._catalog()
        checksum = store.catalog_checksum()
        if checksum is None or self._kept is None or self._kept[0] != checksum:
            self._kept = checksum or "", stored_catalog(store)
        return self._kept[1]

    def _model(self, store: Store, now: float) -> Samples:
        made = next((v.created_at for v in store.model_versions(self._user) if v.active), None)
        return {} if made is None else {key("shgat_model_age_seconds"): now - made}

    def _features(self, store: Store, now: float) -> Samples:
        missing, oldest = store.feature_gaps()
        if oldest is None:  # they were never built
            return {}
        return {key("shgat_missing_share", of="features"): missing, key("shgat_feature_age_seconds"): now - oldest}

    def _embeddings(self, catalog: Catalog) -> Samples:
        missing = sum(t.embedding is None for t in catalog.tools) if catalog.tool_embeddings is None else 0
        found = {key("shgat_missing_share", of="tools"): missing / len(catalog.tools)} if catalog.tools else {}
        if catalog.tool_embeddings is not None and len(catalog.tools) > 1:
            if self._spread is None or self._spread[0] != catalog.checksum:
                self._spread = catalog.checksum, _variance(catalog.tool_embeddings)
            found[key("shgat_embedding_variance", of="tools")] = self._spread[1]
        return found

    # ---------------------------------------------------------------- drift
    def _compared(self, store: Store, catalog: Catalog, now: float) -> Samples:
        """Against the reference of the version that serves; nothing where none does, or too little came in."""
        found: Samples = {}
        latest = store.traces_since(now - _DAY, self.settings.drift_latest, self._user)
        intents = [t.embedding for t in latest if t.embedding is not None][-_INTENTS:]
        if len(intents) >= LEAST:
            found[key("shgat_embedding_variance", of="intents")] = _variance(np.stack(intents))
        with suppress(InputError):  # nothing serves yet, or it has no reference
            reference = kept.serving(store, catalog, user_id=self._user)
            since = [t for t in latest if (t.timestamp or 0.0) > reference.made_at]
            report = compared(reference.reference, kept.windowed(since, catalog), np.random.default_rng(0), _DRIFT)
            found |= _of_report(report)
        return found


def _of_report(report: Report) -> Samples:
    found: Samples = {}
    for test in report.tests:
        if test.status != "not enough":
            found[key("shgat_drift", test=test.name)] = float(test.status == "drift")
        if test.value is not None:
            found[key("shgat_drift_value", test=test.name)] = test.value
    return found


def _shares(of: str, names: list[str], rows: Iterable[tuple[str, float]]) -> Samples:
    """How many executions each of the names has, and their mean outcome."""
    outcomes = defaultdict[str, list[float]](list)
    for name, outcome in rows:
        outcomes[name].append(outcome)
    found: Samples = {}
    for name in names:
        found[key(f"shgat_{of}_executions", **{of: name})] = float(len(outcomes[name]))
        found[key(f"shgat_{of}_success", **{of: name})] = float(np.mean(outcomes[name]))
    return found


def _variance(rows: Float32) -> float:
    return variance(rows.astype(np.float64))
