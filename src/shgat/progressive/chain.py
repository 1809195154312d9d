"""The chain: which segments there are, each with the hash of all before it.

    chain_i = SHA-256(chain_(i-1) || root || n || bytes || SHA-256(whose it is))

n and bytes are eight bytes, high first; chain_0 is 32 zeros; whose it is are the canonical `unit`, `lineage` and `source`. A line of
chain.log that was altered, left out or put elsewhere breaks every link behind it.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson

from ..errors import CorruptError
from .disk import Disk
from .events import VERSION, canonical
from .segment import Measured

GENESIS = "0" * 64
_HASH = re.compile("[0-9a-f]{64}\\Z")
_Bytes = bytes  # an entry has a field of this name


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose a segment is.

    Attributes
    ----------
    unit : the piece of work, 16 digits
    lineage : what it has in common with forks, 32 digits
    source : hash of where it was read from, 16 digits
    """

    unit: str
    lineage: str
    source: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One link.

    Attributes
    ----------
    seq : from 1
    n, bytes, root : of the segment
    unit, lineage, source : whose it is
    prev, chain : hashes
    """

    seq: int
    n: int
    bytes: int
    root: str
    unit: str
    lineage: str
    source: str
    prev: str
    chain: str

    @classmethod
    def after(cls, last: "Entry | None", found: Measured, owner: Owner) -> "Entry":
        """The link behind another one, or the first."""
        prev = last.chain if last else GENESIS
        whose = hashlib.sha256(canonical(asdict(owner))).digest()
        numbers = found.n.to_bytes(8, "big") + found.bytes.to_bytes(8, "big")
        link = hashlib.sha256(bytes.fromhex(prev) + bytes.fromhex(found.root) + numbers + whose).hexdigest()
        seq = last.seq + 1 if last else 1
        return cls(seq, found.n, found.bytes, found.root, owner.unit, owner.lineage, owner.source, prev, link)

    @property
    def measured(self) -> Measured:
        """What the segment was when it was sealed."""
        return Measured(self.n, self.bytes, self.root)

    @property
    def owner(self) -> Owner:
        """Whose it is."""
        return Owner(self.unit, self.lineage, self.source)

    def line(self) -> _Bytes:
        """As chain.log has it."""
        return canonical({"v": VERSION, **asdict(self)})

    @classmethod
    def of(cls, line: _Bytes, where: str) -> "Entry":
        """The link of a line; one whose bytes are not those that `line` gives is a CorruptError."""
        try:
            found: dict[str, Any] = orjson.loads(line)
            if found.pop("v") != VERSION:
                raise CorruptError(f"{where}: expected version {VERSION}")
            entry = cls(**found)
            if entry.line() != line or not all(map(_HASH.match, (entry.root, entry.prev, entry.chain))):
                raise ValueError
        except (ValueError, TypeError, KeyError, AttributeError):
            raise CorruptError(f"{where}: it is no link of a chain") from None
        return entry


class Chain:
    """The links of chain.log.

    Attributes
    ----------
    entries : in order
    torn : bytes behind the last whole line, as a process leaves them that was killed while it wrote
    """

    def __init__(self, path: Path, disk: Disk) -> None:
        self.path, self._disk = path, disk
        self.entries: list[Entry] = []
        self.torn = 0
        data = path.read_bytes() if path.exists() else b""
        *lines, rest = data.split(b"\n")
        self.torn = len(rest)
        for number, line in enumerate(lines, 1):
            where = f"{path.name}, line {number}"
            entry = Entry.of(line, where)
            try:
                expected = Entry.after(self.entries[-1] if self.entries else None, entry.measured, entry.owner)
            except (ValueError, OverflowError, AttributeError, TypeError):
                expected = None
            if entry != expected:
                raise CorruptError(f"{where}: it does not follow from the line before")
            self.entries.append(entry)

    @property
    def tip(self) -> str:
        """The hash of all."""
        return self.entries[-1].chain if self.entries else GENESIS

    def cut(self) -> None:
        """Takes away what a killed process left behind the last line."""
        if self.torn:
            self._disk.truncate(self.path, self.path.stat().st_size - self.torn)
            self.torn = 0

    def append(self, found: Measured, owner: Owner) -> Entry:
        """One more link."""
        entry = Entry.after(self.entries[-1] if self.entries else None, found, owner)
        self._disk.append(self.path, entry.line() + b"\n")
        self.entries.append(entry)
        return entry


def leaves(entries: Sequence[Entry]) -> list[bytes]:
    """The lines of links, as leaves of a tree over the whole ledger."""
    return [entry.line() for entry in entries]
