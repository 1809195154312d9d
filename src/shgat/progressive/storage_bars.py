"""Bars of storage: how small an archive is, how fast everything is verified, and whether a flipped byte is found."""

import random
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path

from ..errors import CorruptError
from .bar import Bar, Bench
from .disk import Disk
from .extraction import extract
from .history import History
from .layout import Layout
from .ledger import Ledger
from .state import verify

_FLIPS = 500


def ledger_of(folder: Path, repositories: list[Path]) -> Ledger:
    """A new ledger with a segment of each."""
    shutil.rmtree(folder, ignore_errors=True)
    layout, disk = Layout(folder), Disk()
    layout.make()
    ledger = Ledger(layout, disk)
    for i, path in enumerate(repositories):
        found = extract(History.of(path), layout.part(i), f"{i:016d}", path.name, disk, 1 << 40)
        if found is not None:
            ledger.seal(layout.part(i), found.measured, found.owner)
    return ledger


def compression(bench: Bench) -> Bar:
    """B5: bytes of canonical lines over bytes of an archive of that repository alone, decoded again."""
    ratios = {}
    for path in bench.repositories:
        ledger = ledger_of(bench.folder / "compression", [path])
        (found,) = ledger.rotate(datetime.now(UTC))
        found.verify()
        ratios[path.name] = found.raw_bytes / found.size
    whole = ledger_of(bench.folder / "compression", list(bench.repositories))
    archives = whole.rotate(datetime.now(UTC))
    together = sum(a.raw_bytes for a in archives) / sum(a.size for a in archives)
    enough = sum(r >= 10 for r in ratios.values())
    each = ", ".join(f"{name} {ratio:.1f}" for name, ratio in sorted(ratios.items(), key=lambda r: -r[1]))
    found_text = f"{enough} of {len(ratios)} alone, {together:.1f} as the loop archives them together; {each}"
    return Bar(
        "B5", ">= 10:1 on each of >= 7 repositories, bit for bit", found_text, enough >= 7, "claimed 10:1; gzip of lines 6 to 9"
    )


def verification(bench: Bench) -> Bar:
    """B15: the time to verify, for a gigabyte of lines; and random flips over every file of a small workspace."""
    ledger = ledger_of(bench.folder / "verification", bench.largest(4))
    ledger.rotate(datetime.now(UTC))
    size = sum(e.bytes for e in ledger.chain.entries)
    began, busy = time.perf_counter(), time.process_time()
    faults = ledger.verify()
    seconds, busy = ((now - then) * 1e9 / size for now, then in ((time.perf_counter(), began), (time.process_time(), busy)))
    found = _flips(bench)
    text = f"{seconds:.0f} s for 1 GB ({busy:.0f} s of processor), scaled from {size / 1e6:.0f} MB in archives; {found} of {_FLIPS} flips found"
    return Bar("B15", "1 GB in <= 20 s; each of 500 flips", text, seconds <= 20 and found == _FLIPS and not faults, "no verifier")


def _flips(bench: Bench) -> int:
    """How many flips of a random bit are found, in segments, archives, chain, units and state.json."""
    from .replay_bars import run

    root = bench.folder / "flips"
    run(root, sorted(bench.repositories, key=lambda p: len(History.of(p).order))[:2])
    layout = Layout(root)
    places = (layout.ledger, layout.archives, layout.kernel, layout.kernel / "units")
    files = [p for folder in places for p in sorted(folder.iterdir()) if p.is_file()]
    rng, found = random.Random(0), 0
    for _ in range(_FLIPS):
        path = rng.choice(files)
        data = path.read_bytes()
        flipped = bytearray(data)
        flipped[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        path.write_bytes(flipped)
        try:
            found += bool(Ledger(layout).verify() or verify(layout.kernel))
        except CorruptError:
            found += 1
        path.write_bytes(data)
    return found
