"""How archives are made: packed in memory, so that their size is known before a byte is written; read back; and only then named."""

import bz2
import hashlib
import lzma
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from ..errors import CorruptError
from .archive import LZMA, MAGIC, SMALL, SUFFIX, Archive, compressed, opened, root8, short
from .chain import Entry
from .columnar import Encoder
from .disk import Disk
from .events import VERSION, canonical
from .layout import PART
from .segment import measured

_META = 512  # bytes of a segment in the file beside the archive, with room


def _xz(data: bytes) -> bytes:
    return lzma.compress(data, format=lzma.FORMAT_RAW, filters=LZMA)


def _smallest(data: bytes) -> tuple[str, bytes]:
    """A column by the codec that makes least of it."""
    codecs: dict[str, Callable[[bytes], bytes]] = {"raw": bytes, "zstd": compressed, "bz2": bz2.compress}
    if len(data) < SMALL:
        codecs["xz"] = _xz
    return min(((name, codec(data)) for name, codec in codecs.items()), key=lambda found: len(found[1]))


@dataclass(frozen=True, slots=True)
class Packed:
    """An archive in memory.

    Attributes
    ----------
    entries : the links of its segments
    body : its bytes, in parts
    """

    entries: tuple[Entry, ...]
    body: tuple[bytes, ...]

    @classmethod
    def of(cls, segments: Iterable[tuple[Entry, Iterable[bytes]]]) -> "Packed":
        """Of links and lines."""
        encoder, entries = Encoder(), []
        for entry, part in segments:
            entries.append(entry)
            for line in part:
                encoder.add(line)
        about, bodies = [], []
        for name, data in encoder.columns().items():
            codec, kept = _smallest(data)
            about.append([name, codec, len(data), len(kept), short(kept)])
            bodies.append(kept)
        header = canonical({"v": VERSION, "segments": [{"v": VERSION, **asdict(e)} for e in entries], "columns": about})
        head = MAGIC + len(header).to_bytes(4, "big") + header
        return cls(tuple(entries), (head, hashlib.sha256(head).digest(), *bodies))

    @property
    def room(self) -> int:
        """Bytes that it needs, with those of the file beside it."""
        return sum(map(len, self.body)) + _META * len(self.entries)

    def store(self, folder: Path, stamp: str, disk: Disk) -> Path:
        """Writes it under a name under which it does not count yet, and reads it back.

        Raises
        ------
        CorruptError
            where its lines are not those of the links.
        """
        name = f"ledger-dump-{stamp}-{self.entries[0].seq:06d}-{root8(self.entries)}{SUFFIX}"
        part = folder / (name + PART)
        with disk.create(part) as file:
            file.writelines(self.body)
            disk.close(file)
        for entry, found in opened(part).segments():
            if measured(found) != entry.measured:
                raise CorruptError(f"{name}: segment {entry.seq} is not what was sealed; its archive is not published")
        return part


def publish(part: Path, disk: Disk) -> Archive:
    """Gives a stored archive its name, and writes the file beside it."""
    final = part.with_name(part.name.removesuffix(PART))
    disk.publish(part, final)
    archive = opened(final)
    disk.replace(archive.meta_path, archive.meta())
    return archive
