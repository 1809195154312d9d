"""The ledger: what was sealed, in segments or archives, under one chain. Nothing leaves it before its archive was read back."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import orjson

from ..errors import CorruptError
from . import archive as archives
from .archive import Archive
from .chain import Chain, Entry, Owner
from .disk import Disk
from .events import Record
from .layout import PART, Layout
from .packing import Packed, publish
from .segment import Measured, measured, read

GROUP = 64 << 20  # bytes of segments in an archive, about; one that is larger has its own
_LEAST_GROUP = 4 << 20  # bytes: less is not divided


class Helpers(Protocol):
    """What packs archives beside each other."""

    @property
    def n(self) -> int:
        """How many at a time."""

    def pack(self, segments: Sequence[tuple[Entry, Path]], stamp: str) -> Callable[[], Path | None]:
        """Begins to store an archive; who calls what this returns waits for its part. None: it has to be made here."""


def _nobody() -> None:
    return None


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is not what was written: `where`, and `what` of it."""

    where: str
    what: str


class Ledger:
    """The segments, archives and chain of a workspace.

    Attributes
    ----------
    layout : of the workspace
    chain : the links
    """

    def __init__(self, layout: Layout, disk: Disk | None = None) -> None:
        self.layout, self._disk = layout, disk or Disk()
        self.chain = Chain(layout.chain, self._disk)

    def seal(self, part: Path, found: Measured, owner: Owner) -> Entry:
        """A part becomes the next segment."""
        self._disk.publish(part, self.layout.segment(len(self.chain.entries) + 1))
        return self.chain.append(found, owner)

    def archives(self) -> list[Archive]:
        """All archives, by their first segment."""
        found = [archives.opened(p) for p in self.layout.archives.glob(f"*{archives.SUFFIX}")]
        return sorted(found, key=lambda a: a.entries[0].seq)

    def raw(self) -> list[Entry]:
        """Links whose segments lie there as lines."""
        return [e for e in self.chain.entries if self.layout.segment(e.seq).exists()]

    def walk(self, after: int = 0) -> Iterator[tuple[Entry, Iterator[bytes]]]:
        """Each link behind `after` and its lines, which have to be read before the next link.

        Raises
        ------
        CorruptError
            where a segment is nowhere.
        """
        at = {a.entries[0].seq: a for a in self.archives()}
        seq, last = after + 1, len(self.chain.entries)
        while seq <= last:
            path = self.layout.segment(seq)
            if path.exists():
                yield self.chain.entries[seq - 1], read(path)
                seq += 1
            elif seq in at:
                yield from at[seq].segments()
                seq = at[seq].entries[-1].seq + 1
            else:
                inside = next((a for a in at.values() if a.entries[0].seq < seq <= a.entries[-1].seq), None)
                if inside is None:
                    raise CorruptError(f"segment {seq} is neither in the ledger nor in an archive")
                yield from (found for found in inside.segments() if found[0].seq >= seq)
                seq = inside.entries[-1].seq + 1

    def rotate(
        self, now: datetime, reserve: Callable[[int], object] = lambda _: None, group: int = GROUP, helpers: "Helpers | None" = None
    ) -> list[Archive]:
        """Archives all segments that lie there as lines, and takes those away whose archive was read back.

        Parameters
        ----------
        now : is in the names of the archives
        reserve : is told how many bytes an archive needs before its first is written
        group : bytes of segments in an archive
        helpers : pack several archives at the same time; None: one after another, here
        """
        stamp = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
        groups = self._groups(group, helpers.n if helpers else 1)
        waiting: list[Callable[[], Path | None]] = [_nobody] * len(groups)
        if helpers is not None and len(groups) > 1:
            waiting = [helpers.pack(self._segments(g), stamp) for g in groups]
        done = []
        for entries, packed in zip(groups, waiting, strict=True):
            part = packed()
            if part is None:
                here = Packed.of((e, read(path)) for e, path in self._segments(entries))
                reserve(here.room)
                part = here.store(self.layout.archives, stamp, self._disk)
            done.append(publish(part, self._disk))
            for e in entries:
                self._disk.remove(self.layout.segment(e.seq))
        return done

    def _segments(self, entries: Sequence[Entry]) -> list[tuple[Entry, Path]]:
        return [(e, self.layout.segment(e.seq)) for e in entries]

    def _groups(self, most: int, n: int) -> list[list[Entry]]:
        """What lies there as lines, in runs of at most so many bytes, and where it is enough for that, in `n` runs."""
        archived = {e.seq for a in self.archives() for e in a.entries}
        raw = [e for e in self.raw() if e.seq not in archived]
        most = min(most, max(sum(e.bytes for e in raw) // n, _LEAST_GROUP))
        groups: list[list[Entry]] = []
        size = 0
        for entry in raw:
            if not groups or size + entry.bytes // 2 > most or groups[-1][-1].seq + 1 != entry.seq:
                groups.append([])
                size = 0
            groups[-1].append(entry)
            size += entry.bytes
        return groups

    def gc(self) -> list[str]:
        """Takes away segments that an archive holds, after that was read back, and parts that nobody writes any more. Their names."""
        gone = []
        for archive in self.archives():
            left = [self.layout.segment(e.seq) for e in archive.entries if self.layout.segment(e.seq).exists()]
            if left:
                archive.verify()
                gone += left
            if not archive.meta_path.exists():
                self._disk.replace(archive.meta_path, archive.meta())
        for folder in (self.layout.ledger, self.layout.archives):
            gone += sorted(folder.glob(f"*{PART}")) + sorted(p for p in folder.glob(".*") if p.is_file())
        for path in gone:
            self._disk.remove(path)
        return [p.name for p in gone]

    def adopt(self) -> list[Entry]:
        """Gives links to sealed segments that have none, as a process leaves them that was killed between the two."""
        self.chain.cut()
        found = []
        while (path := self.layout.segment(len(self.chain.entries) + 1)).exists():
            last = b""

            def lines(path: Path = path) -> Iterator[bytes]:
                nonlocal last
                for line in read(path):
                    last = line
                    yield line

            what = measured(lines())
            found.append(self.chain.append(what, owner_of(last, path.name)))
        return found

    def verify(self) -> list[Fault]:
        """Reads everything and compares it with the chain. What is wrong, or nothing."""
        faults = [Fault("chain.log", f"{self.chain.torn} bytes behind its last line")] if self.chain.torn else []
        held: dict[int, Entry] = {}
        for path in sorted(self.layout.archives.glob(f"*{archives.SUFFIX}")):
            try:
                archive = archives.opened(path)
                archive.verify()
                held |= {e.seq: e for e in archive.entries}
                if not archive.meta_path.exists() or archive.meta_path.read_bytes() != archive.meta():
                    faults.append(Fault(archive.meta_path.name, "it is not what its archive says"))
            except (CorruptError, OSError) as error:
                faults.append(Fault(path.name, str(error)))
        for entry in self.chain.entries:
            path = self.layout.segment(entry.seq)
            if path.exists() and measured(read(path)) != entry.measured:
                faults.append(Fault(path.name, "it is not what was sealed"))
            elif not path.exists() and entry.seq not in held:
                faults.append(Fault(f"segment {entry.seq}", "it is neither in the ledger nor in a sound archive"))
            if entry.seq in held and held[entry.seq] != entry:
                faults.append(Fault(f"segment {entry.seq}", "its archive has another link than the chain"))
        known = {self.layout.segment(e.seq) for e in self.chain.entries}
        for path in sorted(set(self.layout.ledger.glob("seg-*.jsonl")) - known):
            faults.append(Fault(path.name, "the chain does not know it; `shgat loop resume` takes it in"))
        faults += [
            Fault(f"segment {seq}", "an archive has it and the chain does not") for seq in held if seq > len(self.chain.entries)
        ]
        return faults


def owner_of(last: bytes, where: str) -> Owner:
    """Whose a segment is, from its last record.

    Raises
    ------
    CorruptError
        where that is no cycle, so that the segment is not whole.
    """
    try:
        record: Record = orjson.loads(last)
        if record["kind"] != "cycle":
            raise ValueError
        return Owner(str(record["unit"]), str(record["repo"]["lineage"]), str(record["repo"]["source"]))
    except (ValueError, KeyError, TypeError):
        raise CorruptError(f"{where}: its last record is no cycle, so it is not whole") from None
