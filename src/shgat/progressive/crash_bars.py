"""Bars of what happens to a run from outside: the quota, watched every 20 ms, and kill -9 at random moments."""

import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from .bar import Bar, Bench
from .generator import Plan, make
from .layout import Layout
from .ledger import Ledger
from .manifest import Manifest
from .replay_bars import run
from .state import read, verify

_KILLS = 50
_SAMPLE = """
import signal, sys, time
from pathlib import Path
from shgat.progressive.quota import taken
most, going = 0, True
def end(*_):
    global going
    going = False
signal.signal(signal.SIGTERM, end)
print("ready", flush=True)
while going:
    most = max(most, taken(Path(sys.argv[1])))
    time.sleep(0.02)
print(most, flush=True)
"""


def _command(workspace: Path, listed: Path, *options: str) -> list[str]:
    return [
        sys.executable,
        "-m",
        "shgat",
        "loop",
        "run",
        "-w",
        str(workspace),
        "--repos",
        str(listed),
        "--quiet",
        "--json",
        *options,
    ]


def _listed(path: Path, places: list[str]) -> Path:
    path.write_text("".join(f"{place}\n" for place in places))
    return path


def quota(bench: Bench) -> Bar:
    """B4: clones of all repositories under a quota that some are larger than, and under a larger one."""
    listed = _listed(bench.folder / "quota.txt", [f"file://{p.resolve()}" for p in bench.repositories])
    said, reached = [], True
    for size in (50_000_000, 1_000_000_000):
        workspace = bench.folder / f"quota{size}"
        workspace.mkdir()
        sampler = subprocess.Popen([sys.executable, "-c", _SAMPLE, str(workspace)], stdout=subprocess.PIPE, text=True)
        assert sampler.stdout is not None
        sampler.stdout.readline()
        done = subprocess.run(_command(workspace, listed, "--quota", str(size), "--jobs", "2"), capture_output=True, check=False)
        sampler.send_signal(signal.SIGTERM)
        peak = int(sampler.communicate()[0])
        manifest = Manifest(workspace / "manifest.db", read_only=True)
        states = [r.state for r in manifest.repos()]
        manifest.close()
        sound = done.returncode in (0, 1) and not Ledger(Layout(workspace)).verify()
        reached = reached and peak <= size and sound
        said.append(
            f"{size / 1e6:.0f} MB: at most {peak / 1e6:.1f} MB, {states.count('done')} read, {states.count('failed')} too large"
        )
        shutil.rmtree(workspace)
    return Bar(
        "B4", "a sampler every 20 ms never sees more than the quota", "; ".join(said), reached, "looked at once in 200 repositories"
    )


def kills(bench: Bench) -> Bar:
    """B7: kill -9 at random moments of a run, and again while it recovers; then it goes on."""
    folder = bench.folder / "kills"
    folder.mkdir()
    repos = [make(folder / f"{i}.git", Plan(seed=i, commits=300)).path for i in range(4)]
    listed = _listed(folder / "list.txt", [str(p) for p in repos])
    root, chain, _ = run(folder / "whole", repos, batch_size=2)
    began = time.perf_counter()
    subprocess.run(_command(folder / "timed", listed, "--batch-size", "2"), capture_output=True, check=True)
    whole = time.perf_counter() - began
    rng, same, killed = random.Random(0), 0, 0
    for i in range(_KILLS):
        workspace = folder / f"ws{i}"
        for _ in range(1 + i % 2):
            process = subprocess.Popen(
                _command(workspace, listed, "--batch-size", "2", "--jobs", str(1 + i % 2)), stdout=subprocess.DEVNULL
            )
            time.sleep(rng.uniform(0.2 * whole, whole))
            process.kill()
            killed += process.wait() == -signal.SIGKILL
        subprocess.run(_command(workspace, listed, "--batch-size", "2"), capture_output=True, check=False)
        same += _end(workspace) == (root, chain, len(repos))
        shutil.rmtree(workspace)
    found = f"{same} of {_KILLS} end the same, none lost, none twice; {killed} kills fell into a run"
    return Bar("B7", "kill -9 at 50 moments, the same root, nothing lost or twice", found, same == _KILLS, "no resume")


def _end(workspace: Path) -> tuple[str, str, int]:
    """Root, chain and how many units; "" where something is not sound."""
    layout = Layout(workspace)
    ledger = Ledger(layout)
    if ledger.verify() or verify(layout.kernel):
        return "", "", 0
    state = read(layout.kernel / "state.json")
    return str(state["merkleRoot"]), ledger.chain.tip, len({e.unit for e in ledger.chain.entries})
