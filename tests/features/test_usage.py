"""Counts by hand, rates that lean on what is usual, and figures that the future cannot change."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shgat import Catalog
from shgat.features.usage import DAY, STRENGTH, Usage
from shgat.traces import Trace

NOW = 1_700_000_000.0
CATALOG = Catalog.from_records(
    [{"id": "a"}, {"id": "b"}],
    [{"id": "x", "tools": ["a", "b"]}, {"id": "y", "tools": ["a"]}, {"id": "z", "capabilities": ["x"], "tools": ["a"]}],
)


def ran(days_ago, **fields):
    return Trace(timestamp=None if days_ago is None else NOW - days_ago * DAY, **fields)


def of(*traces, as_of=NOW):
    return Usage.of_capabilities(traces, CATALOG, as_of)


def figures(usage):
    return [usage.counts.tolist(), usage.success_rate.tolist(), usage.duration_ms.tolist()]


def test_windows_of_a_day_a_week_and_a_month():
    found = of(*(ran(d, capability="x") for d in (0, 0.5, 0.999, 1, 3, 7, 10, 29.9, 30, 300)), ran(None, capability="x"))
    assert found.counts.tolist() == [[3, 5, 8], [0, 0, 0], [0, 0, 0]]


def test_whose_an_execution_is():
    found = of(
        ran(0, capability="z", tools=["a"]),  # it says so
        ran(0, tools=["b", "a"]),
        ran(0, tools=["a"]),  # z has its tools, and a capability beside
        ran(0, capability="gone", tools=["a"]),
        ran(0, tools=["b"]),
        ran(0),
    )
    assert found.counts[:, 0].tolist() == [1, 1, 1]


def test_rates_lean_on_what_is_usual():
    found = of(
        *(ran(1, capability="x", outcome=o) for o in (1, 1, 0, 0.5, 0.4)),
        ran(2, capability="y"),
        ran(40, capability="y", outcome=0),
    )
    usual = 4 / 6
    np.testing.assert_allclose(
        found.success_rate, [(3 + STRENGTH * usual) / (5 + STRENGTH), (1 + STRENGTH * usual) / (1 + STRENGTH), usual]
    )
    assert np.isnan(of().success_rate).all()


def test_durations_are_of_those_that_are_known():
    found = of(*(ran(1, capability="x", duration_ms=d) for d in (10, None, 30)), ran(31, capability="x", duration_ms=1e9))
    assert found.duration_ms[0] == 20
    assert np.isnan(found.duration_ms[1:]).all()


def test_tools_count_each_of_a_trace_and_their_own_time_alone():
    traces = [
        ran(0.5, tools=["a", "b", "a"], duration_ms=100),
        ran(2, tools=["a"], duration_ms=8, outcome=0),
        ran(2, tools=["nobody"]),
    ]
    found = Usage.of_tools(traces, CATALOG.tool_column, NOW)
    assert found.counts.tolist() == [[1, 2, 2], [1, 1, 1]]
    assert found.duration_ms[0] == 8
    assert math.isnan(found.duration_ms[1])
    np.testing.assert_allclose(found.success_rate[0], (1 + STRENGTH * 2 / 3) / (2 + STRENGTH))


times = st.one_of(st.none(), st.floats(-40, 40))
traces = st.lists(
    st.builds(
        ran, times, capability=st.sampled_from(["x", "y", None]), tools=st.sampled_from([(), ("a",), ("a", "b")]),
        outcome=st.sampled_from([0.0, 1.0]), duration_ms=st.none() | st.floats(0, 1e6),
    ),
    max_size=12,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(traces, st.integers(1, 5))
def test_the_future_may_be_poisoned(history, n):
    """Executions after `as_of`, however many, fast and bad, change no figure of any window; neither do those without a time."""
    later = [
        ran(-1e-6 - i, capability=c, tools=t, outcome=0.0, duration_ms=1e12)
        for i in range(n)
        for c, t in (("x", ()), (None, ("a",)))
    ]
    known = [t for t in history if t.timestamp is not None and t.timestamp <= NOW]
    for found in (Usage.of_capabilities, lambda e, c, at: Usage.of_tools(e, c.tool_column, at)):
        clean = found(known, CATALOG, NOW)
        for poisoned in ([*history, *later], [*later, ran(None, capability="x", outcome=0.0), *history]):
            np.testing.assert_equal(figures(found(poisoned, CATALOG, NOW)), figures(clean))
        if any(t.capability == "x" for t in known):
            continue
        assert clean.counts.max(initial=0) <= len(known)


@pytest.mark.parametrize("window", range(3))
def test_what_is_the_future_now_counts_when_it_has_come(window):
    trace, days = ran(-2, capability="x"), (1, 7, 30)[window]
    assert of(trace).counts[0, window] == 0
    assert of(trace, as_of=NOW + 2 * DAY).counts[0, window] == 1
    assert of(trace, as_of=NOW + (2 + days) * DAY).counts[0, window] == 0
