"""The Python of README.md and of each page runs, in a folder of its own."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", [p for p in PAGES if BLOCK.search(p.read_text())], ids=lambda p: p.stem)
def test_examples_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = page.read_text()
    # Empty lines in front: an error names the line of the page.
    names = {"__name__": "__example__"}
    for block in BLOCK.finditer(text):
        source = "\n" * (text[: block.start()].count("\n") + 1) + block[1]
        exec(compile(source, str(page), "exec"), names)
    for left_open in [value for value in names.values() if not isinstance(value, type) and hasattr(value, "close")]:
        left_open.close()


def test_the_job_on_the_gateway_page_trains():
    job = re.search(r"^shgat worker <<'EOF'\n(.*?)^EOF", (ROOT / "docs/gateway.md").read_text(), re.MULTILINE | re.DOTALL)[1]
    done = subprocess.run([sys.executable, "-m", "shgat", "worker"], input=job.encode(), capture_output=True, check=True)
    result = json.loads(done.stdout)
    assert result["success"]
    assert result["traceIds"] == ["t1"]


def test_readme_has_the_two_commands():
    commands = [line for line in (ROOT / "README.md").read_text().splitlines() if line.startswith("pip install")]
    assert commands == ["pip install . && shgat demo", "pip install '.[test]' && pytest -n auto --dist loadfile"]


def test_every_page_is_in_the_navigation():
    listed = re.findall(r"([\w-]+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE)
    assert sorted(listed) == sorted(p.name for p in PAGES[1:])
    linked = re.findall(r"^\| \[.*\]\(([\w-]+\.md)\)", (ROOT / "docs/index.md").read_text(), re.MULTILINE)
    assert sorted([*linked, "index.md"]) == sorted(listed)
