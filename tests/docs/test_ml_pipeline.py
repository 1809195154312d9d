"""The nightly workflow is YAML that calls commands that exist, with options that they have; so do the timer and the line of cron."""

import json
import os
import re
import shlex
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
import typer
import yaml

from shgat.cli import app
from shgat.cli.completion import verbs
from shgat.pipeline import STEPS

ROOT = Path(__file__).parents[2]
FLOW = yaml.safe_load((ROOT / ".github/workflows/ml-pipeline.yml").read_text())
JOBS = FLOW["jobs"]["pipeline"]["steps"]
PAGE = (ROOT / "docs/pipeline.md").read_text()


def commands(text: str) -> list[list[str]]:
    """What is behind each `shgat` of a script."""
    return [shlex.split(c, comments=True) for c in re.findall(r"(?<![\w/.-])(?:/opt/shgat/bin/)?shgat +([a-z][^\n|&;`]*)", text)]


EVERY = [c for step in JOBS for c in commands(step.get("run", ""))]
IN_UNITS = [c for block in re.findall(r"^```(?:ini|sh)?\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL) for c in commands(block)]


@pytest.mark.parametrize("command", [*EVERY, *IN_UNITS], ids=" ".join)
def test_every_command_exists_and_its_options_parse(command):
    root = typer.main.get_command(app)
    context, arguments = root.make_context("shgat", list(command), resilient_parsing=False), None
    found = root
    while hasattr(found, "commands"):
        name, found, arguments = found.resolve_command(
            context, context._protected_args + context.args if arguments is None else arguments
        )
        context = found.make_context(name, list(arguments), parent=context)
        arguments = context._protected_args + context.args if hasattr(found, "commands") else context.args
    assert arguments == []


def test_it_calls_every_step_in_order_each_where_the_one_before_goes_on():
    called = [c[1] for c in EVERY if c[0] == "pipeline" and c[1] in STEPS]
    assert called == list(STEPS)
    guarded = [step for step in JOBS if "pipeline-step" in step.get("run", "")]
    for before, step in pairwise(guarded):
        assert step["if"] == f"steps.{before['id']}.outputs.goes_on == 'true'"
    assert FLOW[True]["schedule"] == [{"cron": "0 2 * * *"}]  # YAML 1.1 reads "on" as true
    assert FLOW["permissions"] == {"contents": "read"}


def test_all_commands_of_the_pipeline_have_a_place_on_the_page():
    for verb in verbs(typer.main.get_command(app)):
        if verb.words[:1] == ("pipeline",) and not verb.commands:
            assert f"`{verb.words[1]}`" in PAGE or f"shgat pipeline {verb.words[1]}" in PAGE, verb.words


@pytest.mark.parametrize(
    ("code", "status", "run", "goes_on", "ends"),
    [(0, "done", "open", True, 0), (0, "done", "promoted", False, 0), (0, "done", "unchanged", False, 0), (1, "refused", "refused", False, 0),
     (2, "", "", False, 1)],
)  # fmt: skip
def test_a_step_says_whether_the_next_one_has_anything_to_do(tmp_path, code, status, run, goes_on, ends):
    said = json.dumps({"run_status": run, "status": status}, indent=2)
    script = f"import sys; print({said!r}); sys.exit({code})"
    step, told = ROOT / ".ci/pipeline-step", tmp_path / "told"
    done = subprocess.run(
        ["bash", step, sys.executable, "-c", script], cwd=tmp_path, env={**os.environ, "GITHUB_OUTPUT": str(told)}, check=False,
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == ends
    assert done.stdout == said + "\n"
    assert told.read_text() == f"goes_on={str(goes_on).lower()}\n"
