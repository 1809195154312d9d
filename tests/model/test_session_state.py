"""Facts and state vectors beside the same, written step by step."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shgat.errors import InputError
from shgat.model.session_state import N_FACTS, SessionState, facts, states

STEPS = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1000)), min_size=0, max_size=5)


def slowly(steps):
    """The facts of a session after these (outcome, seconds)."""
    outcomes = [o for o, _ in steps]
    row = 0
    while row < len(outcomes) and outcomes[-1 - row] < 0.5:
        row += 1
    mean, last = (np.mean(outcomes), outcomes[-1]) if steps else (0.5, 0.5)
    return [np.log1p(len(steps)), mean, last, np.log1p(row), np.log1p(sum(s for _, s in steps) / 60)]


@given(st.lists(STEPS, min_size=1, max_size=5))
def test_facts_are_those_of_the_steps_before(sessions):
    starts = np.cumsum([0, *map(len, sessions)])
    begin, until = np.repeat(starts[:-1], np.diff(starts)), np.arange(starts[-1])
    flat = np.array([step for steps in sessions for step in steps]).reshape(-1, 2)
    expected = [slowly(steps[:i]) for steps in sessions for i in range(len(steps))]
    found = facts(flat[:, 0], flat[:, 1], begin, until)
    np.testing.assert_allclose(found, np.array(expected).reshape(-1, N_FACTS), rtol=1e-4, atol=1e-5)


@given(STEPS)
def test_a_session_that_goes_on_has_the_same_facts(steps):
    # Time before any step is none of the session's.
    state = SessionState(tuple(range(len(steps))), tuple(o for o, _ in steps), sum(s for _, s in steps) if steps else 0.0)
    np.testing.assert_allclose(state.facts(), slowly(steps), rtol=1e-4, atol=1e-5)


def test_states_hold_the_intent_the_last_and_the_mean():
    rng = np.random.default_rng(0)
    d, begin, until = 3, np.array([0, 0, 3, 3]), np.array([0, 3, 3, 5])
    intents, used = rng.standard_normal((4, d), dtype=np.float32), rng.standard_normal((5, d), dtype=np.float32)
    found = states(intents, used, np.zeros((4, N_FACTS), np.float32), begin, until)
    np.testing.assert_array_equal(found[:, :d], intents)
    np.testing.assert_array_equal(found[:, d : 2 * d], [0 * used[0], used[2], 0 * used[0], used[4]])
    means = [0 * used[0], used[:3].mean(0), 0 * used[0], used[3:].mean(0)]
    np.testing.assert_allclose(found[:, 2 * d : 3 * d], means, rtol=1e-5, atol=1e-6)
    nothing = states(intents, used[:0], np.zeros((4, N_FACTS), np.float32), 0 * begin, 0 * begin)
    assert not nothing[:, d:].any()


@pytest.mark.parametrize(
    "wrong", [{"outcomes": (1.0,)}, {"used": (1,), "outcomes": (1.5,)}, {"seconds": -1.0}, {"seconds": float("nan")}]
)
def test_a_state_that_is_none_is_refused(wrong):
    with pytest.raises(InputError):
        SessionState(**wrong)
