"""The blocks of docs/integrations.md that need a host run, each after those that need none."""

import re
from pathlib import Path

import pytest

from hosts import needs
from vendors import vendor

PAGE = (Path(__file__).parents[2] / "docs/integrations.md").read_text()
BLOCK = re.compile(r"^```python(?: title=\"pip install ([^\n]*)\")?\n(.*?)^```", re.MULTILINE | re.DOTALL)
BLOCKS = BLOCK.findall(PAGE)
HOSTED = [(re.sub(r"\W|shgat", "", title), source) for title, source in BLOCKS if title]

pytestmark = pytest.mark.filterwarnings("default")


@pytest.mark.parametrize(("host", "source"), [pytest.param(*h, marks=needs(h[0]), id=h[0]) for h in HOSTED])
def test_a_block_that_needs_a_host_runs(host, source, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    names = {"__name__": "__example__"}
    with vendor() as (url, _):
        for vendors in ("ANTHROPIC", "OPENAI"):
            monkeypatch.setenv(f"{vendors}_API_KEY", "none")
            monkeypatch.setenv(f"{vendors}_BASE_URL", url)
        exec(BLOCKS[0][1], names)
        capsys.readouterr()
        exec(compile(source, f"the block of {host}", "exec"), names)
    said = capsys.readouterr().out
    assert {"fastmcp": "send_mail", "langchain": "Sent.", "litellm": "Sent."}.get(host, "The report is sent.") in said
    assert names["search"].counts["linked"] <= 1
    names["search"].close()


def test_every_host_has_a_block():
    assert [host for host, _ in HOSTED] == ["anthropic", "openai", "fastmcp", "langchain", "litellm"]
