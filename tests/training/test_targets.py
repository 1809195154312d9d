"""What an intent is wanted to find: tools, and the capabilities that stand for them."""

import numpy as np
import pytest

from shgat import Traces
from shgat.graph import Incidence
from shgat.training.targets import CapabilityTargets, Targets, tool_targets
from training import planted


def as_rows(targets):
    rows = targets.incidence
    return [
        {int(c): round(float(v), 5) for c, v in zip(rows.row(i), targets.values[rows.indptr[i] : rows.indptr[i + 1]], strict=True)}
        for i in range(rows.n_rows)
    ]


def some(**more):
    """Capabilities {0,1}, {2} + c0, {}, {0,1} again, {3,4,5}; five traces."""
    members = [((0, 1), ()), ((2,), (0,)), ((), ()), ((1, 0), ()), ((3, 4, 5), ())]
    catalog = planted.catalog(np.random.default_rng(0), 7, members, 8, **more)
    runs = [([0, 1], None), ([0, 1, 2], None), ([5, 6], "c4"), ([6], None), ([3, 4], None), ([], "c2"), ([0, 3], None)]
    records = [planted.record(i, np.ones(8), tools, **({"capability": c} if c else {})) for i, (tools, c) in enumerate(runs)]
    traces = Traces.from_records(records, catalog)
    return catalog, traces, CapabilityTargets.build(traces, catalog)


def test_capability_targets():
    _, traces, targets = some()
    assert as_rows(tool_targets(traces))[:3] == [{0: 0.5, 1: 0.5}, {0: 0.33333, 1: 0.33333, 2: 0.33333}, {5: 0.5, 6: 0.5}]
    assert as_rows(targets.exact) == [{0: 0.5, 3: 0.5}, {1: 1.0}, {4: 1.0}, {}, {}, {2: 1.0}, {}]
    j = np.array([1.0, (2 / 3) ** 4, 1.0])
    assert as_rows(targets.overlapping)[0] == {c: round(float(v), 5) for c, v in zip((0, 1, 3), j / j.sum(), strict=True)}
    assert as_rows(targets.overlapping)[3:6] == [{}, {4: 1.0}, {}]
    assert as_rows(targets.overlapping)[6].keys() == {0, 1, 3, 4}


def test_support_and_the_unknown():
    _, _, targets = some(origin=1)
    assert [targets.support.row(c).tolist() for c in range(5)] == [[0], [1], [5], [0], [2]]  # c4 is named by trace 2
    training = np.array([False, True, False, True, True, True, True])
    np.testing.assert_array_equal(targets.origins.unknown(training), [True, False, False, True, True])
    assert not targets.origins.unknown(np.ones(7, bool)).any()


def test_hidden_targets_leave_distributions():
    _, _, targets = some()
    hidden = np.array([True, False, False, False, True])
    seen = as_rows(targets.visible(np.arange(7), hidden))
    assert seen[0] == {3: 1.0}
    assert seen[2] == seen[4] == {}
    assert all(not row or sum(row.values()) == pytest.approx(1.0, abs=1e-4) for row in seen)
    everything = as_rows(targets.visible(np.arange(7), np.zeros(5, bool)))
    assert everything[4] == {4: 1.0}  # overlapping where nothing is exact


def test_take_without_and_merged():
    t = Targets(Incidence.from_rows([[0, 2], [1], []]), np.array([0.25, 0.75, 1.0], np.float32))
    assert as_rows(t.take(np.array([2, 0, 0]))) == [{}, {0: 0.25, 2: 0.75}, {0: 0.25, 2: 0.75}]
    assert as_rows(t.without(np.array([True, True, False]))) == [{2: 1.0}, {}, {}]
    other = Targets(Incidence.from_rows([[1], [0], [0, 1]]), np.array([1.0, 1.0, 0.5, 0.5], np.float32))
    assert as_rows(t.merged(other, np.array([False, False, True]))) == [{0: 0.25, 2: 0.75}, {1: 1.0}, {0: 0.5, 1: 0.5}]
