"""The examples of clients run against a server that runs."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from http_server import Process
from shgat import Catalog
from worlds import SAMPLE

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("http")
    Catalog.load(SAMPLE).save(folder / "catalogue")
    with Process(folder) as server:
        yield server


def run(*command):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_the_client_learns_as_it_goes(server):
    lines = run(sys.executable, EXAMPLES / "http_client.py", server.url, server.key)
    assert len(lines) == 7
    assert all("at rank 1, model untrained" in line for line in lines[:4])


def test_many_at_once_and_a_refusal(server):
    lines = run(sys.executable, EXAMPLES / "http_asyncio.py", server.url, server.key)
    assert lines[-1].startswith("invalid: embedding_base64 has shape (2,)")


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl(server):
    lines = run("sh", EXAMPLES / "http_curl.sh", server.url, server.key)
    assert '"counted":true' in lines[-1]
