"""Splits: complete, disjoint, repeatable, and blind to the future and to cold tools."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shgat.errors import InputError
from shgat.graph import Incidence
from shgat.metrics.splits import cold_tool_split, duration, holdout, k_folds, rolling_windows, session_split

DAY = 86400.0


@given(st.integers(2, 60), st.integers(2, 9), st.integers(0, 9))
def test_each_row_tests_once(n, k, seed):
    if k > n:
        return
    folds = list(k_folds(n, k, np.random.default_rng(seed)))
    assert len(folds) == k
    assert np.array_equal(np.sort(np.concatenate([f.test for f in folds])), np.arange(n))
    for train, test in folds:
        assert np.array_equal(np.sort(np.append(train, test)), np.arange(n))
        assert abs(len(test) - n / k) < 1


def test_groups_stay_together():
    groups = np.array(list("aabbbcddeeff"))
    splits = [*k_folds(12, 3, np.random.default_rng(0), groups=groups)]
    splits.append(holdout(12, np.random.default_rng(0), test=0.3, groups=groups))
    for train, test in splits:
        assert not set(groups[train]) & set(groups[test])


def test_holdout_takes_its_share_and_repeats_by_seed():
    first, second = (holdout(1000, np.random.default_rng(3), test=0.2) for _ in range(2))
    assert len(first.test) in (200, 201)
    assert np.array_equal(first.test, second.test)


@given(st.lists(st.floats(0, 200 * DAY), min_size=1, max_size=80), st.sampled_from(["0d", "2d"]))
def test_no_training_row_is_later_than_a_test_row(times, embargo):
    t = np.array(times)
    tested = []
    for train, test in rolling_windows(t, train="30d", test="7d", embargo=embargo):
        assert t[train].max() + duration(embargo) - 1e-3 <= t[test].min()
        assert np.ptp(t[train]) <= 30 * DAY
        assert np.ptp(t[test]) <= 7 * DAY
        tested += test.tolist()
    assert len(tested) == len(set(tested))


def test_windows_cover_all_that_comes_after_the_first_training():
    t = np.arange(60) * DAY
    windows = list(rolling_windows(t))
    assert np.array_equal(np.concatenate([w.test for w in windows]), np.arange(30, 60))
    assert windows[0].train.tolist() == list(range(30))
    assert windows[-1].train.tolist() == list(range(28, 58))
    dates = np.datetime64("2026-01-01") + np.arange(60).astype("timedelta64[D]")
    for ours, theirs in zip(windows, rolling_windows(dates), strict=True):
        assert np.array_equal(ours.train, theirs.train)
        assert np.array_equal(ours.test, theirs.test)


def test_the_future_has_no_say_in_an_earlier_split():
    rng = np.random.default_rng(1)
    t = np.sort(rng.uniform(0, 100 * DAY, 300))
    first = next(rolling_windows(t))
    end = t[first.test].max()
    poisoned = np.where(t > end, end + rng.uniform(1, 100 * DAY, 300), t)
    again = next(rolling_windows(poisoned))
    assert np.array_equal(first.train, again.train)


def test_a_cold_tool_is_in_no_training_row():
    rng = np.random.default_rng(2)
    rows = [rng.choice(40, rng.integers(0, 4), replace=False).tolist() for _ in range(200)]
    train, test, cold = cold_tool_split(Incidence.from_rows(rows), 40, rng, share=0.25)
    assert len(cold) == 10
    assert all(rows[i] and not set(rows[i]) & set(cold) for i in train)
    assert all(set(rows[i]) & set(cold) for i in test)
    assert len(train) + len(test) == sum(map(bool, rows))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda rng: k_folds(5, 6, rng), "between 2 and"),
        (lambda rng: k_folds(5, 1, rng), "between 2 and"),
        (lambda rng: k_folds(5, 2, rng, groups=[1]), "each of the 5 rows"),
        (lambda rng: holdout(5, rng, test=1.0), "in \\(0, 1\\)"),
        (lambda rng: holdout(1, rng), "cannot be split"),
        (lambda rng: rolling_windows([1.0], train="30 days"), "as in 30d"),
        (lambda rng: rolling_windows([1.0], test="0d"), "longer than 0"),
        (lambda rng: rolling_windows([]), "n at least 1"),
        (lambda rng: rolling_windows([1.0, np.nan]), "row 1"),
        (lambda rng: rolling_windows(np.array(["2026-01-01", "NaT"], "M8[s]")), "row 1"),
        (lambda rng: cold_tool_split(Incidence.from_rows([[0]]), 1, rng), "cannot be held out"),
        (lambda rng: cold_tool_split(Incidence.from_rows([[7], [0]]), 5, rng), "column 7"),
    ],
)
def test_refusals(make, message):
    with pytest.raises(InputError, match=message):
        make(np.random.default_rng(0))


@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(0, 1e5)), min_size=2, max_size=30), st.floats(0.05, 0.9))
def test_the_latest_sessions_test_and_what_trains_had_ended_before_they_started(spans, share):
    started = np.array([start for start, _ in spans])
    ended = started + np.array([length for _, length in spans])
    if len(np.unique(started)) < 2:
        return
    try:
        train, test = session_split(started, ended, np.random.default_rng(0), test=share)
    except InputError as error:
        assert "bring more sessions" in str(error)  # noqa: PT017
        return
    assert len(test)
    assert ended[train].max() < started[test].min()
    assert not set(train) & set(test)
    assert (np.setdiff1d(np.arange(len(spans)), test)[:, None] != test).all()
    assert started[np.setdiff1d(np.arange(len(spans)), test)].max(initial=-1.0) < started[test].min()


def test_sessions_without_times_are_drawn_and_groups_stay_together():
    times, groups = np.array([1.0, np.nan, 3.0, 4.0]), np.array(["a", "b", "a", "c"])
    train, test = session_split(times, times, np.random.default_rng(0), test=0.3, groups=groups)
    assert sorted([*train, *test]) == [0, 1, 2, 3]
    assert not set(groups[train]) & set(groups[test])
    with pytest.raises(InputError, match="share"):
        session_split([1, 2], [1, 2], np.random.default_rng(0), test=1.5)
    with pytest.raises(InputError, match=r"\(S,\)"):
        session_split([1, 2], [1], np.random.default_rng(0))
    with pytest.raises(InputError, match="bring more sessions"):
        session_split([1, 2], [9, 9], np.random.default_rng(0), test=0.5)
