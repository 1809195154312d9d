"""The command line as a whole: exit codes, what stands on stdout, and one line on stderr where something is wrong."""

import os
import signal
import subprocess
import sys

import pytest

import shgat
from commands import run
from people import until
from worlds import SAMPLE


def test_version_and_help(ask):
    assert ask("--version") == (0, f"{shgat.__version__}\n", "")
    for code, out, err in (ask(), ask("--help"), ask("rank", "--help")):
        assert (code, err) == (0, "")
        assert "Usage" in out


@pytest.mark.parametrize(
    "words", [(), ("benchmark",), ("catalog",), ("db",), ("evaluate",), ("features",), ("gateway",), ("models",)]
)
def test_lists_of_commands_are_not_cut_at_80_columns(ask, monkeypatch, words):
    monkeypatch.setenv("COLUMNS", "80")
    page = ask(*words, "--help")[1]
    assert "..." not in page.replace("[ARGS]...", "")
    assert max(map(len, page.splitlines())) <= 80


@pytest.mark.parametrize("arguments", ["nonsense", "catalog", "rank --top x", "rank --kind people", "rank --no"])
def test_a_command_line_that_makes_no_sense(ask, arguments):
    code, out, err = ask(*arguments.split())
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("shgat: error: ")


def test_a_warning_is_one_line():
    program = (
        "import sys, warnings, shgat.cli as c\n"
        "c.app.command('warn')(lambda: warnings.warn('overflow\\nin ' + 'x' * 9000, RuntimeWarning))\n"
        "sys.exit(c.main(['warn']))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr.startswith("shgat: warning: overflow in xxx")
    assert done.stderr.count("\n") == 1
    assert len(done.stderr) < 1200


def test_an_error_that_quotes_what_it_refuses_is_short(ask, tmp_path):
    (tmp_path / "log.jsonl").write_bytes(b'{"id": "a", "treated": true, "success": [' + b"[0.25, 0.5]," * 5000 + b"1]}")
    code, out, err = ask("evaluate", "ab", tmp_path / "log.jsonl")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert len(err) < 1200
    code, out, err = ask("rank", "--catalog", "x" * 100_000)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert len(err) < 1200


@pytest.mark.slow
def test_a_reader_that_goes_away():
    code = "import sys; from shgat.cli import main; sys.exit(main())"
    read, write = os.pipe()
    os.close(read)
    result = subprocess.run(
        [sys.executable, "-c", code, "demo", "--json"], stdout=write, stderr=subprocess.PIPE, text=True, timeout=120, check=False
    )
    os.close(write)
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert result.stderr.count("\n") <= 1


@pytest.mark.slow
def test_a_terminal_that_cannot_show_everything():
    result = run("demo", env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert result.returncode == 0
    assert "Traceback" not in result.stderr


# A shell's background job ignores the signal, and its children inherit that.
INTERRUPTIBLE = """
import signal, sys
from shgat.cli import main
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(main())
"""


def test_an_interrupt_is_one_line(tmp_path):
    kept = tmp_path / "kept"
    given = ["train", "--catalog", SAMPLE, "--out", tmp_path / "m", "--epochs", "10000", "--quiet", "--checkpoint", kept]
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", INTERRUPTIBLE, *given], stdout=pipe, stderr=pipe, text=True) as process:
        until(kept.exists)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (1, "")
    kept_line, last = err.splitlines()
    assert "--resume" in kept_line
    assert last == "shgat: error: interrupted"


def test_a_group_without_a_command_says_what_is_missing(ask):
    for group in ("catalog", "db", "evaluate", "benchmark", "gateway", "models"):
        code, out, err = ask(group)
        assert (code, out, err) == (2, "", "shgat: error: Missing command. (shgat --help)\n"), group
