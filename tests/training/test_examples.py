"""Traces with what training derives from them: a batch holds exactly the rows that were asked for."""

import numpy as np
import pytest

from shgat import Traces
from shgat.training import Examples
from training import planted

RUNS = [  # tools, outcome, weight, context, capability
    ([0, 1], 1.0, 1.0, [2], None),
    ([2], 0.25, 3.0, [], "c1"),
    ([0, 1], 0.5, 0.5, [0, 3], None),
    ([], 1.0, 1.0, [], None),
]


@pytest.fixture(scope="module")
def examples():
    rng = np.random.default_rng(0)
    of = planted.catalog(rng, 5, [((0, 1), ()), ((2,), ()), ((0, 1, 2), ())], 8)
    records = [
        planted.record(i, rng.standard_normal(8), tools, outcome=outcome, weight=weight, capability=capability,
                       context_tools=[f"t{t}" for t in context])
        for i, (tools, outcome, weight, context, capability) in enumerate(RUNS)
    ]  # fmt: skip
    return Examples.build(of, Traces.from_records(records, of))


def as_lists(rows):
    return [rows.row(i).tolist() for i in range(rows.n_rows)]


def test_a_batch_is_its_rows_in_their_order(examples):
    rows = np.array([2, 0, 1, 1, 3])
    batch = examples.batch(rows)
    np.testing.assert_array_equal(batch.intents, examples.traces.intents[rows])
    assert as_lists(batch.tools.incidence) == [RUNS[i][0] for i in rows]
    assert as_lists(batch.context) == [RUNS[i][3] for i in rows]
    assert batch.outcome.tolist() == [RUNS[i][1] for i in rows]
    assert batch.weight.tolist() == [RUNS[i][2] for i in rows]
    assert as_lists(batch.capabilities.incidence) == [[0], [0], [1], [1], []]
    assert batch.ruled_out is None


def test_weights_of_a_batch_multiply_those_of_the_traces(examples):
    assert examples.batch(np.array([1, 2]), np.array([0.5, 4.0], np.float32)).weight.tolist() == [1.5, 2.0]


def test_a_hidden_capability_is_no_target(examples):
    hidden = np.array([True, False, False])
    targets = examples.batch(np.array([0, 1]), None, hidden).capabilities
    assert as_lists(targets.incidence) == [[2], [1]]  # the overlapping one in the place of the exact one
    np.testing.assert_allclose(targets.values, 1.0)


def test_what_gives_rise_is_what_capabilities_need_seen_from_the_traces(examples):
    assert as_lists(examples.capabilities.support) == [[0, 2], [1], []]
    needs = examples.capabilities.origins.needs
    assert as_lists(needs.transpose(4)) == as_lists(examples.rise)
