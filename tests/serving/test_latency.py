"""Percentiles of the latest durations."""

import numpy as np
import pytest

from shgat.serving.latency import Latency


def test_before_the_first_answer_there_are_none():
    assert Latency().percentiles() == {}


def test_percentiles_are_in_milliseconds():
    latency = Latency()
    for ms in np.random.default_rng(0).permutation(101):
        latency.add(ms / 1000)
    assert latency.percentiles() == pytest.approx({"p50": 50.0, "p99": 99.0})


def test_only_the_latest_count():
    latency = Latency()
    for seconds in [60.0] * 5000 + [0.002] * 4096:
        latency.add(seconds)
    assert latency.percentiles() == pytest.approx({"p50": 2.0, "p99": 2.0})
