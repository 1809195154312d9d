"""Two rankers on the same intents in figures: means with intervals, tests metric by metric, and a gate."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..metrics.gate import Verdict, compare, decide
from ..metrics.resampling import mean_intervals, paired_bootstrap, permutation_test
from .measurement import Measurement

CRITERION = "criterion"  # the name under which the mean of Recall@5, NDCG@5 and COMP@5 stands beside the metrics


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean over intents and its 95 % interval."""

    value: float
    ci_low: float
    ci_high: float


@dataclass(frozen=True, slots=True)
class PartSummary:
    """One part of the intents.

    Attributes
    ----------
    n : intents
    a, b, difference : metric -> mean of the first ranker, of the second, and of the first minus the second
    """

    n: int
    a: dict[str, Mean]
    b: dict[str, Mean]
    difference: dict[str, Mean]


@dataclass(frozen=True, slots=True)
class MetricTest:
    """One metric of a against b: means, difference with its bootstrap interval, p by bootstrap and by permutation."""

    metric: str
    a: float
    b: float
    mean_difference: float
    ci_low: float
    ci_high: float
    p_bootstrap: float
    p_permutation: float
    n: int


def summarize_pair(a: Measurement, b: Measurement, *, rng: np.random.Generator) -> dict[str, PartSummary]:
    """Means of both rankers and of their difference for "all", "warm" and "cold" intents, as far as there are any."""
    ours, theirs = _columns(a, b)
    names = list(ours)
    parts = {}
    for part, rows in a.parts.items():
        x, y = (np.stack([columns[name][rows] for name in names], axis=1) for columns in (ours, theirs))  # (n, M)
        table = np.concatenate([x, y, x - y], axis=1)
        low, high = mean_intervals(table, rng=rng)
        means = [Mean(*map(float, row)) for row in zip(table.mean(axis=0), low, high, strict=True)]
        m = len(names)
        thirds = (dict(zip(names, means[i * m : (i + 1) * m], strict=True)) for i in range(3))
        parts[part] = PartSummary(int(rows.sum()), *thirds)
    return parts


def compare_metrics(a: Measurement, b: Measurement, summary: PartSummary, *, rng: np.random.Generator) -> list[MetricTest]:
    """Paired bootstrap and permutation test of each metric over the intents that need something.

    Parameters
    ----------
    summary : of all intents, from `summarize_pair`. Its means and intervals are repeated: one run has one interval for one difference
    """
    ours, theirs = _columns(a, b)
    rows = a.parts["all"]
    tests = []
    for name in ours:
        x, y = ours[name][rows], theirs[name][rows]
        boot, swapped = paired_bootstrap(x, y, rng=rng), permutation_test(x, y, rng=rng)
        d = summary.difference[name]
        means = summary.a[name].value, summary.b[name].value, d.value
        tests.append(MetricTest(name, *means, d.ci_low, d.ci_high, boot.p_value, swapped.p_value, boot.n))
    return tests


def gate(a: Measurement, b: Measurement, *, rng: np.random.Generator, name_b: str = "the baseline") -> Verdict:
    """May a serve instead of b? See `shgat.metrics.gate`: better over all intents, and worse on no part of them."""
    _columns(a, b)  # of the same traces
    ours, theirs = a.criterion, b.criterion
    compared = (compare(name_b, part, ours[rows], theirs[rows], rng) for part, rows in a.parts.items())
    return decide([c for c in compared if c is not None], on_every_part=(name_b,))


def _columns(a: Measurement, b: Measurement) -> tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]]]:
    """The metrics of both and the criterion, (B,) each."""
    same = np.array_equal(a.relevance.indptr, b.relevance.indptr) and np.array_equal(a.relevance.indices, b.relevance.indices)
    if not same or a.metrics.keys() != b.metrics.keys():
        raise InputError("both rankers have to be measured on the same traces, with the same metrics")
    return {**a.metrics, CRITERION: a.criterion}, {**b.metrics, CRITERION: b.criterion}
