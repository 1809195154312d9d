"""Learning curves: the test split after more and more feedbacks, by what learned from them and by what did not."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from .._json import none_for_not_finite
from .._types import Float64

METRICS = ("recall@5", "comp@5")

Metrics = dict[str, Float64]


@dataclass(frozen=True, eq=False)
class Look:
    """The test split after so many feedbacks: method -> metric -> (B,) of each test intent. about: of the gateway."""

    feedbacks: int
    methods: dict[str, Metrics]
    about: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Served:
    """A version that came to serve: its mean Recall@5 less that of frozen cosine on the test split, and the standard error of that."""

    feedbacks: int
    version: str
    gain: float
    error: float


@dataclass(frozen=True, eq=False)
class Curves:
    """Several streams over one set under the same conditions.

    Attributes
    ----------
    streams : the looks of each, after the same numbers of feedbacks
    served : the versions that served in each
    """

    streams: Sequence[Sequence[Look]]
    served: Sequence[Sequence[Served]] = ()

    @property
    def feedbacks(self) -> list[int]:
        """At each look."""
        return [look.feedbacks for look in self.streams[0]]

    def mean(self, method: str, metric: str = "recall@5") -> list[float]:
        """At each look, over test intents that want something, then over streams; NaN where the method was not looked at."""
        means = [[_mean(look, method, metric) for look in looks] for looks in self.streams]
        return [float(value) for value in np.mean(means, axis=0)]

    def area(self, method: str = "shgat", metric: str = "recall@5") -> float:
        """Under the curve of means, per feedback."""
        n, y = np.array(self.feedbacks, np.float64), np.array(self.mean(method, metric))
        return float((np.diff(n) * (y[1:] + y[:-1])).sum() / (2.0 * n[-1])) if n[-1] else float(y[-1])

    def way(self, metric: str = "recall@5", *, of_same: bool = False) -> list[float]:
        """At each look, the share of the way from cosine to full labels: of the whole stream, or of the same intents. NaN: there is none."""
        ours, cosine, full = (self.mean(method, metric) for method in ("shgat", "cosine", "full_labels"))
        goals = full if of_same else full[-1:] * len(full)
        return [(o - c) / (f - c) if f > c else float("nan") for o, c, f in zip(ours, cosine, goals, strict=True)]

    @property
    def worst(self) -> Served | None:
        """The version that did worst beside cosine, in standard errors; None where none came to serve."""
        found = [version for versions in self.served for version in versions]
        return min(found, key=lambda version: version.gain / max(version.error, 1e-9), default=None)

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        first = self.streams[0]
        methods = dict.fromkeys(name for look in first for name in look.methods)
        return {
            "feedbacks": self.feedbacks,
            "methods": none_for_not_finite({name: {metric: self.mean(name, metric) for metric in METRICS} for name in methods}),
            "way": none_for_not_finite({"of_all": self.way(), "of_same": self.way(of_same=True)}),
            "area": none_for_not_finite({name: self.area(name) for name in methods}),
            "served": [[asdict(version) for version in versions] for versions in self.served],
            "gateway": [[look.about for look in looks] for looks in self.streams],
        }


def _mean(look: Look, method: str, metric: str) -> float:
    return float(np.nanmean(look.methods[method][metric])) if method in look.methods else float("nan")
