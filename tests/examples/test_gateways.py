"""The example gateways run as they are."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


def run_asyncio_gateway(tmp_path):
    """Hits in each quarter of the example's day."""
    command = [sys.executable, EXAMPLES / "gateway_asyncio.py", f"sqlite:///{tmp_path / 'gateway.db'}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    hits = [int(line.split(": ")[1].split()[0]) for line in done.stdout.splitlines()]
    assert len(hits) == 4
    return hits


@pytest.mark.slow
def test_the_asyncio_gateway_serves_all_day(tmp_path):
    assert all(hits > 0 for hits in run_asyncio_gateway(tmp_path))


@pytest.mark.slow  # trainings are beside the requests: on a loaded machine they may come too late for a short day
def test_the_asyncio_gateway_gets_better(tmp_path):
    days = [run_asyncio_gateway(tmp_path / str(day)) for day in range(3) if not (tmp_path / str(day)).mkdir()]
    assert sum(hits[-1] for hits in days) > sum(hits[0] for hits in days)


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
