"""Ray: two nodes on one machine, of which one ends in the middle."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from shgat.errors import MissingExtraError
from shgat.executor import RayCluster

HERE = Path(__file__).parent


def test_without_ray_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match="ray is not installed"):
        RayCluster()


@pytest.mark.slow
def test_two_nodes_give_the_same_bits_and_a_killed_worker_or_node_costs_no_result(tmp_path):
    if find_spec("ray") is None:
        pytest.skip("Ray is not installed")
    done = subprocess.run(
        [sys.executable, str(HERE / "ray_nodes.py"), str(tmp_path)], env={**os.environ, "PYTHONPATH": str(HERE.parent)},
        capture_output=True, text=True, timeout=280, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["jobs"] == found["nodes"] == 2
    assert found["killed"] == [i * i for i in range(6)]
    assert found["fit"]
    assert found["ranked"]
    assert found["same"]
    assert found["told"] >= 10
    assert found["moved"] > 4800


@pytest.mark.slow
@pytest.mark.parametrize("address", ["127.0.0.1:9", "ray://127.0.0.1:9", "127.0.0.1:99999"])
def test_where_nobody_listens_the_error_says_so(address):
    code = (
        "import sys\nfrom shgat.errors import WorkerError\nfrom shgat.executor import RayCluster\n"
        "try:\n    RayCluster(sys.argv[1])\nexcept WorkerError as error:\n    print(error)\n"
    )
    if find_spec("ray") is None:
        pytest.skip("Ray is not installed")
    done = subprocess.run([sys.executable, "-c", code, address], capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.startswith(f"no Ray cluster at '{address}': "), done.stderr[-2000:]
