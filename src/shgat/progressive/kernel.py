"""The kernel: what is known of each lineage, a join-semilattice.

A kernel maps a lineage to the summary of one unit of it. Two kernels are joined lineage by lineage, and of two summaries the better one
stands (`unit.better`). So the order in which repositories were read, how they were batched, and how often something was merged do not
matter: join is associative, commutative and idempotent, and forks and mirrors count once. Everything else that a kernel says (frequencies,
confidences) is computed from the counts when it is asked.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson

from ..errors import CorruptError
from .archive import compressed, decompressed
from .disk import Disk
from .events import CONFIG, Record, canonical
from .merkle import root_of
from .unit import BUDGET, Rank, checked, rank

SUFFIX = ".zst"
_SKIPPED = b"\x50\x2a\x4d\x18"  # begins a zstd frame that readers pass over


@dataclass(frozen=True, slots=True)
class Standing:
    """What is held in memory of a lineage.

    Attributes
    ----------
    unit : that stands
    rank : n_commits, head time, head, leaf
    labels : counts of commits
    pairs : pairs of paths that its summary has
    """

    unit: str
    rank: Rank
    labels: Mapping[str, int]
    pairs: int

    @classmethod
    def of(cls, summary: Record) -> "Standing":
        """That of a summary."""
        return cls(summary["unit"], rank(summary), summary["labels"], len(summary["pairs"]))

    @property
    def leaf(self) -> str:
        """Of the tree whose root the kernel is known by."""
        return self.rank[3]


Units = Mapping[str, Standing]


def joined(*kernels: Units) -> dict[str, Standing]:
    """The least kernel that has all that these have."""
    found: dict[str, Standing] = {}
    for units in kernels:
        for lineage, standing in units.items():
            before = found.get(lineage)
            found[lineage] = standing if before is None or standing.rank > before.rank else before
    return found


def root(units: Units) -> str:
    """The Merkle root of the summaries, sorted by lineage."""
    return root_of([bytes.fromhex(units[lineage].leaf) for lineage in sorted(units)]).hex()


def patterns(units: Units) -> list[dict[str, Any]]:
    """Of each label: how many commits have it, the share of commits that do as the mean of its Beta posterior, and where it is."""
    counts: Counter[str] = Counter()
    where: dict[str, list[str]] = {}
    for lineage in sorted(units):
        for label, n in units[lineage].labels.items():
            counts[label] += n
            where.setdefault(label, []).append(lineage)
    commits = sum(s.rank[0] for s in units.values())
    return [
        {"type": label, "frequency": n, "confidence": (n + 1) / (max(commits, n) + 2), "lineages": where[label]}
        for label, n in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    ]


def to_bytes(summary: Record) -> bytes:
    """The file of a summary: a zstd stream, led by a frame that readers pass over. That has what a kernel needs to know of the summary to
    join it, so that thousands are opened without unpacking one, and before it the SHA-256 of everything else in the file."""
    frame = compressed(canonical(summary))
    standing = Standing.of(summary)
    about = canonical({"lineage": summary["lineage"], "config": summary["config"], **asdict(standing)})
    head = _SKIPPED + (32 + len(about)).to_bytes(4, "little")
    return head + hashlib.sha256(head + about + frame).digest() + about + frame


def from_bytes(data: bytes, where: str) -> Record:
    """The summary of a file.

    Raises
    ------
    CorruptError
        where a byte of it is not what was written.
    """
    lineage, standing, frame = _opened(data, where)
    try:
        found = checked(orjson.loads(decompressed(frame, BUDGET)))
        if found["lineage"] != lineage or Standing.of(found) != standing:
            raise CorruptError("its head is that of another summary")
    except (ValueError, CorruptError) as error:
        raise CorruptError(f"{where}: {error}") from None
    return found


def _opened(data: bytes, where: str) -> tuple[str, Standing, bytes]:
    """Lineage, what is held of it in memory, and the frame of its summary."""
    end = 8 + int.from_bytes(data[4:8], "little")
    sealed, about, frame = data[8:40], data[40:end], data[end:]
    if data[:4] != _SKIPPED or end < 40 or hashlib.sha256(data[:8] + about + frame).digest() != sealed:
        raise CorruptError(f"{where}: it is not what was written; `shgat kernel rebuild` makes it anew")
    try:
        found = orjson.loads(about)
        if found["config"] != CONFIG:
            raise CorruptError(f"{where}: a unit of configuration {found['config']!r:.20}, expected {CONFIG}: replay it anew")
        n, time, head, leaf = found["rank"]
        return str(found["lineage"]), Standing(found["unit"], (n, time, head, leaf), found["labels"], found["pairs"]), frame
    except (ValueError, KeyError, TypeError):
        raise CorruptError(f"{where}: it is no file of a unit") from None


class Kernel:
    """A kernel in a folder, a file a lineage.

    Parameters
    ----------
    folder : of its `units`
    disk : the door
    """

    def __init__(self, folder: Path, disk: Disk | None = None) -> None:
        self.folder, self._disk = folder, disk or Disk()
        self.units: dict[str, Standing] = {}

    @classmethod
    def load(cls, folder: Path, disk: Disk | None = None) -> "Kernel":
        """The kernel of a folder. The first file that is not sound is a CorruptError."""
        kernel = cls(folder, disk)
        for path in kernel.paths():
            kernel._take(path)
        return kernel

    def _take(self, path: Path) -> None:
        lineage, standing, _ = _opened(path.read_bytes(), path.name)
        if path.name != f"{lineage}{SUFFIX}":
            raise CorruptError(f"{path.name}: it is the summary of {lineage}")
        self.units[lineage] = standing

    @property
    def root(self) -> str:
        """The Merkle root of its summaries."""
        return root(self.units)

    def path(self, lineage: str) -> Path:
        """Of the file of a lineage."""
        return self.folder / "units" / f"{lineage}{SUFFIX}"

    def paths(self) -> list[Path]:
        """Of all files, sorted."""
        return sorted((self.folder / "units").glob(f"*{SUFFIX}"))

    def summaries(self, paths: Iterable[Path] | None = None) -> Iterator[Record]:
        """Each summary, read from its file."""
        for path in self.paths() if paths is None else paths:
            summary = from_bytes(path.read_bytes(), path.name)
            if path.name != f"{summary['lineage']}{SUFFIX}":
                raise CorruptError(f"{path.name}: it is the summary of {summary['lineage']}")
            yield summary

    def join(self, summary: Record) -> bool:
        """Takes a summary in; False where what stands is as good."""
        standing, before = Standing.of(summary), self.units.get(summary["lineage"])
        if before is not None and before.rank >= standing.rank:
            return False
        self._disk.replace(self.path(summary["lineage"]), to_bytes(summary))
        self.units[summary["lineage"]] = standing
        return True

    def repair(self) -> list[str]:
        """Takes away files that are not sound, so that they can be made anew, and takes the others in. Lineages that are gone."""
        gone = []
        for path in self.paths():
            try:
                self._take(path)
            except CorruptError:
                self._disk.remove(path)
                gone.append(path.name.removesuffix(SUFFIX))
        return gone
