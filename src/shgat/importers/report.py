"""What an import did: which sources gave what, what was changed or left out, and what became of the folder."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .findings import Findings, Note


@dataclass(frozen=True, eq=False)
class SourceReport:
    """One source.

    Attributes
    ----------
    source, kind : its name and kind
    tools, capabilities, traces : how many it has
    notes : what of it was changed, joined or left out
    unnamed : remarks that are only counted
    error : why it could not be read, "" where it could
    """

    source: str
    kind: str
    tools: int
    capabilities: int
    traces: int
    notes: tuple[Note, ...] = ()
    unnamed: int = 0
    error: str = ""

    @classmethod
    def of(cls, found: Findings, capabilities: int = 0) -> "SourceReport":
        """Of findings, and the number of capabilities that were made of them."""
        sizes = len(found.tools), capabilities, len(found.traces)
        return cls(found.shown, found.kind, *sizes, tuple(found.notes), found.unnamed, found.error)

    def count(self, what: str) -> int:
        """How many remarks are of one sort: "changed", "joined", "kept" or "left out"."""
        return sum(note.what == what for note in self.notes)


@dataclass(frozen=True, eq=False)
class Difference:
    """Ids that an import added to a folder, changed in it and removed from it; where it was empty all are new.

    Attributes
    ----------
    added, changed, removed : ids, in the order of the catalogue
    """

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    @classmethod
    def of(cls, before: Mapping[str, Any], after: Mapping[str, Any]) -> "Difference":
        """Between id -> content and id -> content."""
        return cls(
            tuple(key for key in after if key not in before),
            tuple(key for key, value in after.items() if key in before and before[key] != value),
            tuple(key for key in before if key not in after),
        )

    def to_dict(self) -> dict[str, tuple[str, ...]]:
        """JSON values."""
        return {"added": self.added, "changed": self.changed, "removed": self.removed}


@dataclass(frozen=True, eq=False)
class Report:
    """An import.

    Attributes
    ----------
    sources : a report for each
    notes : what was joined or renamed between sources
    tools, capabilities : compared with the folder
    traces_added : how many traces the folder did not have
    embeddings : what became of those of the folder, "" where it has none
    """

    sources: tuple[SourceReport, ...]
    notes: tuple[Note, ...] = ()
    tools: Difference = Difference()
    capabilities: Difference = Difference()
    traces_added: int = 0
    embeddings: str = ""

    @property
    def failed(self) -> tuple[SourceReport, ...]:
        """Sources that could not be read."""
        return tuple(source for source in self.sources if source.error)

    @property
    def left_out(self) -> tuple[str, ...]:
        """A sentence for everything that is not in the catalogue: sources, and items of sources."""
        sentences = [f"{source.source}: left out, {source.error}" for source in self.failed]
        sentences += [f"{s.source}: {note}" for s in self.sources for note in s.notes if note.what == "left out"]
        return (*sentences, *(str(note) for note in self.notes if note.what == "left out"))

    def to_dict(self) -> dict[str, Any]:
        """JSON values with names that stay."""
        return {
            "sources": [
                {
                    "source": s.source,
                    "kind": s.kind,
                    "tools": s.tools,
                    "capabilities": s.capabilities,
                    "traces": s.traces,
                    "error": s.error or None,
                    "notes": [_note(note) for note in s.notes],
                    "unnamed_notes": s.unnamed,
                }
                for s in self.sources
            ],
            "notes": [_note(note) for note in self.notes],
            "tools": self.tools.to_dict(),
            "capabilities": self.capabilities.to_dict(),
            "traces_added": self.traces_added,
            "embeddings": self.embeddings or None,
        }


def _note(note: Note) -> dict[str, str]:
    return {"item": note.item, "what": note.what, "why": note.why}


@dataclass(eq=False)
class Summary:
    """Remarks by what they say, so that one that a thousand items share is one line.

    Attributes
    ----------
    lines : (what, why, how many, the first item) in the order of first appearance
    """

    lines: list[tuple[str, str, int, str]] = field(default_factory=list)

    @classmethod
    def of(cls, notes: "list[Note] | tuple[Note, ...]") -> "Summary":
        """Of remarks."""
        counts = Counter((note.what, note.why) for note in notes)
        first = {(note.what, note.why): note.item for note in reversed(notes)}
        return cls([(*key, n, first[key]) for key, n in counts.items()])
