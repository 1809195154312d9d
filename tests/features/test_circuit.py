"""A circuit: a time limit, rest after failures, and the way back."""

import subprocess
import sys
import threading

import numpy as np
import pytest

from shgat import EncoderError
from shgat.features import Circuit, OwnEncoder


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


class Flaky:
    """Fails while it is told to."""

    def __init__(self):
        self.calls, self.broken = 0, False

    def encode(self, texts):
        self.calls += 1
        if self.broken:
            raise OSError("no route")
        return np.ones((len(texts), 8))


@pytest.fixture
def parts():
    flaky, clock = Flaky(), Clock()
    return flaky, clock, Circuit(OwnEncoder(flaky, "flaky", 8), clock=clock)


def test_what_works_passes(parts):
    _, _, circuit = parts
    assert circuit.encode(["a", "b"]).shape == (2, 8)
    assert circuit.trouble == ""


def test_it_rests_longer_after_each_failure_and_comes_back(parts):
    flaky, clock, circuit = parts
    flaky.broken = True
    for rest in (1.0, 2.0, 4.0):
        with pytest.raises(EncoderError, match="flaky: OSError: no route"):
            circuit.encode(["a"])
        calls = flaky.calls
        clock.now += rest - 0.01
        with pytest.raises(EncoderError, match="resting after flaky"):
            circuit.encode(["a"])
        assert flaky.calls == calls  # nobody is asked meanwhile
        clock.now += 0.02
    assert "no route" in circuit.trouble
    flaky.broken = False
    assert circuit.encode(["a"]).shape == (1, 8)
    assert circuit.trouble == ""


def test_no_rest_is_longer_than_a_minute(parts):
    flaky, clock, circuit = parts
    flaky.broken = True
    for _ in range(20):
        clock.now += 60.01
        with pytest.raises(EncoderError, match="no route"):
            circuit.encode(["a"])
    assert flaky.calls == 20


def test_a_call_that_takes_too_long_is_left_and_nothing_is_tried_before_it_ends():
    go, entered, clock = threading.Event(), [], Clock()

    def slow(texts):
        entered.append(texts)
        assert go.wait(30.0)
        return np.ones((len(texts), 8))

    circuit = Circuit(OwnEncoder(slow, "slow", 8), limit=0.05, clock=clock)
    with pytest.raises(EncoderError, match=r"no answer in 0\.05 s"):
        circuit.encode(["a"])
    clock.now += 1000.0
    with pytest.raises(EncoderError, match="resting"):
        circuit.encode(["b"])
    assert len(entered) == 1
    go.set()
    for thread in threading.enumerate():
        if thread.name == "shgat-encoder":
            thread.join(30.0)
    assert circuit.encode(["c"]).shape == (1, 8)


def test_many_texts_have_more_time():
    def slow(texts):
        threading.Event().wait(0.02 * len(texts))
        return np.ones((len(texts), 8))

    assert Circuit(OwnEncoder(slow, "slow", 8), limit=2.0).encode(["a"] * 3).shape == (3, 8)
    entered = threading.Event()

    def late(texts):
        entered.wait(0.3)
        return np.ones((len(texts), 8))

    assert Circuit(OwnEncoder(late, "late", 8), limit=0.1).encode(["a"] * 20).shape == (20, 8)


def test_the_end_of_the_process_waits_for_a_call_that_took_too_long():
    code = """
import time
import numpy as np
from shgat.features import Circuit, OwnEncoder
def slow(texts):
    time.sleep(0.5)
    print("ended", flush=True)
    return np.ones((len(texts), 8))
try:
    Circuit(OwnEncoder(slow, "slow", 8), limit=0.01).encode(["a"])
except Exception as error:
    print(error, flush=True)
"""
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout.splitlines() == ["no answer in 0.01 s", "ended"]


def test_after_a_fork_no_call_is_under_way(parts):
    flaky, _, circuit = parts
    circuit._late = 1
    circuit._trying = True
    circuit.after_fork()
    flaky.broken = False
    assert circuit.encode(["a"]).shape == (1, 8)
