"""A guard answers for a child that died, as often as it owes an answer, and only then."""

import os
import signal
import subprocess
import sys
import time

import orjson
import pytest

CHILD = """
import os, signal, sys
from shgat.worker.guard import Guard
guard = Guard(1)
code = guard.fork()
if code is not None:
    sys.exit(code)
{body}
"""


def run(body):
    done = subprocess.run([sys.executable, "-c", CHILD.format(body=body)], capture_output=True, timeout=60, check=False)
    return done.returncode, [orjson.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize(
    ("end", "how"),
    [
        ("os.kill(os.getpid(), signal.SIGKILL)", "killed by signal 9"),
        ("os.abort()", "killed by signal 6"),
        ("os._exit(127)", "exit code 127"),
        ("os._exit(0)", "exit code 0"),
        ("raise MemoryError", "exit code 1"),
    ],
)
def test_what_is_owed_is_answered_however_the_child_ends(end, how):
    code, lines = run(f"guard.owe(); guard.owe(); guard.pay(b'{{}}\\n'); {end}")
    assert code == 1
    assert lines[0] == {}
    assert lines[1]["success"] is False
    assert how in lines[1]["error"]
    assert "raise the memory limit" in lines[1]["error"]
    assert len(lines) == 2


@pytest.mark.parametrize(("end", "expected"), [("os._exit(0)", 0), ("os._exit(3)", 3), ("os.abort()", 1)])
def test_where_nothing_is_owed_nothing_is_said(end, expected):
    assert run(f"guard.owe(); guard.pay(b'[1]\\n'); {end}") == (expected, [[1]])


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_child_ends_with_its_guard(number):
    body = "print(os.getpid(), flush=True)\nimport time\ntime.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", CHILD.format(body=body)], stdout=subprocess.PIPE) as guard:
        child = int(guard.stdout.readline())
        assert alive(child)
        os.kill(guard.pid, number)
        guard.wait(10)
        until = time.monotonic() + 10
        while alive(child) and time.monotonic() < until:
            time.sleep(0.01)
        assert not alive(child)
