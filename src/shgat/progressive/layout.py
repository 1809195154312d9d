"""Where what lies in a workspace, and what its accountant calls each folder."""

from dataclasses import dataclass
from pathlib import Path

PART = ".part"


@dataclass(frozen=True, slots=True)
class Layout:
    """The places of a workspace.

    Attributes
    ----------
    root : the folder
    name : of the folder that holds ledger, archives and kernel
    """

    root: Path
    name: str = ".reasoning_rl4"

    @property
    def ledger(self) -> Path:
        """Sealed segments, parts of segments, and the chain."""
        return self.root / self.name / "ledger"

    @property
    def chain(self) -> Path:
        """chain.log."""
        return self.ledger / "chain.log"

    @property
    def archives(self) -> Path:
        """Segments by columns."""
        return self.root / self.name / "archives"

    @property
    def kernel(self) -> Path:
        """What is known of each lineage, and its digest."""
        return self.root / self.name / "kernel"

    @property
    def diagnostics(self) -> Path:
        """A summary a run."""
        return self.root / self.name / "diagnostics"

    @property
    def corpus(self) -> Path:
        """Clones, while they are read."""
        return self.root / "datasets" / "corpus"

    @property
    def substrate(self) -> Path:
        """The kernel's root after each batch."""
        return self.root / "archives" / "substrate"

    @property
    def manifest(self) -> Path:
        """The index of all this, an SQLite database."""
        return self.root / "manifest.db"

    @property
    def lock(self) -> Path:
        """Held by the process that writes."""
        return self.root / ".lock"

    @property
    def about(self) -> Path:
        """Format, quota and configuration."""
        return self.root / "workspace.json"

    def segment(self, seq: int) -> Path:
        """A sealed segment."""
        return self.ledger / f"seg-{seq:06d}.jsonl"

    def part(self, position: int) -> Path:
        """The segment that the repository at a position of the list is read into."""
        return self.ledger / f"unit-{position:06d}{PART}"

    def classes(self) -> dict[str, Path]:
        """Class of the quota -> its folder; what is in none of them is `other`."""
        return {"corpus": self.corpus, "ledger": self.ledger, "archives": self.archives, "kernel": self.kernel}

    def make(self) -> None:
        """Makes the folders."""
        for folder in (*self.classes().values(), self.kernel / "units", self.diagnostics, self.substrate):
            folder.mkdir(parents=True, exist_ok=True)
