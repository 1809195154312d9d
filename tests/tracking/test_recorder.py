"""What is measured waits for no writer, and a writer that fails stops nothing."""

import logging
import threading

import numpy as np
import pytest

from shgat.errors import InputError, TrackingError
from shgat.tracking import recorder as module
from shgat.tracking.recorder import Recorder
from shgat.tracking.run import Run


class Keeper:
    """In memory; waits where it is told to, and fails where it is told to."""

    def __init__(self, fails=False, wait=None):
        self.points, self.ended, self._fails, self._wait = [], [], fails, wait

    def write(self, run_id, points):
        if self._wait is not None:
            self._wait.wait(10)
        if self._fails:
            raise TrackingError("the server is gone")
        self.points += points

    def keep(self, run_id, name, data):
        if self._fails:
            raise TrackingError("the server is gone")

    def end(self, run):
        self.ended.append(run)


def recording(keeper):
    return Recorder(keeper, Run("r", "e"), lambda: 1.0)


def test_everything_is_written_before_the_end_in_order():
    keeper = Keeper()
    with recording(keeper) as run:
        for step in range(3000):
            run.log({"a": step}, step)
    assert [p.step for p in keeper.points] == list(range(3000))
    assert keeper.ended[0].figures == {"a": 2999.0}
    assert (run.dropped, run.trouble) == (0, "")


def test_nobody_waits_for_a_writer_that_hangs(monkeypatch):
    monkeypatch.setattr(module, "WAITING", 10)
    hangs = threading.Event()
    keeper = Keeper(wait=hangs)
    with recording(keeper) as run:
        for step in range(50):
            run.log({"a": step}, step)
        assert run.dropped > 0
        hangs.set()
    assert "figures wait already" in run.trouble
    assert len(keeper.points) + run.dropped == 50


def test_a_server_that_is_gone_is_said_once_and_stops_nothing(caplog):
    with caplog.at_level(logging.WARNING, "shgat"), recording(Keeper(fails=True)) as run:
        for step in range(20):
            run.log({"a": 1.0}, step)
        run.keep("x", b"")
    assert [r.message for r in caplog.records] == ["run r is not tracked whole: the server is gone"]
    assert run.run.status == "completed"


def test_failures_at_once_are_said_once_and_counted_all(caplog):
    with caplog.at_level(logging.WARNING, "shgat"), recording(Keeper()) as run:
        together = threading.Barrier(16)

        def fail():
            together.wait()
            for _ in range(100):
                run._fail("gone", 1)

        threads = [threading.Thread(target=fail) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(caplog.records) == 1
    assert run.dropped == 1600


def test_figures_are_numbers_and_what_is_not_finite_is_left_out():
    keeper = Keeper()
    with recording(keeper) as run:
        run.log({"a": float("nan"), "b": np.float32(2.0), "c": float("inf"), "d": 3})
        for bad in ({"a": "1"}, {"a": True}, {"": 1.0}, {3: 1.0}, {"a": None}):
            with pytest.raises(InputError, match="figures are numbers by name"):
                run.log(bad)
    assert [(p.name, p.value) for p in keeper.points] == [("b", 2.0), ("d", 3.0)]
