"""An experiment, and a run of it: what was tried, with what, and what came of it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from .. import _check
from ..errors import InputError

Status = Literal["running", "completed", "failed", "killed"]
STATUSES: tuple[Status, ...] = ("running", "completed", "failed", "killed")


@dataclass(frozen=True)
class Experiment:
    """What is asked, in runs that can be compared.

    Attributes
    ----------
    name : of the experiment
    hypothesis : what is expected, in words, "" where nobody said
    metrics : names of the figures that decide
    """

    name: str = "default"
    hypothesis: str = ""
    metrics: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check.storable_text(self.name, "the name of an experiment")
        if self.hypothesis:
            _check.storable_text(self.hypothesis, "a hypothesis")
        _check.storable_texts(self.metrics, "the metrics of an experiment")


@dataclass(frozen=True)
class Run:
    """One run.

    Attributes
    ----------
    id : unique
    experiment, hypothesis, decisive : of its experiment; `decisive` are the metrics that decide
    status : "running", "completed", "failed" (by an exception) or "killed" (its process is gone)
    started_at, ended_at : seconds since the epoch, None while it runs
    parameters, tags : name -> value, JSON; what looks like a secret is masked
    figures : metric -> its last value
    artefacts : names of what was kept
    error : of a run that failed, its type
    """

    id: str
    experiment: str
    hypothesis: str = ""
    decisive: tuple[str, ...] = ()
    status: Status = "running"
    started_at: float = 0.0
    ended_at: float | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    figures: Mapping[str, float] = field(default_factory=dict)
    artefacts: tuple[str, ...] = ()
    error: str = ""

    @property
    def seconds(self) -> float | None:
        """That it took, None while it runs."""
        return None if self.ended_at is None else self.ended_at - self.started_at

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {**asdict(self), "seconds": self.seconds}


@dataclass(frozen=True, slots=True)
class Point:
    """A figure at a step of a run.

    Attributes
    ----------
    name : metric
    step : epoch, or whatever is counted
    at : seconds since the epoch
    """

    name: str
    value: float
    step: int
    at: float


def artefact_name(name: object) -> str:
    """A name that can be a file's, wherever it is kept."""
    text = _check.storable_text(name, "the name of an artefact")
    if text in (".", "..") or text.startswith(".") or not set(text).isdisjoint('/\\:*?"<>|') or len(text.encode()) > 200:
        raise InputError(f"the name of an artefact is that of a file, without / and not hidden, not {_check.brief(text)}")
    return text
