"""Runs beside each other; a test only over the same traces."""

import numpy as np
import pytest

from shgat.errors import InputError
from shgat.tracking import FolderTracker, compare, per_trace
from shgat.tracking.comparison import PER_TRACE

IDS = [f"t{i}" for i in range(200)]


def add(tracker, values=None, ids=IDS, **parameters):
    with tracker.run("x", parameters=parameters) as run:
        run.log({"mrr": 0.5 if values is None else float(np.nanmean(values)), "of one alone" if values is None else "loss": 1.0})
        if values is not None:
            run.keep(PER_TRACE, per_trace(ids, {"mrr": values}))
    return run.id


@pytest.fixture
def tracker(tmp_path):
    return FolderTracker(tmp_path)


def test_what_differs_and_whether_it_is_more_than_noise(tracker):
    rng = np.random.default_rng(0)
    values = rng.random(200)
    values[:5] = np.nan
    order = rng.permutation(200)
    better = np.minimum(values + 0.05, 1.0)
    a = add(tracker, values, lr=0.1, n=3)
    b = add(tracker, better[order], [IDS[i] for i in order], lr=0.2, n=3)
    found = compare(tracker, a, b)
    assert found.parameters == {"lr": (0.1, 0.2)}
    assert found.tags == {}
    assert found.figures["mrr"][1] > found.figures["mrr"][0]
    test = found.tests["mrr"]
    assert test.n == 195
    assert test.mean_difference == pytest.approx(np.nanmean(better - values))
    assert test.ci_low > 0.0
    assert compare(tracker, a, a).tests["mrr"].p_value == 1.0


def test_runs_over_other_traces_are_not_tested(tracker):
    a, b = add(tracker, np.ones(200)), add(tracker, np.ones(200), [f"u{i}" for i in range(100)] + IDS[:100])
    found = compare(tracker, a, b)
    assert found.tests == {}
    assert found.why_not == "they were measured on other traces: 200 of 300 are in one of them alone"
    without = compare(tracker, a, add(tracker))
    assert "keeps no 'per_trace.json'" in without.why_not
    assert without.figures["of one alone"] == (None, 1.0)
    assert without.to_dict()["tests"] == {}


def test_figures_of_another_number_of_traces_are_refused():
    with pytest.raises(InputError, match="mrr has 3 figures for 2 traces"):
        per_trace(["a", "b"], {"mrr": np.zeros(3)})
