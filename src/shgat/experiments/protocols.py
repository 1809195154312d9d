"""Protocols run to the end: for each split a model is trained on what was known, and measured beside frozen cosine."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np

from .._types import Bool, Int32, Int64
from ..bulk import Carried
from ..config import SHGATConfig
from ..errors import InputError
from ..executor import Executor, Serial, Tell
from ..graph import Catalog
from ..metrics.splits import Split, cold_tool_split, duration, holdout, k_folds, rolling_windows
from ..shgat import SHGAT
from ..traces.columns import Traces
from ..training.report import TrainReport
from .measurement import Measurement, left_out, measure, measure_cosine
from .pair import CRITERION
from .point_in_time import Rule, known, moved


@dataclass(frozen=True, eq=False)
class Trial:
    """One split.

    Attributes
    ----------
    name : "holdout", "fold 2 of 5", or the days that test
    split : rows of the traces that trained and tested
    model : as `fit` left it; one that was refused ranks as cosine does
    report : of `fit`
    ours, cosine : on the rows that test, over the whole catalogue
    """

    name: str
    split: Split
    model: SHGAT
    report: TrainReport
    ours: Measurement
    cosine: Measurement

    @property
    def counted(self) -> int:
        """Intents that metrics count: those that test and succeeded with a tool."""
        return int(self.ours.parts["all"].sum())

    def means(self) -> dict[str, dict[str, float]]:
        """ "shgat" and "cosine" -> metric -> mean over the intents that need something."""
        return {name: _means(m) for name, m in (("shgat", self.ours), ("cosine", self.cosine))}


@dataclass(frozen=True, eq=False)
class Trials:
    """All trials of one protocol, in order.

    Attributes
    ----------
    passed_over : (name, why) of splits that could not be trained or tested on
    """

    protocol: str
    trials: tuple[Trial, ...]
    passed_over: tuple[tuple[str, str], ...] = ()

    def remarks(self, traces: Traces) -> list[str]:
        """What was left out of the figures, and why; `traces` are those that the protocol was run on."""
        tested = np.unique(np.concatenate([t.split.test for t in self.trials]))
        notes = left_out(traces.take(tested))
        if len(tested) < len(traces):
            notes.append(f"{len(tested)} of {len(traces)} traces were in a part that tests.")
        return [*notes, *(f"{name} was passed over: {why}." for name, why in self.passed_over)]

    def pooled(self) -> tuple[Measurement, Measurement]:
        """(ours, cosine) over the test intents of all trials, each scored by the model that did not train on it."""
        return Measurement.pooled([t.ours for t in self.trials]), Measurement.pooled([t.cosine for t in self.trials])

    def mean(self) -> dict[str, dict[str, float]]:
        """Means over trials, each trial counting once."""
        return self._over_trials(np.mean)

    def standard_deviation(self) -> dict[str, dict[str, float]]:
        """Between trials, n - 1; NaN for one trial."""
        return self._over_trials(lambda values: np.std(values, ddof=1) if len(values) > 1 else np.nan)

    def _over_trials(self, statistic: Callable[[list[float]], Any]) -> dict[str, dict[str, float]]:
        rows = [t.means() for t in self.trials]
        return {who: {m: float(statistic([r[who][m] for r in rows])) for m in rows[0][who]} for who in rows[0]}


@dataclass(frozen=True, eq=False, kw_only=True)
class Recipe:
    """How every model of a protocol is made.

    Attributes
    ----------
    config : of the model, None for the default
    options : of `fit`, such as epochs
    seed : of splits, start and training
    on_trial : called after each trial
    executor : where trials run at once, None for here, one after the other; the figures are the same
    """

    config: SHGATConfig | None = None
    options: Mapping[str, Any] | None = None
    seed: int = 0
    on_trial: Callable[[Trial], None] | None = None
    executor: Executor | None = None

    def rng(self) -> np.random.Generator:
        """Draws the splits."""
        return np.random.default_rng([self.seed, 17])


def run_holdout(catalog: Catalog, traces: Traces, recipe: Recipe, *, test: float = 0.2) -> Trials:
    """One random split; traces with the same text stay together."""
    groups = _groups(traces)
    _several("holdout", traces, groups, 2)
    split = holdout(len(traces), recipe.rng(), test=test, groups=groups)
    return _run("holdout", catalog, traces, [("holdout", split)], recipe)


def run_cross_validation(catalog: Catalog, traces: Traces, recipe: Recipe, *, k: int = 5) -> Trials:
    """k folds, in which each trace tests once; traces with the same text stay together."""
    groups = _groups(traces)
    _several("cv", traces, groups, k)
    folds = k_folds(len(traces), k, recipe.rng(), groups=groups)
    return _run("cv", catalog, traces, ((f"fold {i + 1} of {k}", fold) for i, fold in enumerate(folds)), recipe)


def run_temporal(
    catalog: Catalog, traces: Traces, recipe: Recipe, *, train: str = "30d", test: str = "7d", embargo: str = "0d"
) -> Trials:
    """Rolling windows: nothing that happened after a training window changes one bit of what is trained on it.

    Only capabilities for which traces of the window vouch are known, and success rates are counted over the window.
    """
    untimed = np.isnan(traces.timestamp)
    if untimed.any():
        raise InputError(f"trace {str(traces.ids[int(untimed.argmax())])!r} has no timestamp: temporal windows need one for each")
    windows = list(rolling_windows(traces.timestamp, train=train, test=test, embargo=embargo))
    if not windows:
        days = (float(traces.timestamp.max()) - float(traces.timestamp.min())) / duration("1d")
        raise InputError(f"the traces span {days:.1f} days: no window of {train} is followed by one of {test} with traces")
    named = ((f"{_day(traces, w.test, np.min)} to {_day(traces, w.test, np.max)}", w) for w in windows)
    return _run("temporal", catalog, traces, named, recipe, rule="vouched")


def run_cold_tools(catalog: Catalog, traces: Traces, recipe: Recipe, *, share: float = 0.2) -> Trials:
    """Tools that training never meets, in no capability and in no trace: every test intent needs one of them."""
    split = cold_tool_split(traces.relevant, len(catalog.tools), recipe.rng(), share=share)
    rows = np.flatnonzero(~np.isin(np.arange(len(traces)), split.test))
    touched = traces.tools.touching(np.isin(np.arange(len(catalog.tools)), split.cold))
    train = rows[~touched[rows]]  # failed traces too, unless they ran a cold tool
    return _run("cold", catalog, traces, [("cold tools", Split(train, split.test))], recipe, cold=split.cold)


@dataclass(frozen=True, eq=False)
class _Ground:
    """What the trials of a protocol share."""

    catalog: Catalog
    traces: Traces
    recipe: Recipe
    rule: Rule
    cold: Int64 | None


@dataclass(frozen=True, eq=False)
class _Came:
    """What comes of a split."""

    carried: Carried
    report: TrainReport
    ours: Measurement
    cosine: Measurement


def _tried(ground: _Ground, split: Split, _tell: Tell) -> _Came:
    """A task for an executor: a model is trained on one part and measured on the other."""
    recipe, cold = ground.recipe, ground.cold
    before = known(ground.catalog, ground.traces, split.train, rule=ground.rule, cold=cold)
    model = SHGAT.from_catalog(before, recipe.config, recipe.seed)
    past, later = (moved(ground.traces.take(rows), ground.catalog, before) for rows in split)
    report = model.fit(_without(past, cold), seed=recipe.seed, **(recipe.options or {}))
    unseen = np.bincount(past.tools.indices, minlength=len(before.tools)) == 0
    ours, cosine = measure(model, later, unseen=unseen), measure_cosine(before, later, unseen=unseen)
    return _Came(Carried(model), report, ours, cosine)


def _run(
    protocol: str,
    catalog: Catalog,
    traces: Traces,
    splits: Iterable[tuple[str, Split]],
    recipe: Recipe,
    rule: Rule = "not-later",
    cold: Int64 | None = None,
) -> Trials:
    wanted = traces.relevant.degrees > 0
    usable, passed_over = list[tuple[str, Split]](), []
    for name, split in splits:
        fault = _unusable(wanted[split.test], traces.tools.degrees[split.train])
        if fault:
            passed_over.append((name, fault))
        else:
            usable.append((name, split))
    executor, trials = recipe.executor or Serial(), list[Trial]()
    ground = executor.share(_Ground(catalog, traces, replace(recipe, on_trial=None, executor=None), rule, cold))
    for (name, split), came in zip(usable, executor.map(_tried, ground, [split for _, split in usable]), strict=True):
        trials.append(Trial(name, split, came.carried.model, came.report, came.ours, came.cosine))
        if recipe.on_trial is not None:
            recipe.on_trial(trials[-1])
    if not trials:
        raise InputError(
            f"{protocol}: there is nothing to measure, as {'; '.join(f'{name} has {why}' for name, why in passed_over)}"
        )
    return Trials(protocol, tuple(trials), tuple(passed_over))


def _unusable(wanted: Bool, learnable: Int32) -> str:
    """Why a split cannot be used, "" where it can."""
    if not wanted.any():
        return f"no successful trace among the {len(wanted)} that test"
    return "" if learnable.any() else f"no trace with a tool among the {len(learnable)} that train"


def _without(traces: Traces, cold: Int64 | None) -> Traces:
    """The traces without cold tools in their context."""
    if cold is None:
        return traces
    keep = ~np.isin(traces.context.indices, cold)
    return replace(traces, context=traces.context.keeping(keep))


def _means(m: Measurement) -> dict[str, float]:
    rows = m.parts["all"]
    return {name: float(values[rows].mean()) for name, values in {CRITERION: m.criterion, **m.metrics}.items()}


def _groups(traces: Traces) -> list[str]:
    """Traces with the same text are one group; one without text is its own."""
    return [f"text {traces.texts[i]}" if traces.texts[i] else f"id {key}" for i, key in enumerate(traces.ids.tolist())]


def _several(protocol: str, traces: Traces, groups: list[str], least: int) -> None:
    """Are there as many different intents as parts? Traces that say the same may not stand on both sides of a split."""
    found = len(set(groups))
    if found < least:
        fewer = (
            f"or ask for {found} folds"
            if protocol == "cv" and found > 1
            else "as no intent could be tested that training had not met"
        )
        raise InputError(
            f"{protocol} needs at least {least} different intents, and the {len(traces)} traces hold {found} "
            f"(the first is {groups[0][:80]!r}): bring traces of more intents, {fewer}"
        )


def _day(traces: Traces, rows: Int64, pick: Callable[[Any], Any]) -> str:
    return datetime.fromtimestamp(float(pick(traces.timestamp[rows])), UTC).strftime("%Y-%m-%d")
