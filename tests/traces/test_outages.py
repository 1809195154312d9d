"""An outage is told from a bad choice by what else fails at the time."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shgat.graph import Incidence
from shgat.traces.outages import failures_of_outages


def excused(tools, outcome, timestamp=None):
    times = np.full(len(tools), np.nan) if timestamp is None else np.array(timestamp, np.float64)
    return failures_of_outages(Incidence.from_rows([t] for t in tools), np.array(outcome, np.float32), times)


def test_while_everything_fails_nobody_is_blamed():
    tools = [i % 5 for i in range(100)]
    assert excused(tools, [0.0] * 100).all()


def test_a_tool_that_fails_while_others_work_is():
    tools = [i % 5 for i in range(100)]
    assert not excused(tools, [0.0 if t == 0 else 1.0 for t in tools]).any()


def test_so_is_one_that_is_compared_with_none_or_one_other():
    assert not excused([3] * 50, [0.0] * 50).any()
    assert not excused([i % 2 for i in range(50)], [0.0] * 50).any()


def test_an_outage_between_good_times_is_found():
    tools = [i % 5 for i in range(400)]
    outcome = [0.0 if 150 <= i < 250 else 1.0 for i in range(400)]
    found = excused(tools, outcome)
    assert found[180:220].all()
    assert not found[:150].any()
    assert not found[250:].any()


def test_time_orders_where_all_have_one():
    rng = np.random.default_rng(0)
    order = rng.permutation(400)
    tools = [int(i) % 5 for i in order]
    outcome = [0.0 if 150 <= i < 250 else 1.0 for i in order]
    in_order = excused([i % 5 for i in range(400)], [0.0 if 150 <= i < 250 else 1.0 for i in range(400)])
    assert (excused(tools, outcome, order.tolist()) == in_order[order]).all()


@given(st.lists(st.tuples(st.integers(0, 6), st.floats(0, 1)), max_size=80))
def test_what_worked_is_never_an_outage(runs):
    found = excused([t for t, _ in runs], [o for _, o in runs])
    assert not found[[i for i, (_, o) in enumerate(runs) if np.float32(o) >= 0.5]].any()
