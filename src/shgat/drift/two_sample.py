"""Do two samples come of one distribution? Statistics and p-values; arrays in, numbers out."""

from collections.abc import Iterator

import numpy as np

from .._types import Bool, Float64
from ..errors import InputError

_TERMS = 100  # of Kolmogorov's series; the last are far below rounding wherever p is below 1
_BLOCK = 1 << 22  # entries of a block of permutations


def kolmogorov_smirnov(a: Float64, b: Float64) -> tuple[float, float]:
    """(D, p): the largest distance of the two distribution functions, and Kolmogorov's limit for its probability.

    p = 2 sum_k (-1)^(k-1) exp(-2 k^2 D^2 n m / (n + m)) (Smirnov, 1948). With few values and with ties it is too large rather than too small.

    Parameters
    ----------
    a, b : (n,) and (m,), neither empty
    """
    if not a.size or not b.size:
        raise InputError("the Kolmogorov-Smirnov test compares two samples of at least one value")
    a, b = np.sort(a), np.sort(b)
    both = np.concatenate((a, b))
    d = float(np.abs(np.searchsorted(a, both, "right") / a.size - np.searchsorted(b, both, "right") / b.size).max())
    x = d * np.sqrt(a.size * b.size / (a.size + b.size))
    if x < 0.2:  # 1 - p lies below 1e-12
        return d, 1.0
    k = np.arange(1, _TERMS + 1)
    return d, float(np.clip(2.0 * (np.where(k % 2, 1.0, -1.0) * np.exp(-2.0 * (k * x) ** 2)).sum(), 0.0, 1.0))


def benjamini_hochberg(p: Float64) -> Float64:
    """(k,) adjusted p-values: those at most q are findings of which at most q are false in expectation (Benjamini and Hochberg, 1995).

    The least of them is Simes' p-value of "none of the k".
    """
    order = np.argsort(p)
    scaled = p[order] * p.size / np.arange(1, p.size + 1)
    adjusted = np.empty_like(p, dtype=np.float64)
    adjusted[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return adjusted


def holm(p: Float64) -> Float64:
    """(k,) adjusted p-values: at most alpha, and the probability of any false one is at most alpha, whatever their dependence (Holm, 1979)."""
    order = np.argsort(p)
    adjusted = np.empty_like(p, dtype=np.float64)
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(p.size, 0, -1)), 1.0)
    return adjusted


def stability_index(expected: Float64, actual: Float64, n: int, m: int) -> Float64:
    """PSI = sum_i (q_i - p_i) log(q_i / p_i), over the last axis, of shares with half an execution added to each of the b bins.

    Parameters
    ----------
    expected, actual : (..., b) sums of n and of m executions in each bin
    """
    b = expected.shape[-1]
    p, q = (expected + 0.5) / (n + 0.5 * b), (actual + 0.5) / (m + 0.5 * b)
    return np.asarray(((q - p) * np.log(q / p)).sum(axis=-1))


def stability_test(a: Float64, b: Float64, n_resamples: int, rng: np.random.Generator) -> tuple[float, float, float]:
    """(PSI, p, the PSI that one in twenty undrifted windows exceeds), by permutation of executions.

    The p-value counts the sample itself, and is valid at every size (Phipson and Smyth, 2010). What PSI is without drift depends on how many
    executions and bins there are: 0.2 is far beyond chance for thousands, and well within for a hundred executions in fifty bins.

    Parameters
    ----------
    a, b : (n, bins) and (m, bins), the share of each execution in each bin
    """
    n, m = len(a), len(b)
    both = np.concatenate((a, b)).astype(np.float32)
    total = both.sum(axis=0, dtype=np.float64)
    found = float(stability_index(a.sum(axis=0), b.sum(axis=0), n, m))
    null = np.empty(n_resamples)
    for start, masks in _windows(n, m, n_resamples, rng):
        drawn = (masks.astype(np.float32) @ both).astype(np.float64)
        null[start : start + len(masks)] = stability_index(np.maximum(total - drawn, 0.0), drawn, n, m)
    p = float(1 + np.count_nonzero(null >= found - 1e-6 * max(found, 1e-3))) / (1 + n_resamples)
    return found, p, float(np.quantile(null, 0.95))


def discrepancy_test(a: Float64, b: Float64, n_resamples: int, rng: np.random.Generator) -> tuple[float, float]:
    """(MMD^2, p) of the kernel exp(-|x - y|^2 / (2 s^2)), s the median distance, by permutation (Gretton and others, 2012).

    Parameters
    ----------
    a, b : (n, k) and (m, k); time and memory grow with (n + m)^2
    """
    n, m = len(a), len(b)
    both = np.concatenate((a, b))
    squares = (both**2).sum(axis=1)
    distance = np.maximum(squares[:, None] + squares - 2.0 * both @ both.T, 0.0)
    np.fill_diagonal(distance, 0.0)
    above = distance[np.triu_indices(n + m, 1)]
    positive = above[above > 1e-9 * max(float(squares.max(initial=0.0)), 1e-30)]
    if not positive.size:  # all are the same: nothing differs
        return 0.0, 1.0
    kernel = np.exp(-distance / float(np.median(positive))).astype(np.float32)

    def statistic(masks: Bool) -> Float64:
        signs = np.where(masks, np.float32(1.0 / m), np.float32(-1.0 / n))
        return np.asarray(np.einsum("ij,ij->i", signs @ kernel, signs), np.float64)

    found = float(statistic(np.r_[np.zeros(n, np.bool_), np.ones(m, np.bool_)][None])[0])
    beyond = sum(int(np.count_nonzero(statistic(masks) >= found - 1e-7)) for _, masks in _windows(n, m, n_resamples, rng))
    return found, float(1 + beyond) / (1 + n_resamples)


def _windows(n: int, m: int, n_resamples: int, rng: np.random.Generator) -> Iterator[tuple[int, Bool]]:
    """Blocks of (first number, (block, n + m) masks): which executions stand for the window, m of them in each row."""
    step = max(1, _BLOCK // (n + m))
    for start in range(0, n_resamples, step):
        masks = np.zeros((min(step, n_resamples - start), n + m), np.bool_)
        masks[:, n:] = True
        yield start, rng.permuted(masks, axis=1)
