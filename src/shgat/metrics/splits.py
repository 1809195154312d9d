"""Which rows train and which test. Every split keeps what is known at test time out of training."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._types import Float64, Int64
from ..errors import InputError
from ..graph.incidence import Incidence

_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}


class Split(NamedTuple):
    """Row indices, ascending, of training and of testing; disjoint."""

    train: Int64
    test: Int64


class ColdToolSplit(NamedTuple):
    """A split in which no training row knows any of the `cold` columns, and every test row needs one."""

    train: Int64
    test: Int64
    cold: Int64


def duration(text: str) -> float:
    """Seconds of "90s", "15m", "12h", "30d" or "2w"."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhdw])", text) if isinstance(text, str) else None
    if found is None:
        raise InputError(f"a duration is a number and one of s, m, h, d, w, as in 30d, not {text!r}")
    return float(found[1]) * _SECONDS[found[2]]


def holdout(n: int, rng: np.random.Generator, *, test: float = 0.2, groups: ArrayLike | None = None) -> Split:
    """A random share of the rows tests. Rows of one group (the same intent, the same session) stay together."""
    if not 0.0 < test < 1.0:
        raise InputError(f"the share that tests lies in (0, 1), not {test}")
    group = _groups(n, groups)
    order = rng.permutation(int(group.max(initial=-1)) + 1)
    filled = np.cumsum(np.bincount(group, minlength=order.size)[order])
    n_test = int(np.searchsorted(filled, test * n)) + 1
    if n_test >= order.size:
        raise InputError(f"{order.size} groups of rows cannot be split with {test} of them testing")
    return _split(np.isin(group, order[:n_test]))


def session_split(
    started: ArrayLike, ended: ArrayLike, rng: np.random.Generator, *, test: float = 0.2, groups: ArrayLike | None = None
) -> Split:
    """Whole sessions test: the latest where all have times, and else a random share of them.

    By time the share that started last tests, and what ended before the first of those started trains; a session that stands on both sides of
    that moment does neither.

    Parameters
    ----------
    started, ended : (S,) seconds, NaN where unknown
    test : share of the sessions
    groups : (S,) what stays together in a random split, such as sessions of the same intent
    """
    first, last = np.asarray(started, np.float64), np.asarray(ended, np.float64)
    if first.ndim != 1 or first.shape != last.shape:
        raise InputError(f"started and ended are (S,), not {first.shape} and {last.shape}")
    if not len(first) or np.isnan(first).any() or np.isnan(last).any() or len(np.unique(first)) < 2:
        return holdout(len(first), rng, test=test, groups=groups)
    if not 0.0 < test < 1.0:
        raise InputError(f"the share that tests lies in (0, 1), not {test}")
    moment = np.sort(first)[min(len(first) - 1, int(np.ceil((1.0 - test) * len(first))))]
    split = Split(np.flatnonzero(last < moment), np.flatnonzero(first >= moment))
    if not len(split.train):
        raise InputError(f"no session ended before the last {test:.0%} of them started: bring more sessions, or a smaller share")
    return split


def k_folds(n: int, k: int, rng: np.random.Generator, *, groups: ArrayLike | None = None) -> Iterator[Split]:
    """k splits in which each row tests once; sizes differ by one group at most. Rows of one group stay together."""
    group = _groups(n, groups)
    n_groups = int(group.max(initial=-1)) + 1
    if not 2 <= k <= n_groups:
        raise InputError(f"k lies between 2 and the number of groups of rows, {n_groups}, not {k}")
    fold = np.empty(n_groups, np.int64)
    fold[rng.permutation(n_groups)] = np.arange(n_groups) % k
    return (_split(fold[group] == i) for i in range(k))


def rolling_windows(timestamps: ArrayLike, *, train: str = "30d", test: str = "7d", embargo: str = "0d") -> Iterator[Split]:
    """Train on one window, test on the next, move on by the test window until the last row has tested.

    With t_0 the first time stamp and s = t_0 + i test, window i trains on [s, s + train) and tests on the window that
    begins at s + train + embargo. The embargo is how long outcomes take to arrive. A window without training or test
    rows is passed over.

    Parameters
    ----------
    timestamps : (n,) seconds or datetime64, in any order
    """
    t = np.asarray(timestamps)
    if t.dtype.kind == "M":
        missing = np.isnat(t)
        t = (t - np.datetime64(0, "s")) / np.timedelta64(1, "s")
    else:
        t = t.astype(np.float64)
        missing = ~np.isfinite(t)
    if t.ndim != 1 or not t.size:
        raise InputError(f"timestamps are (n,), n at least 1, not {t.shape}")
    if missing.any():
        raise InputError(f"row {int(missing.argmax())} has no finite time stamp")
    lengths = duration(train), duration(test), duration(embargo)
    if lengths[0] <= 0.0 or lengths[1] <= 0.0:
        raise InputError("the windows are longer than 0 seconds")
    return _windows(t - t.min(), *lengths)


def cold_tool_split(relevance: Incidence, n_tools: int, rng: np.random.Generator, *, share: float = 0.2) -> ColdToolSplit:
    """Tools that training never meets: of the tools that any row needs, a random share is cold.

    Rows that need a cold tool test, all others train; nothing else about a cold tool may reach training, its success
    rate and its place in capabilities included.

    Parameters
    ----------
    relevance : needed tools of each row, columns below n_tools
    share : of the needed tools, at least one, never all
    """
    used = np.unique(relevance.indices).astype(np.int64)
    if used.size and used[-1] >= n_tools:
        raise InputError(f"column {used[-1]} is relevant, but there are {n_tools} tools")
    n_cold = max(1, round(share * used.size))
    if not 0.0 < share < 1.0 or n_cold >= used.size:
        raise InputError(f"a share of {share} of {used.size} needed tools cannot be held out")
    cold = np.sort(rng.choice(used, n_cold, replace=False))
    needs = relevance.touching(np.isin(np.arange(n_tools), cold))
    known = relevance.degrees > 0
    return ColdToolSplit(np.flatnonzero(known & ~needs), np.flatnonzero(needs), cold)


def _windows(t: Float64, train: float, test: float, embargo: float) -> Iterator[Split]:
    i = 0
    while (start := i * test) + train + embargo <= t.max():
        trains = (t >= start) & (t < start + train)
        first = start + train + embargo
        tests = (t >= first) & (t < first + test)
        if trains.any() and tests.any():
            yield Split(np.flatnonzero(trains), np.flatnonzero(tests))
        i += 1


def _split(tests: NDArray[Any]) -> Split:
    return Split(np.flatnonzero(~tests), np.flatnonzero(tests))


def _groups(n: int, groups: ArrayLike | None) -> Int64:
    """(n,) numbers of the groups from 0; each row its own without groups."""
    if n < 0:
        raise InputError(f"n is at least 0, not {n}")
    if groups is None:
        return np.arange(n)
    labels = np.asarray(groups)
    if labels.shape != (n,):
        raise InputError(f"groups name the group of each of the {n} rows, not {labels.shape}")
    return np.unique(labels, return_inverse=True)[1].astype(np.int64)
