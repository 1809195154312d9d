"""One bar of a table, and what it is measured on."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .git import folder_of


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar.

    Attributes
    ----------
    name : B1 to B15
    wanted, found : in words, with figures
    reached : or not; None where it could not be measured
    before : what RL4-Trainer has there, "" where nothing is known
    """

    name: str
    wanted: str
    found: str
    reached: bool | None
    before: str = ""

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Bench:
    """Where bars are measured: repositories, and a folder for what is made."""

    repositories: Sequence[Path]
    folder: Path

    def largest(self, n: int = 1) -> list[Path]:
        """The repositories with the most bytes of packs, the largest first."""
        return sorted(self.repositories, key=_size, reverse=True)[:n]

    def named(self, *names: str) -> list[Path]:
        """Those of these names, whose case does not matter."""
        return [p for p in self.repositories if p.name.lower().removesuffix(".git") in {n.lower() for n in names}]


def _size(path: Path) -> int:
    return sum(p.stat().st_size for p in (folder_of(path) / "objects").rglob("*") if p.is_file())
