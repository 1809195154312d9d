"""The reward by its formula, its bounds, and returns of ends that are told apart."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shgat import InputError, Trace
from shgat.traces import Reward, Sessions
from traces.examples import CATALOG, D


def sessions(*steps, end=""):
    """One session of steps (outcome, milliseconds, rating)."""
    last = len(steps) - 1
    return Sessions.of(
        [
            Trace(
                id=f"t{i}", session="s", step=i, tools=["t0"], outcome=outcome, duration_ms=ms, rating=rating, embedding=[1.0] * D,
                end=end if i == last else "",
            )
            for i, (outcome, ms, rating) in enumerate(steps)
        ],
        CATALOG,
    )  # fmt: skip


def test_the_formula():
    reward = Reward(step=0.1, second=0.01, longest=20, rating=0.4, end=0.25)
    found = reward.of(sessions((1, None, None), (0, 5000, 1), (0.5, 60_000, 5)))
    np.testing.assert_allclose(found, [1 - 0.1, -0.1 - 0.05 - 0.4, 0.5 - 0.1 - 0.2 + 0.4 + 0.25])
    broken_off = reward.of(sessions((0.5, None, 3), end="truncated"))
    np.testing.assert_allclose(broken_off, [0.5 - 0.1])


def test_before_the_last_tool_of_a_trace_only_the_step_costs():
    two = Sessions.of([Trace(id="a", session="s", tools=["t0", "t1"], duration_ms=1000, rating=5, embedding=[1.0] * D)], CATALOG)
    np.testing.assert_allclose(Reward().of(two), [-0.02, 1 - 0.02 - 0.001 + 0.5])


def test_returns_of_an_end_are_known_and_of_a_broken_off_session_with_what_would_follow():
    steps = ((1, None, None), (0, None, None), (1, None, None))
    reward = Reward(step=0, gamma=0.5)
    np.testing.assert_allclose(reward.returns(sessions(*steps)), [1.25, 0.5, 1.0])
    np.testing.assert_allclose(reward.returns(sessions(*steps), np.array([8.0])), [1.25, 0.5, 1.0])
    broken_off = sessions(*steps, end="truncated")
    assert np.isnan(reward.returns(broken_off)).all()
    np.testing.assert_allclose(reward.returns(broken_off, np.array([8.0])), [2.25, 2.5, 5.0])
    with pytest.raises(InputError, match=r"one value a session, \(1,\)"):
        reward.returns(broken_off, np.zeros(3))


@given(
    st.lists(st.tuples(st.floats(0, 1), st.none() | st.floats(0, 1e9), st.none() | st.floats(1, 5)), min_size=1, max_size=4),
    st.builds(
        Reward,
        step=st.floats(0, 5),
        second=st.floats(0, 1),
        longest=st.floats(0, 1e4),
        rating=st.floats(0, 5),
        end=st.floats(-5, 5),
    ),
    st.sampled_from(("terminal", "truncated")),
)
def test_no_step_is_worth_more_or_less_than_the_bounds(steps, reward, end):
    low, high = reward.bounds
    found = reward.of(sessions(*steps, end=end))
    slack = 1e-6 * (1 + abs(low) + abs(high))
    assert (found >= low - slack).all()
    assert (found <= high + slack).all()


@pytest.mark.parametrize(
    ("field", "value"), [("step", -1), ("gamma", 1.5), ("rating", float("nan")), ("second", "1"), ("longest", True)]
)
def test_a_constant_that_is_none_is_refused(field, value):
    with pytest.raises(InputError, match=f"Reward.{field}"):
        Reward(**{field: value})


@pytest.mark.parametrize(("name", "value"), [("outcome", 1.5), ("rating", 7.0), ("duration_ms", -1.0)])
def test_columns_outside_the_range_are_named_by_session_and_step(name, value):
    found = sessions((1, 5, 3), (1, 5, 3))
    values = getattr(found, name).copy()
    values[1] = value
    with pytest.raises(InputError, match=rf"session 's', step 1: {name} lies in"):
        Reward().of(replace(found, **{name: values}))
