"""What one source holds: tools, groups of tools, what happened, and remarks on what was changed or left out."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from .texts import ID, UNDESCRIBED, clean, described

Key = tuple[str, str]  # (server, name), "" where no server is known
What = Literal["changed", "left out", "joined", "kept"]
NOTES = 10_000  # kept of one source


@dataclass(frozen=True, slots=True)
class Note:
    """One remark.

    Attributes
    ----------
    item, what, why : what it is about, what became of it, and the reason
    """

    item: str
    what: What
    why: str

    def __str__(self) -> str:
        return f"{self.item}: {self.what}, {self.why}"


@dataclass(frozen=True, slots=True)
class FoundTool:
    """A tool under its server's own name for it.

    Attributes
    ----------
    server, name, text : identity, and what the ranker reads
    """

    server: str
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Group:
    """Tools that somebody put together: a server, tag, category or workflow. It becomes a declared capability.

    Attributes
    ----------
    kind, name, text : "server", "tag" and so on, its name, what it is said to be
    tools : keys of its direct members
    groups : (kind, name) of the groups in it
    """

    kind: str
    name: str
    text: str = ""
    tools: tuple[Key, ...] = ()
    groups: tuple[Key, ...] = ()


@dataclass(frozen=True, slots=True)
class FoundTrace:
    """What was executed for one intent, by the names that a log has for tools; the fields of `shgat.traces.Trace`.

    Attributes
    ----------
    id, intent, tools, outcome, error : as those of a trace
    context : names of the tools that the session had used before
    timestamp, duration_ms, parent_id : as those of a trace, or None
    capability : (kind, name) of a group, or None
    """

    id: str
    intent: str
    tools: tuple[str, ...]
    outcome: float = 1.0
    error: str | None = None
    context: tuple[str, ...] = ()
    timestamp: float | None = None
    duration_ms: float | None = None
    parent_id: str | None = None
    capability: Key | None = None


@dataclass(eq=False)
class Findings:
    """What one source holds, as it is read.

    Attributes
    ----------
    source, kind : what a folder remembers it as, and which kind of source it is
    server : that its tools belong to unless they say otherwise
    tools, groups : by their keys, in the order of the source
    traces : what happened
    notes, unnamed : remarks, and how many more there were
    error : why the source could not be read, "" where it could
    within : the folder or configuration that it was found in, "" where it was given itself
    repeats : is it a log, where one definition stands again and again?
    listed : digests of lists of tools that were read
    given : how it was given, where that is not what a folder remembers
    """

    source: str
    kind: str = ""
    server: str = ""
    tools: dict[Key, FoundTool] = field(default_factory=dict)
    groups: dict[Key, Group] = field(default_factory=dict)
    traces: list[FoundTrace] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    unnamed: int = 0
    error: str = ""
    within: str = ""
    repeats: bool = False
    listed: set[bytes] = field(default_factory=set)
    given: str = ""

    @property
    def shown(self) -> str:
        """What reports call it."""
        return self.given or self.source

    def note(self, item: str, what: What, why: str) -> None:
        """One more remark; beyond 10 000 they are only counted."""
        if len(self.notes) < NOTES:
            self.notes.append(Note(item, what, why))
        else:
            self.unnamed += 1

    def add_tool(
        self,
        name: Any,
        title: Any = None,
        description: Any = None,
        parameters: Sequence[tuple[str, str]] = (),
        *,
        server: str | None = None,
        where: str = "",
    ) -> Key | None:
        """One more tool, whatever its fields hold; returns its key, None where it has no usable name.

        Parameters
        ----------
        name, title, description : as the source has them
        parameters : (name, description) of each
        server : that it belongs to; None: that of the source
        where : it stands in the source, for a tool without a name
        """
        home = self.server if server is None else server
        called = clean(name) if isinstance(name, str) else ""
        if not called or len(called) > ID:
            self.note(where or "a tool", "left out", "it has no name" if not called else f"its name has {len(called)} characters")
            return None
        text, remarks = described(called, title, description, parameters)
        if called != name:
            remarks.insert(0, "characters that no id can have were taken out of its name")
        key = home, called
        known = self.tools.get(key)
        shown = f"{home}/{called}" if home else called
        if known is not None:
            if known.text != text:
                self.note(shown, "left out", "another tool of the source has its name: the first stays")
            elif not self.repeats:
                self.note(shown, "joined", "it is there twice")
            return key
        self.tools[key] = FoundTool(home, called, text)
        for remark in remarks:
            self.note(shown, "kept" if remark == UNDESCRIBED else "changed", remark)
        return key

    def add_group(self, kind: str, name: str, text: Any = "", tools: Sequence[Key] = (), groups: Sequence[Key] = ()) -> Key | None:
        """One more group, or more members of one that is there; returns its key, None where it has no usable name."""
        called = clean(name)[:ID]
        if not called:
            return None
        key = kind, called
        known = self.groups.get(key, Group(kind, called))
        said = described(called, None, text, ())[0]
        members = tuple(dict.fromkeys((*known.tools, *tools)))
        self.groups[key] = Group(kind, called, known.text or said, members, tuple(dict.fromkeys((*known.groups, *groups))))
        return key
