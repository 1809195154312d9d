"""One process writes."""

import os
import signal
import time

import pytest

from processes import ended, started
from shgat.errors import BusyError
from shgat.progressive.lock import locked


def test_the_second_is_told_at_once_who_the_first_is(tmp_path):
    with locked(tmp_path / ".lock"), pytest.raises(BusyError, match=f"process {os.getpid()} is at"), locked(tmp_path / ".lock"):
        pass
    with locked(tmp_path / ".lock"):
        pass


def test_a_killed_process_leaves_no_lock(tmp_path):
    ready, write = os.pipe()

    def hold():
        with locked(tmp_path / ".lock"):
            os.write(write, b"x")
            signal.pause()

    pid = started(hold)
    os.read(ready, 1)
    with pytest.raises(BusyError, match=str(pid)), locked(tmp_path / ".lock"):
        pass
    os.kill(pid, signal.SIGKILL)
    assert not ended(pid)
    with locked(tmp_path / ".lock"):
        assert (tmp_path / ".lock").read_text() == f"{os.getpid()}\n"
    os.close(ready)
    os.close(write)


def test_a_child_that_outlives_the_holder_for_a_moment_is_waited_for(tmp_path):
    ready, write = os.pipe()

    def hold():
        with locked(tmp_path / ".lock"):
            if not os.fork():  # as between fork and exec: it has the descriptor
                os.write(write, b"x")
                time.sleep(0.5)
                os._exit(0)
            signal.pause()

    pid = started(hold)
    os.read(ready, 1)
    os.kill(pid, signal.SIGKILL)
    assert not ended(pid)
    with locked(tmp_path / ".lock"):
        assert (tmp_path / ".lock").read_text() == f"{os.getpid()}\n"
    os.close(ready)
    os.close(write)
