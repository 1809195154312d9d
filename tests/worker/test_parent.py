"""The parent buries every child, whatever the child does, and every child follows its parent."""

import asyncio
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from people import until
from processes import children, descriptors, forked
from shgat.errors import InputError, WorkerError
from shgat.worker import Child, atrain_in_child, train_in_child

RESULT = {
    "success": True, "accepted": True, "changed": True, "reason": "r", "finalAccuracy": 0.5, "finalLoss": 1.0, "traceIds": ["a"],
    "tdErrors": [0.5], "healthCheck": {}, "seconds": 0.1, "paramsPath": "p",
}  # fmt: skip


def fake(code):
    """A command that runs this code instead of a training child."""
    return (sys.executable, "-c", "import sys, os, time, json\n" + code)


@pytest.fixture(autouse=True)
def nothing_is_left():
    before, fds = children(), descriptors()
    yield
    assert children() == before  # neither a zombie nor an orphan
    assert descriptors() == fds


def gone(pid, seconds=30.0):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        try:
            if Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":  # its new parent's to bury
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.02)
    return False


def test_a_training_in_a_child_of_its_own(make_job):
    job = make_job()
    result = train_in_child(job, timeout=60)
    assert list(result.td_errors) == [e["traceId"] for e in job["examples"]]
    assert result.params is not None


def test_a_warm_child_is_used_again_and_replaced_when_it_is_gone(make_job):
    with Child(timeout=60) as child:
        child.start()
        first = child.pid
        child.train(make_job())
        assert child.pid == first
        os.kill(first, signal.SIGKILL)
        until(lambda: child.pid is None)
        child.train(make_job())
        assert child.pid not in (None, first)
        with pytest.raises(WorkerError, match="exactly one"):
            child.train({})
        child.train(make_job())


def test_what_cannot_be_sent_is_refused_before():
    with Child() as child, pytest.raises(InputError, match="nan"):
        child.train({"config": {"learningRate": float("nan")}})


def test_a_child_that_floods_stderr_while_stdout_is_full():
    code = f"sys.stdin.readline(); sys.stderr.write('x' * (64 << 20)); print(json.dumps({RESULT} | {{'pad': 'y' * (8 << 20)}}), flush=True)"
    with Child(timeout=60, command=fake(code)) as child:
        assert child.train({}).final_loss == 1.0


def test_a_child_that_does_not_read():
    code = f"print(json.dumps({RESULT}), flush=True); time.sleep(60)"
    with Child(timeout=60, command=fake(code)) as child:
        assert child.train({"examples": ["x" * (4 << 20)]}).accepted


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("time.sleep(60)", "no answer in 0.5 s"),
        ("sys.stdin.readline(); print('{', end='', flush=True); time.sleep(60)", "no answer in 0.5 s"),
        ("sys.stderr.write('the last words'); sys.exit(3)", "exit code 3; it last said: the last words"),
        ("os.kill(os.getpid(), 11)", "killed by signal 11"),
        ("print('hello', flush=True); time.sleep(60)", "broke the protocol"),
        ('print(\'{"success": false, "error": "no"}\', flush=True); time.sleep(60)', "the training failed: no"),
    ],
)
def test_a_child_that_misbehaves_is_an_error_and_is_buried(code, words):
    timeout = 0.5 if "no answer" in words else 20.0
    with Child(timeout=timeout, command=fake(code)) as child:
        with pytest.raises(WorkerError, match=words):
            child.train({})
        assert child.pid is None


def test_a_command_that_does_not_exist():
    with Child(command=("/nowhere/python",)) as child, pytest.raises(WorkerError, match="cannot start"):
        child.train({})


def test_from_asyncio_the_loop_goes_on_and_a_cancelled_training_is_killed(make_job):
    async def main():
        ticks = 0

        async def tick():
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep(0.005)

        ticking = asyncio.create_task(tick())
        result = await atrain_in_child(make_job(), timeout=60)
        assert result.final_loss > 0
        assert ticks > 10
        with Child(command=fake("time.sleep(60)")) as child:
            training = asyncio.create_task(child.atrain({}))
            await asyncio.sleep(0.3)
            training.cancel()
            with pytest.raises(asyncio.CancelledError):
                await training
            assert child.pid is None
        ticking.cancel()
        await asyncio.gather(ticking, return_exceptions=True)
        await asyncio.get_running_loop().shutdown_default_executor()

    asyncio.run(main())


def strike(pid):
    with contextlib.suppress(ProcessLookupError):  # it was buried already: a strike between two trainings
        os.kill(pid, signal.SIGKILL)


def kills(make_job, n, seed):
    """Strikes at random instants of a child that trains without a pause; how many a training died of."""
    rng = random.Random(seed)
    job = make_job(n=200)
    job["config"]["epochs"] = 20
    killed = 0
    with Child(timeout=60) as child:
        for _ in range(n):
            child.start()
            timer = threading.Timer(rng.uniform(0.0, 1.2), strike, (child.pid,))
            timer.start()
            while timer.is_alive():
                try:
                    child.train(job)
                except WorkerError as error:
                    killed += "ended without an answer" in str(error)
            timer.join()
        assert child.train(job).final_loss is not None
    return killed


def test_a_killed_child_is_an_error_and_the_next_training_works(make_job):
    assert kills(make_job, 4, 0) >= 2  # a strike between two trainings kills none


@pytest.mark.slow
def test_fifty_killed_children(make_job):
    assert kills(make_job, 50, 1) >= 25


PARENT = """
import json, sys, time
from shgat.worker import Child
child = Child(timeout=60)
child.start()
print(child.pid, flush=True)
while True:
    child.train(json.loads(sys.argv[1]))
"""


def orphans(make_job, n, seed):
    rng = random.Random(seed)
    job = make_job(n=200)
    job["config"]["epochs"] = 20
    for _ in range(n):
        with subprocess.Popen([sys.executable, "-c", PARENT, json.dumps(job)], stdout=subprocess.PIPE) as parent:
            pid = int(parent.stdout.readline())
            time.sleep(rng.uniform(0.0, 1.5))
            parent.kill()
            parent.wait()
            assert gone(pid)


def test_a_child_ends_when_its_parent_is_killed(make_job):
    orphans(make_job, 3, 0)


@pytest.mark.slow
def test_fifty_killed_parents(make_job):
    orphans(make_job, 50, 1)


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_forked_process_starts_a_child_of_its_own_and_leaves_its_parents():
    with Child(timeout=60) as child:
        child.start()
        mine = child.pid

        def fork():
            assert child.pid is None
            child.close()
            child.start()
            assert child.pid not in (None, mine)
            child.close()
            return Path(f"/proc/{mine}").exists()

        assert forked(fork)
        assert child.pid == mine
        with child._lock:  # in the middle of a job
            assert forked(lambda: child.start() or child.close() or True)
        assert child.pid == mine
