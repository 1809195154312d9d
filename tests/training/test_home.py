"""Where traffic is, and what lies outside."""

from dataclasses import replace

import numpy as np
import pytest

from shgat import SHGAT, Traces
from shgat.model.channels import Learned
from shgat.model.memory import Memory
from shgat.training.home import STEPS, homes, staying
from training import planted


def remembered(intents):
    """A model that remembers these intents (n, 16), each for another tool."""
    of = planted.catalog(np.random.default_rng(0), 30, [((0, 1), ())], 16)
    traces = Traces.from_records([planted.record(i, x, [i % 30]) for i, x in enumerate(intents)], of)
    learned = replace(Learned.cold_start(of), memory=Memory.of(traces, np.arange(len(traces))))
    return replace(SHGAT.from_catalog(of).state, learned=learned)


def test_home_lies_between_the_traffic_and_what_is_outside():
    rng = np.random.default_rng(1)
    traffic = planted.unit(np.eye(1, 16) + 0.1 * rng.standard_normal((40, 16)))
    outside = planted.unit(np.eye(2, 16)[1:] + 0.1 * rng.standard_normal((20, 16))).astype(np.float32)
    state = remembered(traffic)
    found = homes(state, outside)
    assert len(found) == len(STEPS)
    assert found == sorted(found)
    memory = state.learned.memory
    assert np.median(memory.nearest(outside)) < found[0] < found[-1] < 1.0
    assert homes(state, outside, apart=True) == found
    assert homes(state, traffic.astype(np.float32), apart=True) == []  # nothing would be left of the traffic
    assert (memory.nearest(planted.unit(np.eye(1, 16) + 0.1 * rng.standard_normal((20, 16))).astype(np.float32)) > found[1]).all()


def test_the_same_request_again_and_again_does_not_narrow_it():
    rng = np.random.default_rng(2)
    distinct = planted.unit(np.eye(1, 16) + 0.15 * rng.standard_normal((12, 16)))
    outside = planted.unit(rng.standard_normal((20, 16))).astype(np.float32)
    once, often = remembered(distinct), remembered(np.repeat(distinct, 5, axis=0))
    assert homes(often, outside) == pytest.approx(homes(once, outside), abs=0.02)


def test_nothing_remembered_or_nothing_outside_is_no_home():
    state = remembered(planted.unit(np.random.default_rng(3).standard_normal((5, 16))))
    assert homes(state, np.zeros((0, 16), np.float32)) == []
    fusion = staying(state, 0.5).learned.fusion
    assert (fusion.home, state.learned.fusion.home) == (0.5, None)
