"""Benchmarks stand outside the package: each of them still finds what it times."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2] / "asv_benchmarks"
EVERY = """
import importlib, pkgutil, benchmarks
found = [m.name for m in pkgutil.iter_modules(benchmarks.__path__, "benchmarks.")]
for name in [*found, "peers.by_shgat", "peers.by_numpy"]:
    importlib.import_module(name)
print(*found)
"""


def test_every_benchmark_and_peer_is_written_for_this_shgat():
    ran = subprocess.run([sys.executable, "-W", "error", "-c", EVERY], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert "benchmarks.ranking" in ran.stdout.split()
