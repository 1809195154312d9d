"""Is one model better than another? Tests over the same queries, paired."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .._types import Float64
from ..errors import InputError

_BLOCK = 1 << 20  # resampled values at a time


@dataclass(frozen=True, slots=True)
class PairedTest:
    """Model a against model b on one metric.

    Attributes
    ----------
    mean_difference : mean of a - b, positive where a is better
    ci_low, ci_high : its confidence interval; NaN for a test that gives none
    p_value : two-sided, of no difference
    n : queries that both have a value for
    """

    mean_difference: float
    ci_low: float
    ci_high: float
    p_value: float
    n: int


def paired_bootstrap(
    a: ArrayLike, b: ArrayLike, *, rng: np.random.Generator, n_resamples: int = 10_000, confidence: float = 0.95
) -> PairedTest:
    """Percentile bootstrap of the mean difference over queries (Efron and Tibshirani, 1993, chapter 13).

    p = 2 min(P(m* <= 0), P(m* >= 0)) over the resampled means m*, each share counting the sample itself once.

    Parameters
    ----------
    a, b : (B,) one metric of the same queries under the two models; a query that is NaN under either is left out.
    """
    difference = _differences(a, b, n_resamples)
    if not 0.0 < confidence < 1.0:
        raise InputError(f"confidence lies in (0, 1), not {confidence}")
    means = _resampled_means(difference, n_resamples, rng)
    low, high = np.quantile(means, [(1.0 - confidence) / 2.0, (1.0 + confidence) / 2.0])
    beyond = min(np.count_nonzero(means <= 0.0), np.count_nonzero(means >= 0.0))
    p_value = min(1.0, 2.0 * float(1 + beyond) / (1 + n_resamples))
    return PairedTest(float(difference.mean()), float(low), float(high), p_value, difference.size)


def permutation_test(a: ArrayLike, b: ArrayLike, *, rng: np.random.Generator, n_resamples: int = 10_000) -> PairedTest:
    """Sign-flip permutation test: under no difference each query's a and b may be swapped (Fisher, 1935).

    p = (1 + |{m*: |m*| >= |m|}|) / (1 + n_resamples), valid at every size (Phipson and Smyth, 2010). No interval.

    Parameters
    ----------
    a, b : (B,) one metric of the same queries under the two models; a query that is NaN under either is left out.
    """
    difference = _differences(a, b, n_resamples)
    mean = float(difference.mean())
    moved = np.abs(difference[difference != 0.0])  # a query without a difference stays as it is under a swap
    rounding = 1e-12 * float(moved.sum())  # sums in another order are equal sums
    as_far = np.count_nonzero(np.abs(_flipped_sums(moved, n_resamples, rng)) >= abs(difference.sum()) - rounding)
    return PairedTest(mean, float("nan"), float("nan"), float(1 + as_far) / (1 + n_resamples), difference.size)


def mean_intervals(values: ArrayLike, *, rng: np.random.Generator, n_resamples: int = 2000, confidence: float = 0.95) -> Float64:
    """Percentile bootstrap intervals of the means of M metrics of B queries, resampled together; (2, M), low and high.

    Parameters
    ----------
    values : (B, M) without NaN, B at least 1
    """
    x = np.asarray(values, np.float64)
    if x.ndim != 2 or not len(x) or np.isnan(x).any():
        raise InputError(f"values are (B, M) numbers of at least one query, not {x.shape} or with NaN")
    means = np.empty((n_resamples, x.shape[1]))
    for rows in _blocks(n_resamples, len(x)):
        drawn = rng.multinomial(len(x), np.full(len(x), 1.0 / len(x)), rows.stop - rows.start)  # how often each query
        means[rows] = drawn @ x / len(x)
    return np.quantile(means, [(1.0 - confidence) / 2.0, (1.0 + confidence) / 2.0], axis=0)


def clustered_intervals(
    values: ArrayLike, groups: ArrayLike, *, rng: np.random.Generator, n_resamples: int = 2000, confidence: float = 0.95
) -> Float64:
    """Percentile bootstrap intervals of the means of M metrics of B rows that come in groups, which are resampled whole; (2, M).

    The rows of a session are alike: to draw them one by one would give intervals that are too narrow (Field and Welsh, 2007). A resampled
    mean is the sum over the drawn groups by the number of their rows.

    Parameters
    ----------
    values : (B, M) without NaN, B at least 1
    groups : (B,) the group of each row, in any values
    """
    x, of = np.asarray(values, np.float64), np.unique(np.asarray(groups), return_inverse=True)[1]
    if x.ndim != 2 or not len(x) or np.isnan(x).any() or of.shape != (len(x),):
        raise InputError(f"values are (B, M) numbers of at least one row, with a group each, not {x.shape} or with NaN")
    n_groups = int(of.max()) + 1
    sums, sizes = np.zeros((n_groups, x.shape[1])), np.bincount(of, minlength=n_groups)
    np.add.at(sums, of, x)
    means = np.empty((n_resamples, x.shape[1]))
    for rows in _blocks(n_resamples, n_groups):
        drawn = rng.multinomial(n_groups, np.full(n_groups, 1.0 / n_groups), rows.stop - rows.start)
        means[rows] = (drawn @ sums) / (drawn @ sizes)[:, None]
    return np.quantile(means, [(1.0 - confidence) / 2.0, (1.0 + confidence) / 2.0], axis=0)


def _differences(a: ArrayLike, b: ArrayLike, n_resamples: int) -> Float64:
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if a.ndim != 1 or a.shape != b.shape:
        raise InputError(f"a and b are metrics of the same queries, one-dimensional, not {a.shape} and {b.shape}")
    if n_resamples < 1:
        raise InputError(f"n_resamples is at least 1, not {n_resamples}")
    difference: Float64 = (a - b)[~np.isnan(a - b)]
    if not difference.size:
        raise InputError("a and b have no query that both have a value for")
    return difference


def _resampled_means(values: Float64, n_resamples: int, rng: np.random.Generator) -> Float64:
    """Means of n_resamples samples with replacement; (n_resamples,)."""
    distinct, counts = np.unique(values, return_counts=True)
    means = np.empty(n_resamples)
    few = distinct.size <= values.size // 8  # hits and misses: how often each value is drawn is multinomial
    for rows in _blocks(n_resamples, distinct.size if few else values.size):
        shape = rows.stop - rows.start
        if few:
            means[rows] = rng.multinomial(values.size, counts / values.size, shape) @ distinct / values.size
        else:
            means[rows] = values[rng.integers(0, values.size, (shape, values.size), np.uint32)].mean(axis=1)
    return means


def _flipped_sums(values: Float64, n_resamples: int, rng: np.random.Generator) -> Float64:
    """Sums of the values under n_resamples draws of random signs; (n_resamples,)."""
    distinct, counts = np.unique(values, return_counts=True)
    sums = np.empty(n_resamples)
    few = distinct.size <= values.size // 8  # of c equal values Binomial(c, 1/2) keep their sign
    for rows in _blocks(n_resamples, distinct.size if few else values.size):
        shape = rows.stop - rows.start
        if few:
            kept = rng.binomial(counts, 0.5, (shape, distinct.size)) @ distinct
        else:
            coins = rng.integers(0, 256, (shape, -(-values.size // 8)), np.uint8)
            kept = np.unpackbits(coins, axis=1, count=values.size) @ values
        sums[rows] = 2.0 * kept - values.sum()
    return sums


def _blocks(n_resamples: int, width: int) -> Iterator[slice]:
    step = max(1, _BLOCK // max(1, width))
    return (slice(start, min(start + step, n_resamples)) for start in range(0, n_resamples, step))
