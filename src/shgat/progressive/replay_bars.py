"""Bars of reading: commits a second beside other readers, memory, four repositories that were known to be hard, several processes."""

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .bar import Bar, Bench
from .corpus import Line, Source
from .disk import Disk
from .extraction import extract
from .git import environment
from .history import History
from .layout import Layout
from .loop import Loop
from .manifest import Manifest
from .settings import Settings

_PEER_COMMITS = 600
_HARD = ("asv", "httpx", "lightfm", "nanoGPT")
_MEASURE = """
import resource, sys, time
from pathlib import Path
from shgat.progressive.disk import Disk
from shgat.progressive.extraction import extract
from shgat.progressive.history import History
began = time.perf_counter()
found = extract(History.of(Path(sys.argv[1])), Path(sys.argv[2]), "0" * 16, "n", Disk(), 1 << 40)
seconds = time.perf_counter() - began
print(found.n_commits, seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""


def run(workspace: Path, places: list[Path], **options: int) -> tuple[str, str, float]:
    """Root, chain and seconds of a loop over repositories that are read in place."""
    lines = [Line(i, Source(str(p.resolve()), p.name)) for i, p in enumerate(places)]
    shutil.rmtree(workspace, ignore_errors=True)
    began = time.perf_counter()
    report = Loop(Layout(workspace), Settings(**options), lambda: datetime.now(UTC)).run(lines)
    return report.root, report.chain, time.perf_counter() - began


def speed(bench: Bench) -> Bar:
    """B1: events, hashes, counts and a file that is on the disk; beside pygit2 and PyDriller, where they are installed."""
    rates, said = [], []
    chosen = bench.named("numpy", "scipy") or bench.largest(2)
    for path in chosen:
        part = bench.folder / "speed.part"
        n, rate, busy = 0, 0.0, 0.0
        for _ in range(3):  # the best of three: others are at this machine too
            began, then = time.perf_counter(), time.process_time()
            found = extract(History.of(path), part, "0" * 16, path.name, Disk(), 1 << 40)
            n = found.n_commits if found else 0
            rate, busy = max(rate, n / (time.perf_counter() - began)), max(busy, n / (time.process_time() - then))
        rates.append(rate)
        said.append(f"{path.name}: {n} commits, {rate:.0f}/s ({busy:.0f} a second of this process)")
    reached = min(rates) >= 8000
    for name, times, peer in (("pygit2", 4, _pygit2), ("PyDriller", 20, _pydriller)):
        try:
            other = peer(chosen[0], bench.folder / f"peer-{name}")
            said.append(f"{rates[0] / other:.0f} x {name} ({other:.0f}/s)")
            reached = reached and rates[0] >= times * other
        except ImportError:
            said.append(f"{name} is not installed")
    return Bar("B1", ">= 8000 commits/s, 4 x pygit2, 20 x PyDriller", "; ".join(said), reached)


def _private(path: Path, target: Path) -> Path:
    """A copy that a peer may write to."""
    command = ["git", "clone", "-q", "--no-checkout", "--shared", "--template=", "--", str(path.resolve()), str(target)]
    subprocess.run(command, env=environment(GIT_ALLOW_PROTOCOL="file"), check=True, capture_output=True, cwd="/")
    return target


def _rate(commits: Callable[[], int]) -> float:
    began = time.perf_counter()
    n = commits()
    return n / (time.perf_counter() - began)


def _pygit2(path: Path, target: Path) -> float:
    import pygit2

    repo: Any = pygit2.Repository(str(_private(path, target)))

    def read() -> int:
        n = 0
        for commit in repo.walk(repo.head.target, pygit2.enums.SortMode.TOPOLOGICAL):
            if len(commit.parents) == 1:
                list(commit.parents[0].tree.diff_to_tree(commit.tree).deltas)
            n += 1
            if n == _PEER_COMMITS:
                break
        return n

    return _rate(read)


def _pydriller(path: Path, target: Path) -> float:
    from pydriller import Repository

    _private(path, target)

    def read() -> int:
        n = 0
        for commit in Repository(str(target), order="reverse").traverse_commits():
            [m.filename for m in commit.modified_files]
            n += 1
            if n == _PEER_COMMITS // 4:
                break
        return n

    return _rate(read)


def memory(bench: Bench) -> Bar:
    """B2: the most memory of a process that reads and counts, and whether twice the commits take twice the time."""
    (path,) = bench.named("scipy")[:1] or bench.largest()
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, str(path), str(bench.folder / "memory.part")], capture_output=True, text=True, check=True
    )
    rss = float(done.stdout.split()[2])
    history = History.of(path)
    began, half = time.perf_counter(), 0.0
    for n, _ in enumerate(history.commits(), 1):
        if n == len(history.order) // 2:
            half = time.perf_counter() - began
    ratio = (time.perf_counter() - began) / half
    found = f"{path.name}: {rss / 1e6:.0f} MB; all commits take {ratio:.2f} x the first half"
    return Bar("B2", "<= 300 MB; time of all / time of the first half <= 2.3", found, rss <= 300e6 and ratio <= 2.3)


def four(bench: Bench) -> Bar:
    """B3: four repositories, none failing, and the size of what is kept of a commit."""
    chosen = bench.named(*_HARD)
    if len(chosen) < len(_HARD):
        return Bar("B3", "four in <= 3 s, none failing, <= 1 KB/commit", f"they are not all there: {', '.join(_HARD)}", None)
    _, _, seconds = run(bench.folder / "four", chosen)
    manifest = Manifest(bench.folder / "four/manifest.db", read_only=True)
    rows = manifest.repos()
    manifest.close()
    size = sum(r.bytes for r in rows) / sum(r.commits for r in rows)
    failed = sum(r.state != "done" for r in rows)
    found = f"{seconds:.1f} s, {failed} failing, {size:.0f} bytes/commit"
    reached = seconds <= 3 and not failed and size <= 1000
    return Bar("B3", "four in <= 3 s, none failing, <= 1 KB/commit", found, reached, "38 s, 1 failing, 45 KB/commit")


def jobs(bench: Bench) -> Bar:
    """B9: two processes beside one, the same end."""
    chosen = sorted(bench.repositories, key=lambda p: p.name)[:12]
    one, two = (run(bench.folder / f"jobs{n}", chosen, jobs=n) for n in (1, 2))
    ratio = one[2] / two[2]
    same = one[:2] == two[:2]
    end = "the same" if same else "another"
    found = f"{ratio:.2f} x over {len(chosen)} repositories ({one[2]:.1f} s, {two[2]:.1f} s), {end} root and chain"
    return Bar("B9", "--jobs 2 is >= 1.6 x, the same root", found, same and ratio >= 1.6, "concurrency 8 is about 1")
