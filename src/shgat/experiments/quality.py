"""Ranking quality: baselines, SHGAT with its defaults, and SHGAT with parts taken out, on one data set.

Every method has the same embeddings, the same traces and the same metrics over the whole catalogue. Nothing is chosen by `test`.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from .._types import Bool, Float32, Float64
from ..config import SHGATConfig
from ..metrics.resampling import paired_bootstrap
from ..model.channels import CHANNELS
from ..shgat import SHGAT
from ..training.trainer import Epoch
from ..training.validation import by_part
from . import baselines, confidence, peers
from .dataset import Dataset

Metrics = dict[str, Float64]
OnEpoch = Callable[[Epoch], None]

INTERVALS = ("recall@5", "comp@5")  # metrics that come with intervals
RESAMPLES = 2000


@dataclass(frozen=True)
class Variant:
    """SHGAT with something taken out or put in: another configuration, or options of `fit`."""

    config: SHGATConfig = field(default_factory=SHGATConfig)
    options: Mapping[str, Any] = field(default_factory=dict)


def _without(*channels: str) -> Variant:
    return Variant(options={"channels": tuple(c for c in CHANNELS if c not in channels)})


CHOICES = (
    "message_passing",
    "node_offsets",
    "words",
)  # of `fit`; an ablation keeps those of the default but for the one it is about
ABLATIONS = {
    "shgat_no_message_passing": Variant(options={"message_passing": False}),
    "shgat_message_passing": Variant(options={"message_passing": True}),
    "shgat_no_route": _without("route"),
    "shgat_no_lexical": _without("lexical", "usage", "word_memory"),
    "shgat_no_words": Variant(options={"words": False}),
    "shgat_words": Variant(options={"words": True}),
    "shgat_no_offsets": Variant(options={"node_offsets": False}),
    "shgat_offsets": Variant(options={"node_offsets": True}),
    "shgat_no_memory": _without("memory", "word_memory"),
    "shgat_gat": Variant(SHGATConfig(attention="gat")),
}
BASELINES: dict[str, Callable[[Dataset], Float32]] = {
    "cosine": lambda data: baselines.cosine(data.intents, data.tools),
    "bm25": lambda data: baselines.bm25(data.texts, [t.text or t.id for t in data.catalog.tools]),
    "rrf": lambda data: baselines.rrf(BASELINES["cosine"](data), BASELINES["bm25"](data)),
    "knn": lambda data: baselines.knn(data.intents, data.tools, *data.past),
    "tool2vec": lambda data: baselines.tool2vec(data.intents, data.tools, *data.past),
}
UNTRAINED = ("cosine", "bm25", "rrf")  # what a trained ranker must not fall below, on warm and on cold intents


@dataclass(frozen=True, eq=False)
class Run:
    """One method with one seed. seconds: processor time of its training; about: what is worth knowing of it."""

    seed: int
    metrics: Metrics
    seconds: float = 0.0
    about: Mapping[str, Any] = field(default_factory=dict)


def baseline(data: Dataset, name: str) -> Run:
    """A method that has nothing random. Cosine is what a model ranks by before it is trained, so its best scores are judged too."""
    own = confidence.Intents(data.intents, data.texts)
    areas = confidence.abstention(SHGAT.from_catalog(data.catalog), own, data.outside) if name == "cosine" else {}
    return Run(0, data.metrics(BASELINES[name](data)), about={"abstention": areas} if areas else {})


def linear_adapter(data: Dataset, seed: int) -> Run:
    """The trained map of intents."""
    began = time.process_time()
    scores = baselines.linear_adapter(data.intents, data.tools, *data.past, np.random.default_rng(seed))
    return Run(seed, data.metrics(scores), time.process_time() - began)


def peer(data: Dataset, name: str, seed: int) -> Run:
    """A method of others that learns; see `peers`."""
    scores, seconds, about = peers.callbus(data, seed, peers.SETTINGS[name])
    return Run(seed, data.metrics(scores), seconds, about)


def shgat(data: Dataset, seed: int, variant: Variant | None = None, on_epoch: OnEpoch | None = None) -> Run:
    """SHGAT with its defaults, or with something taken out. Where `fit` refuses its own result, the untrained model is scored."""
    variant = variant or Variant()
    model = SHGAT.from_catalog(data.catalog, variant.config)
    began = time.process_time()
    report = model.fit(data.train, seed=seed, on_epoch=on_epoch, **variant.options)
    seconds = time.process_time() - began
    about: dict[str, Any] = {
        "accepted": report.accepted,
        "reason": report.reason,
        "choices": {name: report.choices[name] for name in CHOICES},
        "trials": [asdict(trial) for trial in report.trials],
        "weights": report.weights,
        "held_out": report.validation,  # on which a change of the recipe may be judged, unlike on `test`
    }
    if report.accepted:
        p = model.probabilities(data.intents, texts=data.texts)
        about["calibration"] = confidence.calibration(p, data.wanted, data.cold, np.random.default_rng(seed))
        about["min_scores"] = report.min_scores
    areas = confidence.abstention(model, confidence.Intents(data.intents, data.texts), data.outside)
    if areas:
        about["abstention"] = areas
    return Run(seed, data.metrics(model.score(data.intents, texts=data.texts)), seconds, about)


def measured(
    data: Dataset, seeds: Sequence[int], ablations: bool = False, on_epoch: OnEpoch | None = None, others: bool = False
) -> Iterator[tuple[str, Run]]:
    """(method, run) one after the other: baselines first, then SHGAT and, if asked for, its ablations.

    `others`: also those of `peers`. An ablation is measured whether it would be handed out or not; one that is what the default chose
    anyway is not trained twice.
    """
    for name in BASELINES:
        yield name, baseline(data, name)
    for seed in seeds:
        yield "linear_adapter", linear_adapter(data, seed)
    for name in peers.SETTINGS if others else ():
        for seed in seeds:
            yield name, peer(data, name, seed)
    for seed in seeds:
        default = shgat(data, seed, on_epoch=on_epoch)
        yield "shgat", default
        chosen = default.about["choices"]
        for name, variant in ABLATIONS.items() if ablations else ():
            options = {**chosen, **variant.options}
            same = (variant.config, options) == (SHGATConfig(), chosen)
            yield name, default if same else shgat(data, seed, replace(variant, options={**options, "force": True}), on_epoch)


@dataclass(frozen=True, eq=False)
class Result:
    """One method over all its seeds; cold (B,) says which test intents need a tool without training traces."""

    runs: Sequence[Run]
    cold: Bool

    @cached_property
    def metrics(self) -> Metrics:
        """(B,) of each test intent, mean over seeds."""
        return {name: np.mean([run.metrics[name] for run in self.runs], axis=0) for name in self.runs[0].metrics}

    @property
    def seconds(self) -> float:
        """Processor time of one training, mean over seeds."""
        return float(np.mean([run.seconds for run in self.runs]))

    def mean(self, metric: str, part: str = "all") -> float:
        """NaN where the part has no intent."""
        values = self._values(metric, part)
        return float(values.mean()) if len(values) else float("nan")

    def interval(self, metric: str, part: str = "all", less: "Result | None" = None) -> tuple[float, float]:
        """95 % interval of the mean, or of the mean difference to another method, by bootstrap over intents; NaN without any."""
        ours = self._values(metric, part)
        theirs = np.zeros_like(ours) if less is None else less._values(metric, part)
        if not len(ours):
            return float("nan"), float("nan")
        test = paired_bootstrap(ours, theirs, rng=np.random.default_rng(0), n_resamples=RESAMPLES)
        return test.ci_low, test.ci_high

    def to_dict(self, against: Mapping[str, "Result"]) -> dict[str, Any]:
        """Means over all test intents, and under further keys: intervals, parts, seeds, differences to other methods."""
        parts = by_part(self.metrics, self.cold)
        everything = parts.get("all", {})
        return {
            **{name: value for name, value in everything.items() if name != "n"},
            "n": everything.get("n", 0),
            "seconds": self.seconds,
            "intervals": {part: {m: self.interval(m, part) for m in INTERVALS} for part in parts},
            "parts": parts,
            "differences": {
                name: {part: {m: self._difference(m, part, other) for m in INTERVALS} for part in parts}
                for name, other in against.items()
            },
            "seeds": [
                {"seed": r.seed, "seconds": r.seconds, **{m: float(np.nanmean(r.metrics[m])) for m in INTERVALS}, **r.about}
                for r in self.runs
            ],
        }

    def _difference(self, metric: str, part: str, other: "Result") -> tuple[float, float, float]:
        return self.mean(metric, part) - other.mean(metric, part), *self.interval(metric, part, other)

    def _values(self, metric: str, part: str) -> Float64:
        values = self.metrics[metric]
        rows = {"all": np.ones(len(self.cold), bool), "warm": ~self.cold, "cold": self.cold}[part]
        return values[rows & ~np.isnan(values)]
