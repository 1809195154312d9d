"""Success rates: what fails is put down, near where it failed most, never for ever, and nothing else moves."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shgat.graph import Incidence
from shgat.model.memory import Memory
from shgat.model.success import FLOOR, HALF_LIFE, SuccessRates

D = 8
CENTRE = np.zeros(D, np.float32)


def executed(*runs, timestamp=None):
    """Memory of (axis of the intent, tool, outcome)."""
    vectors = np.eye(D, dtype=np.float32)[[axis for axis, _, _ in runs]].reshape(-1, D)
    times = None if timestamp is None else np.array(timestamp, np.float64)
    return Memory(
        tuple(f"x{i}" for i in range(len(runs))), vectors, [f"word{axis} please" for axis, _, _ in runs],
        Incidence.from_rows([tool] for _, tool, _ in runs), np.array([o for _, _, o in runs], np.float32), times,
    )  # fmt: skip


def penalties(memory, axis=0, n_tools=4):
    return SuccessRates.of(memory, n_tools).penalty(np.eye(D, dtype=np.float32)[axis : axis + 1], CENTRE)[0]


def test_where_nothing_failed_nothing_is_taken_off():
    rates = SuccessRates.of(executed(*[(0, 1, 1.0)] * 5), 4)
    assert not rates.any_failed
    assert not rates.penalty(np.eye(2, D, dtype=np.float32), CENTRE).any()


def test_it_falls_with_every_failure_down_to_the_floor():
    taken = [penalties(executed(*[(0, 0, 0.0)] * n, *[(0, 1, 1.0)] * n))[0] for n in (1, 3, 10, 100, 5000)]
    assert 0.0 > taken[0] > taken[1] > taken[2] > taken[3] >= taken[4]
    assert taken[4] == pytest.approx(math.log(FLOOR))
    assert not penalties(executed(*[(0, 0, 0.0)] * 9, *[(0, 1, 1.0)] * 9))[1:].any()


def test_it_is_felt_where_it_failed_more_than_elsewhere():
    memory = executed(*[(0, 0, 0.0)] * 40, *[(1, 0, 1.0)] * 40, *[(2, 1, 1.0)] * 40)
    near, elsewhere = penalties(memory, 0)[0], penalties(memory, 1)[0]
    assert near < math.log(0.1)
    assert elsewhere > math.log(0.9)


def test_success_brings_it_back():
    failed = [(0, 0, 0.0)] * 10
    assert penalties(executed(*failed))[0] < penalties(executed(*failed, *[(0, 0, 1.0)] * 10))[0] < penalties(
        executed(*failed, *[(0, 0, 1.0)] * 200)
    )[0]  # fmt: skip


def test_failures_fade_with_time():
    runs = [(0, 0, 0.0)] * 10 + [(0, 1, 1.0)] * 10
    late = [0.0] * 10 + [6 * HALF_LIFE] * 10
    assert penalties(executed(*runs))[0] < penalties(executed(*runs, timestamp=late))[0] < 0.0


def test_without_an_embedding_words_tell_which_intents_are_alike():
    rates = SuccessRates.of(executed(*[(0, 0, 0.0)] * 20, *[(1, 0, 1.0)] * 20, *[(1, 1, 1.0)] * 20), 2)
    x = np.zeros((2, D), np.float32)
    near, elsewhere = rates.penalty(x, CENTRE, ["word0 please", "word1 please"])[:, 0]
    assert near < elsewhere


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.floats(0, 1, width=32)), max_size=30), st.integers(0, 30))
def test_the_rates_of_two_memories_are_those_of_both_together(runs, split):
    first, second = executed(*runs[:split]), executed(*runs[split:])
    second = Memory(tuple(f"y{i}" for i in range(len(second))), second.vectors, second.texts, second.tools, second.outcome)
    both, whole = SuccessRates.of(first, 4).and_those_of(SuccessRates.of(second, 4)), SuccessRates.of(executed(*runs), 4)
    np.testing.assert_allclose(both.worked, whole.worked)
    np.testing.assert_allclose(both.failed, whole.failed)
    x = np.eye(4, D, dtype=np.float32)
    rates = both.rates(x, CENTRE)
    assert ((rates > 0.0) & (rates <= 1.0)).all()
    penalty = both.penalty(x, CENTRE)
    assert (penalty <= 0.0).all()
    assert (penalty >= np.float32(math.log(FLOOR))).all()
    assert 0.0 < both.of_all <= 1.0


def test_one_tool_is_told():
    rates = SuccessRates.of(executed(*[(0, 0, 0.0)] * 5, *[(0, 1, 1.0)] * 5), 3)
    assert rates.of_tool(0).executions == 5.0
    assert rates.of_tool(0).rate < rates.of_tool(2).rate < rates.of_tool(1).rate
