"""Bars of the kernel: its size with thousands of lineages, and the laws of merging."""

import time
from datetime import UTC, datetime

import numpy as np

from . import state
from .bar import Bar, Bench
from .events import CONFIG, Record, canonical, digest
from .kernel import Kernel, Standing, joined, root
from .unit import Tally, better

_LINEAGES = 2281
_CASES = 2000


def synthetic(seed: int, commits: int = 2500) -> Record:
    """A summary at its cap: random paths and sets of them that change together."""
    rng = np.random.default_rng(seed)
    words = np.array([digest(b"%d" % i)[: 3 + i % 7] for i in range(2000)])
    paths = ["/".join(row) + ".py" for row in words[rng.integers(2000, size=(3000, 4))]]
    tally = Tally()
    for places in rng.zipf(1.2, size=(commits, 5)) % 3000:
        files = [{"p": paths[i]} for i in places]
        labels = [{"t": "other", "p": 30}]
        tally.add(
            {"ae": f"a{places[0]}", "ct": int(places[0]), "parents": [], "labels": labels, "truncated": False, "files": files}
        )
    repo = {"config": CONFIG, "lineage": f"{seed:032x}", "head": f"{seed:040x}", "head_time": seed}
    return tally.summary(repo, f"{seed:016x}")


def size(bench: Bench) -> Bar:
    """B6: a kernel of as many lineages as the ancestor's list has, each at its cap."""
    folder = bench.folder / "kernel"
    (folder / "units").mkdir(parents=True)
    kernel, kinds = Kernel(folder), [synthetic(i) for i in range(20)]
    for i in range(_LINEAGES):
        lineage = f"{i:032x}"
        kernel.join(kinds[i % len(kinds)] | {"lineage": lineage, "unit": f"{i:016x}", "head": digest(lineage.encode())[:40]})
    described = canonical(state.described(kernel.units, {}, 12, datetime.now(UTC)))
    total = sum(p.stat().st_size for p in kernel.paths())
    began = time.perf_counter()
    again = Kernel.load(folder)
    seconds = time.perf_counter() - began
    same = again.root == kernel.root
    raw = f"{len(canonical(kinds[0])) / 1024:.0f} KiB a summary before compression"
    found = f"{total / 1e6:.0f} MB ({raw}), state.json {len(described) / 1e6:.2f} MB, load {seconds:.1f} s"
    reached = total <= 300e6 and len(described) <= 2e6 and seconds <= 2 and same
    wanted = f"{_LINEAGES} lineages <= 300 MB, state.json <= 2 MB, load <= 2 s"
    return Bar("B6", wanted, found, reached, "7 KB: 8 counters, 20 ids; claimed 300 MB")


def laws(bench: Bench) -> Bar:
    """B8: associative, commutative, idempotent, identity, and in any order, over random kernels."""
    rng = np.random.default_rng(0)
    broken = 0
    for _ in range(_CASES):
        found = [_summary(rng) for _ in range(6)]
        kernels = [joined(*({s["lineage"]: Standing.of(s)} for s in part)) for part in (found[:2], found[2:4], found[4:])]
        a, b, c = kernels
        order = [found[i] for i in rng.permutation(6)]
        folded = joined(*({s["lineage"]: Standing.of(s)} for s in order))
        good = (
            joined(a, joined(b, c)) == joined(joined(a, b), c) == folded
            and joined(a, b) == joined(b, a)
            and joined(a, a) == joined(a, {}) == a
            and root(folded) == root(joined(*reversed(kernels)))
            and better(found[0], found[1]) == better(found[1], found[0])
        )
        broken += not good
    return Bar("B8", f"merge laws in >= {_CASES} cases", f"{_CASES - broken} of {_CASES} hold", not broken, "none holds")


def _summary(rng: np.random.Generator) -> Record:
    tally = Tally()
    tally.n = int(rng.integers(3))
    tally.labels["bugfix"] = int(rng.integers(3))
    lineage, head, when = (int(n) for n in rng.integers(3, size=3))
    repo = {"config": CONFIG, "lineage": f"{lineage:032x}", "head": f"{head:040x}", "head_time": when}
    return tally.summary(repo, "u")
