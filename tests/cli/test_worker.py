"""`shgat worker`: the training child's own door, with the child's own options."""

import os

import orjson
import pytest

from commands import run
from shgat.cli import main
from shgat.worker import child


def test_it_is_listed_and_answers():
    assert "worker" in run("--help").stdout
    done = run("worker", input="{}")
    assert done.returncode == 1
    assert orjson.loads(done.stdout)["success"] is False


def test_its_options_are_those_of_the_child(capfd):
    with pytest.raises(SystemExit, match="0"):
        child.main(["--help"])
    expected = capfd.readouterr().out
    for option in ("--warm", "--memory-limit", "--input-timeout", "--nice"):
        assert option in expected
    with pytest.raises(SystemExit, match="0"):
        main(["worker", "--help"])
    assert capfd.readouterr().out == expected
    assert run("worker", "--help").stdout == expected


def test_an_option_reaches_the_child():
    readable, writable = os.pipe()
    os.write(writable, b'{"capabilities": [')
    done = run("worker", "--input-timeout", "0.2", stdin=readable)
    os.close(readable)
    os.close(writable)
    assert done.returncode == 1
    assert "then nothing for 0.2 s" in orjson.loads(done.stdout)["error"]


def test_an_option_that_the_child_does_not_have_is_refused():
    done = run("worker", "--warmer", input="{}")
    assert (done.returncode, done.stdout) == (2, "")
    assert "unrecognized arguments: --warmer" in done.stderr
