"""How many answers there were, and percentiles of the latest durations."""

import threading

import numpy as np
import pytest

from shgat.serving.latency import Latency


def test_before_the_first_answer_there_are_none():
    assert Latency().percentiles() == {}


def test_percentiles_are_in_milliseconds():
    latency = Latency()
    for ms in np.random.default_rng(0).permutation(101):
        latency.add(ms / 1000, False)
    assert latency.percentiles() == pytest.approx({"p50": 50.0, "p99": 99.0})


def test_only_the_latest_count():
    latency = Latency()
    for seconds in [60.0] * 5000 + [0.002] * 4096:
        latency.add(seconds, seconds > 1.0)
    assert latency.percentiles() == pytest.approx({"p50": 2.0, "p99": 2.0})
    assert latency.answers == {"all": 9096, "degraded": 5000}


def test_no_answer_of_many_threads_is_lost():
    latency = Latency()
    threads = [threading.Thread(target=lambda: [latency.add(0.001, True) for _ in range(5000)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert latency.answers == {"all": 40_000, "degraded": 40_000}
