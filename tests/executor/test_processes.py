"""Processes of this machine: what is shared, what is lost, and how they end."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from executor import work
from shgat.errors import InputError, MissingExtraError, WorkerError
from shgat.executor import Processes


@pytest.fixture(scope="module")
def executor():
    with Processes(2) as made:
        yield made


def test_work_is_done_elsewhere_with_one_thread_and_arrays_cannot_be_changed(executor):
    shared = executor.share(np.ones((3, 3), np.float32))
    found = set(executor.map(work.name, shared, range(40)))
    assert os.getpid() not in found
    assert 1 <= len(found) <= 2
    before = {name: os.environ.get(name) for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")}
    assert list(executor.map(work.threads, shared, [0])) == [["1", "1"]]
    assert {name: os.environ.get(name) for name in before} == before
    with pytest.raises(WorkerError, match="read-only"):
        list(executor.map(work.writes, shared, [0]))


def test_what_is_shared_moves_once(executor):
    before = executor.moved
    shared = executor.share(np.zeros((500, 500), np.float32))
    assert 10**6 <= executor.moved - before < 10**6 + 1000
    list(executor.map(work.refuses, shared, range(4, 20)))
    assert executor.moved - before < 10**6 + 10_000
    assert list(executor.map(work.refuses, executor.share(np.zeros((0, 4))), [1])) == [1]


def test_a_killed_process_costs_no_result(executor, tmp_path, caplog):
    shared = executor.share(str(tmp_path))
    assert list(executor.map(work.dies_once, shared, range(12))) == [i * i for i in range(12)]
    assert "it is done anew (1 of 3)" in caplog.text
    assert len(list(tmp_path.iterdir())) == 3


def test_work_that_ends_its_process_every_time_is_given_up(executor):
    with pytest.raises(WorkerError, match=r"item 0 ended 4 times .* give fewer jobs"):
        list(executor.map(work.dies, executor.share(None), [0]))
    assert list(executor.map(work.refuses, executor.share(None), [1])) == [1]


def test_errors_that_are_not_ours_say_what_they_were_and_ours_come_whole(executor):
    with pytest.raises(WorkerError, match="a task failed: ZeroDivisionError") as caught:
        list(executor.map(work.stumbles, executor.share(None), [2]))
    assert "work.py" in "".join(caught.value.__notes__)
    with pytest.raises(MissingExtraError, match="nothing is not installed"):
        list(executor.map(work.misses, executor.share(None), [2]))


def test_what_is_given_up_does_not_go_on(tmp_path):
    with Processes(2) as executor:
        results = executor.map(work.sleeps, executor.share(str(tmp_path)), [0, 60, 60])
        assert next(results) == 0
        began = time.monotonic()
        results.close()
        assert time.monotonic() - began < 30
        folder = executor._folder
        assert folder.stat().st_mode & 0o077 == 0
    assert not folder.exists()


@pytest.mark.slow
def test_its_processes_end_where_their_parent_is_killed(tmp_path):
    code = (
        "from executor import work\nfrom shgat.executor import Processes\n"
        f"if __name__ == '__main__':\n  e = Processes(2)\n  list(e.map(work.sleeps, e.share({str(tmp_path)!r}), [0, 60, 60]))\n"
    )
    script = tmp_path / "script.py"
    script.write_text(code)
    parent = subprocess.Popen([sys.executable, str(script)], env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])})
    try:
        deadline = time.monotonic() + 60
        while len(found := list(tmp_path.glob("*.process"))) < 2 and time.monotonic() < deadline:
            time.sleep(0.1)
        processes = [int(path.stem) for path in found]
        assert len(processes) == 2
    finally:
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    deadline = time.monotonic() + 30
    while any(Path(f"/proc/{pid}").exists() and _runs(pid) for pid in processes) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(_runs(pid) for pid in processes)


def _runs(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_there_is_at_least_one():
    with pytest.raises(InputError, match="jobs"):
        Processes(0)
