"""The example gateways run as they are."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_the_asyncio_gateway_gets_better(tmp_path):
    command = [sys.executable, EXAMPLES / "gateway_asyncio.py", f"sqlite:///{tmp_path / 'gateway.db'}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    hits = [int(line.split(": ")[1].split()[0]) for line in done.stdout.splitlines()]
    assert len(hits) == 4
    assert hits[-1] > hits[0]


@pytest.mark.skipif(shutil.which("node") is None, reason="Node is not installed")
def test_the_node_gateway_trains_and_goes_on_answering():
    done = subprocess.run(
        ["node", EXAMPLES / "gateway_node.mjs", sys.executable], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    first, second, third = map(json.loads, done.stdout.splitlines())
    assert first["answered"] > 5
    assert second["loss"] < first["loss"]
    assert "examples" in third["refused"]
