"""Segments: the records of one unit, a line each, and what was measured of them when they were written."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .._files import open_regular
from ..errors import QuotaError
from .disk import Disk
from .events import Record, canonical
from .merkle import Tree

_LINE = 1 << 30  # bytes


@dataclass(frozen=True, slots=True)
class Measured:
    """What a segment is.

    Attributes
    ----------
    n : records
    bytes : of all lines, with their line feeds
    root : Merkle root of the lines, hexadecimal
    """

    n: int
    bytes: int
    root: str


class SegmentWriter:
    """Writes a segment under a name under which it does not count yet.

    Parameters
    ----------
    path : of the part
    disk : the door
    most : bytes that it may have; one more is a QuotaError
    """

    def __init__(self, path: Path, disk: Disk, most: int) -> None:
        self.path, self._disk, self._most = path, disk, most
        self._file = disk.create(path)
        self._tree, self._bytes = Tree(), 0

    def add(self, record: Record) -> None:
        """One more record."""
        line = canonical(record)
        self._bytes += len(line) + 1
        if self._bytes > self._most:
            self._file.close()
            raise QuotaError(f"its events need more than the {self._most} bytes that the quota has for them")
        self._tree.add(line)
        self._file.write(line + b"\n")

    def done(self) -> Measured:
        """Closes the part when it is on the disk."""
        self._disk.close(self._file)
        return Measured(self._tree.n, self._bytes, self._tree.root().hex())

    def abandon(self) -> None:
        """Takes the part away."""
        self._file.close()
        self._disk.remove(self.path)


def read(path: Path) -> Iterator[bytes]:
    """The lines of a segment, without their line feeds; what stands behind the last one comes too."""
    with open_regular(path) as file:
        while line := file.readline(_LINE):
            yield line[:-1] if line[-1:] == b"\n" else line + b"\0"  # no record: it changes the root


def measured(lines: Iterable[bytes]) -> Measured:
    """What lines are."""
    tree, n = Tree(), 0
    for line in lines:
        tree.add(line)
        n += len(line) + 1
    return Measured(tree.n, n, tree.root().hex())
