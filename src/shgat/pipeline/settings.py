"""What a pipeline is told: one frozen record a section of its file, checked at construction."""

from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from .. import _check
from ..drift.validation import DataLimits
from ..errors import InputError
from ..metrics.splits import duration
from ..registry.promotion import LEAST

PROTOCOLS = ("holdout", "temporal", "counterfactual")
FLOORS = ("recall@5", "ndcg@5", "comp@5", "hit@1", "hit@3", "hit@5", "mrr", "map")
_FOREVER = 36500 * 86400.0  # seconds


@dataclass(frozen=True, kw_only=True)
class DataSettings:
    """Attributes
    ----------
    window : how far back traces are taken, as "30d"
    most : of them, the latest
    held_out : share of those that worked, the latest by time; from these, and from what failed since, the candidate does not learn, and it is
        compared on them
    share : of what is learned from, that one principal may give at most
    limits : of the checks, see `shgat.drift.validation.DataLimits`
    """

    window: str = "30d"
    most: int = 5000
    held_out: float = 0.2
    share: float = 0.25
    limits: DataLimits = field(default_factory=DataLimits)

    def __post_init__(self) -> None:
        _length(self.window, "data.window")
        _check.positive_integer(self.most, "data.most")
        _check.number(self.held_out, 0.01, 0.9, "data.held_out")
        _check.number(self.share, 0.0, 1.0, "data.share")


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """Attributes
    ----------
    start : "scratch": begin anew; "production": go on from the version that serves
    epochs, batch_size, learning_rate : None: chosen for the occasion, see `shgat.training.TrainingConfig`
    seed : of everything random, in training and in every comparison
    timeout : seconds of the training child
    memory_limit : MiB of its address space, None for any
    """

    start: Literal["scratch", "production"] = "scratch"
    epochs: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    seed: int = 0
    timeout: float = 3600.0
    memory_limit: int | None = None

    def __post_init__(self) -> None:
        _check.choice(self.start, ("scratch", "production"), "training.start")
        for name in ("epochs", "batch_size", "memory_limit"):
            if getattr(self, name) is not None:
                _check.positive_integer(getattr(self, name), f"training.{name}")
        if self.learning_rate is not None:
            _check.number(self.learning_rate, 1e-8, 1.0, "training.learning_rate")
        _check.seed(self.seed, "training.seed")
        _check.number(self.timeout, 1.0, 1e6, "training.timeout")


@dataclass(frozen=True, kw_only=True)
class EvaluationSettings:
    """Attributes
    ----------
    protocols : of "holdout", "temporal" (point in time) and "counterfactual", in any order; none: nothing is evaluated beside the gate
    test : share that tests in "holdout"
    temporal_train, temporal_test : windows of "temporal"
    """

    protocols: tuple[str, ...] = PROTOCOLS
    test: float = 0.2
    temporal_train: str = "14d"
    temporal_test: str = "4d"

    def __post_init__(self) -> None:
        for name in _check.texts(self.protocols, "evaluation.protocols"):
            _check.choice(name, PROTOCOLS, "evaluation.protocols")
        object.__setattr__(self, "protocols", tuple(self.protocols))
        _check.number(self.test, 0.01, 0.9, "evaluation.test")
        _length(self.temporal_train, "evaluation.temporal_train")
        _length(self.temporal_test, "evaluation.temporal_test")


@dataclass(frozen=True, kw_only=True)
class GateSettings:
    """Attributes
    ----------
    least : held-out intents, at least the 20 without which `shgat.registry.judge` says nothing
    floors : metric -> what the candidate has to reach on all held-out intents, a fraction
    """

    least: int = LEAST
    floors: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check.positive_integer(self.least, "gate.least")
        _check.number(self.least, LEAST, 1e9, "gate.least")
        for name, value in self.floors.items():
            _check.choice(name, FLOORS, "gate.floors")
            _check.number(value, 0.0, 1.0, f"gate.floors: {name}")


@dataclass(frozen=True, kw_only=True)
class CanarySettings:
    """Attributes
    ----------
    percent : of the sessions; 0: no canary, what passed the gate is promoted at once
    duration : how long it answers
    harm, p99_latency_ratio : of its guardrails, see `shgat.registry.Terms`
    least : answers of the canary; after fewer nothing is known of it, and it is not promoted
    least_executed : of them, with feedback
    """

    percent: float = 10.0
    duration: str = "1h"
    harm: float = 0.02
    p99_latency_ratio: float = 1.2
    least: int = 100
    least_executed: int = 20

    def __post_init__(self) -> None:
        if self.percent:
            _check.number(self.percent, 0.1, 50.0, "canary.percent")
        _length(self.duration, "canary.duration")
        _check.number(self.harm, 1e-3, 0.5, "canary.harm")
        _check.number(self.p99_latency_ratio, 1.0, 1e3, "canary.p99_latency_ratio")
        _check.number(self.least, 0, 1e9, "canary.least")
        _check.number(self.least_executed, 0, 1e9, "canary.least_executed")


@dataclass(frozen=True, kw_only=True)
class KeepSettings:
    """Attributes
    ----------
    versions : of the model, the newest; those that an alias names, and the one that a rollback returns to, stay in any case
    runs : of the pipeline, the newest
    """

    versions: int = 20
    runs: int = 50

    def __post_init__(self) -> None:
        _check.positive_integer(self.versions, "keep.versions")
        _check.positive_integer(self.runs, "keep.runs")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """A pipeline.

    Attributes
    ----------
    store : URL of the store, or "env:NAME" of the environment variable that holds it; one with a password in it is refused
    state : folder of the runs
    catalog : folder of the catalogue; None: the store's own copy
    track : where runs are kept beside other experiments, as `shgat.tracking.open_tracker` takes it; None: nowhere but in `state`
    user : whose model
    data, training, evaluation, gate, canary, keep : sections
    """

    store: str
    state: Path
    catalog: Path | None = None
    track: str | None = None
    user: str = "local"
    data: DataSettings = field(default_factory=DataSettings)
    training: TrainingSettings = field(default_factory=TrainingSettings)
    evaluation: EvaluationSettings = field(default_factory=EvaluationSettings)
    gate: GateSettings = field(default_factory=GateSettings)
    canary: CanarySettings = field(default_factory=CanarySettings)
    keep: KeepSettings = field(default_factory=KeepSettings)

    def __post_init__(self) -> None:
        _check.text(self.store, "store")
        _check.storable_text(self.user, "user")
        if self.track is not None:
            _check.text(self.track, "track")
        if not self.store.startswith("env:"):
            from sqlalchemy.engine import make_url

            from ..store.address import Address

            address = Address.parse(self.store)
            if make_url(self.store).password or address.options:
                raise InputError(f'{address.name}: a password is no part of this file: write store = "env:NAME", and set NAME')

    def to_dict(self) -> dict[str, Any]:
        """As JSON values, for the journal of a run; all but `state` and `track`, which say where that is."""
        sections = {f.name: getattr(self, f.name) for f in fields(self)}
        plain = {"store": self.store, "catalog": None if self.catalog is None else str(self.catalog), "user": self.user}
        nested = {name: asdict(value) for name, value in sections.items() if name not in (*plain, "state", "track")}
        nested["evaluation"]["protocols"] = list(self.evaluation.protocols)
        return {**plain, **nested}


def _length(text: str, what: str) -> float:
    try:
        return _check.number(duration(text), 1.0, _FOREVER, what)
    except InputError as error:
        raise InputError(f"{what}: {error}") from None
