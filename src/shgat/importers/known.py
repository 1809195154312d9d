"""What a folder holds and remembers, before an import and after it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ..graph import Capability, Tool
from ..traces import Trace
from .findings import Findings, Key, Note


@dataclass(frozen=True, eq=False)
class Source:
    """What a folder remembers of a source.

    Attributes
    ----------
    kind : of the source
    tools : id -> (server, name)
    capabilities : ids
    within : the folder or configuration that it was found in, "" where it was given itself
    """

    kind: str
    tools: dict[str, Key] = field(default_factory=dict)
    capabilities: tuple[str, ...] = ()
    within: str = ""


@dataclass(frozen=True, eq=False)
class Known:
    """What a folder holds already.

    Attributes
    ----------
    tools, capabilities, traces : its records
    sources : those that it was imported from, by name
    """

    tools: Sequence[Tool] = ()
    capabilities: Sequence[Capability] = ()
    traces: Sequence[Trace] = ()
    sources: Mapping[str, Source] = field(default_factory=dict)

    def gone(self, findings: Iterable[Findings], containers: Iterable[str]) -> list[str]:
        """Names of sources that were in one of the folders or configurations that were read again, and are not there any more."""
        here, opened = {found.source for found in findings}, set(containers)
        return [name for name, source in self.sources.items() if source.within in opened and source.within and name not in here]


@dataclass(eq=False)
class Joined:
    """Records that hold together, what was found in which source, and remarks on what was joined or renamed."""

    tools: list[Tool]
    capabilities: list[Capability]
    traces: list[Trace]
    sources: dict[str, Source]
    notes: list[Note]
