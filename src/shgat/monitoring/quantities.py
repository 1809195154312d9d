"""What a rule compares with its limit: computed here from a history, or by Prometheus from the expression that it is written as."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from .history import History, Matching

EACH = "job, instance"  # a target of Prometheus
Labelled = Mapping[str, str | tuple[str, ...]]


class Quantity(Protocol):
    """Attributes
    ----------
    record : name under which Prometheus records it, "" where it is a series already
    """

    @property
    def record(self) -> str: ...

    def value(self, history: History) -> float | None:
        """Now; None where there is nothing to say."""
        ...

    def worst_lately(self, history: History) -> float | None:
        """The worst that it was within the window, as far as that is remembered."""
        ...

    def expression(self, window: str) -> str:
        """For Prometheus, over a window as it writes durations."""
        ...

    def expression_lately(self, window: str) -> str:
        """For Prometheus, of `worst_lately`."""
        ...


@dataclass(frozen=True)
class Gauge:
    """The worst of the series that match.

    Attributes
    ----------
    name : of the series
    labels : label -> value, or several
    worst : which of several is the worst
    """

    name: str
    labels: Labelled = field(default_factory=dict)
    worst: Literal["max", "min"] = "max"
    record: str = ""

    def value(self, history: History) -> float | None:
        found = history.values(self.name, _matching(self.labels))
        return None if not found else max(found) if self.worst == "max" else min(found)

    def worst_lately(self, history: History) -> float | None:
        found = history.lately(self.name, _matching(self.labels))
        return None if not found else max(found) if self.worst == "max" else min(found)

    def expression(self, window: str) -> str:
        return f"{self.worst} by ({EACH}) ({_selected(self.name, self.labels)})"

    def expression_lately(self, window: str) -> str:
        return f"{self.worst} by ({EACH}) ({self.worst}_over_time({_selected(self.name, self.labels)}[{window}]))"


class _Windowed:
    """What looks back over the window anyway."""

    record: str

    def value(self, history: History) -> float | None:
        raise NotImplementedError

    def worst_lately(self, history: History) -> float | None:
        return self.value(history)

    def expression_lately(self, window: str) -> str:
        return self.record


@dataclass(frozen=True)
class Share(_Windowed):
    """Of what was counted in the window, the part with some labels.

    Attributes
    ----------
    record : name under which it is recorded
    part, whole : counters
    of_part, of_whole : their labels
    least : of the whole, below which a share says nothing
    """

    record: str
    part: str
    whole: str
    of_part: Labelled = field(default_factory=dict)
    of_whole: Labelled = field(default_factory=dict)
    least: int = 20

    def value(self, history: History) -> float | None:
        whole = sum(history.increases(self.whole, _matching(self.of_whole)).values())
        part = sum(history.increases(self.part, _matching(self.of_part)).values())
        return part / whole if whole >= self.least else None

    def expression(self, window: str) -> str:
        part, whole = (
            f"sum by ({EACH}) (increase({_selected(name, labels)}[{window}]))"
            for name, labels in ((self.part, self.of_part), (self.whole, self.of_whole))
        )
        return f"{part} / ({whole} >= {self.least})"


@dataclass(frozen=True)
class Quantile(_Windowed):
    """Of a histogram, over the window; within a bucket by a straight line, as Prometheus does it.

    Attributes
    ----------
    record : name under which it is recorded
    q : 0 to 1
    name : of the histogram
    least : observations below which it says nothing
    """

    record: str
    q: float
    name: str
    labels: Labelled = field(default_factory=dict)
    least: int = 20

    def value(self, history: History) -> float | None:
        upto: dict[float, float] = {}
        for labels, n in history.increases(f"{self.name}_bucket", _matching(self.labels)).items():
            bound = float(dict(labels)["le"].replace("+Inf", "inf"))
            upto[bound] = upto.get(bound, 0.0) + n
        bounds = sorted(upto)
        if not bounds or upto[bounds[-1]] < self.least:
            return None
        rank, low, below = self.q * upto[bounds[-1]], 0.0, 0.0
        for bound in bounds:
            if upto[bound] >= rank and upto[bound] > below:
                return low if bound == float("inf") else low + (bound - low) * (rank - below) / (upto[bound] - below)
            low, below = bound, upto[bound]
        return low

    def expression(self, window: str) -> str:
        rate = f"sum by ({EACH}, le) (rate({_selected(f'{self.name}_bucket', self.labels)}[{window}]))"
        count = f"sum by ({EACH}) (increase({_selected(f'{self.name}_count', self.labels)}[{window}]))"
        return f"histogram_quantile({self.q}, {rate}) and ({count} >= {self.least})"


def _matching(labels: Labelled) -> Matching:
    return {name: (value,) if isinstance(value, str) else value for name, value in labels.items()}


def _selected(name: str, labels: Labelled) -> str:
    parts = [f'{k}="{v}"' if isinstance(v, str) else f'{k}=~"{"|".join(v)}"' for k, v in labels.items()]
    return name + ("{" + ", ".join(parts) + "}" if parts else "")
