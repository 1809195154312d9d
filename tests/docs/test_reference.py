"""The API reference has every public name; what pages say in figures is what the code says; every command stands on its page."""

import re
import runpy
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
import typer

from shgat.cli import app
from shgat.cli.completion import verbs
from shgat.learning import scheduler
from shgat.model import evidence, success
from shgat.training import update

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PACKAGES = (
    "shgat",
    "shgat.serving",
    "shgat.integrations",
    "shgat.traces",
    "shgat.importers",
    "shgat.graph",
    "shgat.model",
    "shgat.training",
    "shgat.td",
    "shgat.metrics",
    "shgat.features",
    "shgat.store",
    "shgat.drift",
    "shgat.pipeline",
    "shgat.progressive",
)


def reference():
    hook = runpy.run_path(str(DOCS / "reference_names.py"))["on_page_markdown"]
    return hook((DOCS / "reference.md").read_text())


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_has_an_entry_that_leads_somewhere(package):
    entries = re.findall(rf"^::: {re.escape(package)}\.(\w+)$", reference(), re.MULTILINE)
    module = import_module(package)
    assert entries == list(module.__all__)
    assert all(getattr(module, name).__doc__ for name in entries if not name.isupper() and name not in ("Level",))


@pytest.mark.slow
def test_the_site_is_built_without_a_warning(tmp_path):
    pytest.importorskip("mkdocstrings")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-q", "-f", ROOT / "mkdocs.yml", "-d", tmp_path]
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
    page = (tmp_path / "reference/index.html").read_text()
    for name in import_module("shgat").__all__:
        assert f'id="shgat.{name}"' in page, name
    assert 'id="shgat.SHGAT.rank"' in page


def test_when_learning_starts_is_what_the_code_says():
    page = re.search(r"## When learning starts\n(.*?)\n## ", (DOCS / "gateway.md").read_text(), re.DOTALL)[1]
    for said in (
        f"| {scheduler.FIRST} traces in the store | `fit` over at most {scheduler.BATCH.traces} traces",
        f"over at most {scheduler.LIVE.traces} traces: parameters and memory",
        f"take over within {scheduler.REFRESH:g} s",
        f"the latest {evidence.PLACES} executions",
        f"from {update.FEWEST} traces on a fifth",
        f"1 in {1 / success.FLOOR:g} of what it was",
    ):
        assert said in page, said
    assert (scheduler.AGAIN, evidence.SHARE, evidence.LONGEST, success.HALF_LIFE) == (1.5, 4, 3600.0, 30 * 86400.0)
    assert (update.HELD_SHARE, scheduler.BATCH.epochs) == (
        0.2,
        3,
    )  # "half more", "a quarter", "an hour", "thirty days", "a fifth", "three"


def test_every_command_is_on_its_page():
    page = (DOCS / "commands.md").read_text()
    for verb in verbs(typer.main.get_command(app)):
        if verb.words and not verb.commands:
            assert f"`{verb.words[-1]}`" in page or f"`shgat {' '.join(verb.words)}" in page, verb.words


def test_a_glossary_has_each_word_once_and_in_order():
    found = re.findall(r"^\| ([^|]+) \|", (DOCS / "glossary.md").read_text(), re.MULTILINE)[2:]
    assert found == sorted(found, key=str.lower)
    assert len(set(found)) == len(found) > 40


@pytest.mark.slow
@pytest.mark.parametrize("page", ["README.md", "docs/getting-started.md"])
def test_the_commands_of_a_newcomer_work_one_after_another(page, tmp_path):
    blocks = re.findall(r"^```sh\n(DIR=.*?)^```", (ROOT / page).read_text(), re.MULTILINE | re.DOTALL)
    script = "\n".join(blocks).replace("gateway simulate", "gateway simulate --seconds 1")
    served = f'( exec "{sys.executable}" -m shgat serve --demo --port 0 ) & sleep 8; kill $!; wait $!'
    script = re.sub(r"^shgat serve --demo.*$", lambda _: served, script, flags=re.MULTILINE)  # it serves until it is told to end
    assert "shgat train" in script
    door = f'set -e\nshgat() {{ "{sys.executable}" -m shgat "$@"; }}\n'
    done = subprocess.run(["bash", "-c", door + script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
