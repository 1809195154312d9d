"""Archives: sealed segments by columns, compressed, with what they were when they were sealed.

A file is 8 bytes that say what it is, the length of its header (4 bytes, high first), the header (canonical JSON, which has the SHA-256 of
each column), the SHA-256 of all before it, and the columns. Each column is kept as it is, by zstd, bz2 or xz, whichever is smallest.
"""

import bz2
import hashlib
import lzma
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from .._files import open_regular
from ..errors import CorruptError, MissingExtraError
from .chain import Entry
from .columnar import lines
from .events import VERSION, canonical, digest
from .merkle import root_of
from .segment import measured

SUFFIX = ".shcol.zst"
MAGIC = b"SHCOL1\r\n"
_LEVEL = 19
SMALL = 1 << 18  # bytes of a column for which xz is tried too, which is slow
LZMA: list[dict[str, Any]] = [
    {"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "dict_size": SMALL, "lc": 4, "lp": 0, "pb": 0}
]


def _zstd() -> Any:
    try:
        import zstandard
    except ImportError:
        raise MissingExtraError("zstandard", "progressive") from None
    return zstandard


def compressed(data: bytes) -> bytes:
    """One zstd frame."""
    return bytes(_zstd().ZstdCompressor(level=_LEVEL, write_checksum=True, write_content_size=True).compress(data))


def decompressed(data: bytes, size: int) -> bytes:
    """What a frame holds, of at most `size` bytes."""
    zstd = _zstd()
    try:
        if zstd.frame_content_size(data) > size:
            raise CorruptError(f"a frame says that it holds more than {size} bytes")
        return bytes(zstd.ZstdDecompressor().decompress(data, max_output_size=size))
    except zstd.ZstdError as error:
        raise CorruptError(f"no zstd frame: {error}") from None


def _opened(codec: str, data: bytes, size: int) -> bytes:
    try:
        if codec == "zstd":
            found = decompressed(data, size)
        elif codec == "bz2":
            found = bz2.BZ2Decompressor().decompress(data, size + 1)
        elif codec == "xz":
            found = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=LZMA).decompress(data, size + 1)
        else:
            found = data
    except (OSError, lzma.LZMAError, EOFError) as error:
        raise CorruptError(f"no {codec}: {error}") from None
    if len(found) != size:
        raise CorruptError(f"a column has {len(found)} bytes, expected {size}")
    return found


@dataclass(frozen=True, slots=True)
class Archive:
    """One archive.

    Attributes
    ----------
    path : of the file
    entries : the links of its segments
    columns : name, codec, bytes, bytes as kept and the first 16 digits of their SHA-256, of each
    start : where the columns begin
    size : bytes of the file
    """

    path: Path
    entries: tuple[Entry, ...]
    columns: tuple[tuple[str, str, int, int, str], ...]
    start: int
    size: int

    @property
    def raw_bytes(self) -> int:
        """Of the segments."""
        return sum(e.bytes for e in self.entries)

    @property
    def meta_path(self) -> Path:
        """Of the file beside it, for people and other programs."""
        return self.path.with_name(self.path.name.removesuffix(SUFFIX) + ".meta.json")

    def meta(self) -> bytes:
        """What that file has to hold."""
        segments = [orjson.loads(e.line()) for e in self.entries]
        about = {"v": VERSION, "codec": "shcol1", "archived_bytes": self.size, "bytes": self.raw_bytes, "segments": segments}
        about |= {"n": sum(e.n for e in self.entries), "first_id": self.entries[0].seq, "last_id": self.entries[-1].seq}
        return canonical(about) + b"\n"

    def lines(self) -> Iterator[bytes]:
        """All lines, in order.

        Raises
        ------
        CorruptError
            where a byte of the file is not what was written; it names the part.
        """
        columns = {}
        try:
            with open_regular(self.path) as file:
                file.seek(self.start)
                for name, codec, size, kept, expected in self.columns:
                    data = file.read(kept)
                    if short(data) != expected:
                        raise CorruptError(f"column {name} is not what was written")
                    columns[name] = _opened(codec, data, size)
            yield from lines(columns, sum(e.n for e in self.entries))
        except CorruptError as error:
            raise CorruptError(f"{self.path.name}: {error}") from None

    def segments(self) -> Iterator[tuple[Entry, Iterator[bytes]]]:
        """Each segment and its lines, which have to be read before the next segment."""
        found = self.lines()
        for entry in self.entries:
            part = islice(found, entry.n)
            yield entry, part
            for _ in part:
                pass

    def verify(self) -> None:
        """Decodes all, and compares each segment with its link.

        Raises
        ------
        CorruptError
            where they are not the same.
        """
        for entry, part in self.segments():
            if measured(part) != entry.measured:
                raise CorruptError(f"{self.path.name}: segment {entry.seq} is not what was sealed")
        if not self.path.name.endswith(f"-{self.entries[0].seq:06d}-{root8(self.entries)}{SUFFIX}"):
            raise CorruptError(f"{self.path.name}: its name is not that of what it holds")


def short(data: bytes) -> str:
    """Sixteen digits of the hash of a column: enough to find what changed by itself. Who changed it on purpose meets the root."""
    return digest(data)[:16]


def root8(entries: Iterable[Entry]) -> str:
    """Eight digits of the Merkle root of segments' roots."""
    return root_of([bytes.fromhex(e.root) for e in entries]).hex()[:8]


def opened(path: Path) -> Archive:
    """The archive at a path; its columns are not looked at.

    Raises
    ------
    CorruptError
        where its head is not what was written.
    """
    with open_regular(path) as file:
        size = path.stat().st_size
        head = file.read(len(MAGIC) + 4)
        length = int.from_bytes(head[len(MAGIC) :], "big")
        if head[: len(MAGIC)] != MAGIC or length > size:
            raise CorruptError(f"{path.name}: it is no archive of this format")
        text, sealed = file.read(length), file.read(32)
    try:
        header = orjson.loads(text)
        entries = tuple(Entry.of(canonical(e), f"{path.name}, segment {i}") for i, e in enumerate(header["segments"], 1))
        columns = tuple((str(n), str(c), int(a), int(b), str(h)) for n, c, a, b, h in header["columns"])
        start = len(head) + length + 32
        if hashlib.sha256(head + text).digest() != sealed or not entries or start + sum(c[3] for c in columns) != size:
            raise ValueError
    except (ValueError, TypeError, KeyError):
        raise CorruptError(f"{path.name}: its head is not what was written") from None
    return Archive(path, entries, columns, start, size)
