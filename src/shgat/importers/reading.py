"""The door: sources of every kind in, one catalogue, its traces and a report out."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import _check
from ..errors import InputError, MissingExtraError
from ..graph import Catalog
from ..traces import Trace
from . import documents, folder, servers
from .connection import listings
from .definitions import plain
from .findings import Findings, Note
from .joining import Joining
from .kinds import KINDS, LOGS, READERS, SERVERS, kind_of
from .known import Joined, Known
from .report import Difference, Report, SourceReport
from .servers import Server
from .texts import ID, clean

FILES = 10_000  # of a folder


@dataclass(frozen=True, eq=False)
class Imported:
    """What sources hold.

    Attributes
    ----------
    catalog : tools and declared capabilities, without embeddings unless a folder had some
    traces : what happened, by the catalogue's ids
    report : what was read, changed and left out
    """

    catalog: Catalog
    traces: tuple[Trace, ...]
    report: Report


@dataclass(eq=False)
class _Folder:
    """What a folder holds beside the sources in it: workflows, which are one source, and what is none."""

    into: Findings
    workflows: list[Any] = field(default_factory=list)


@dataclass(eq=False)
class _Reader:
    """Reads sources into findings; servers are asked together at the end."""

    kind: str | None
    server: str
    timeout: float
    base: Path | None
    found: list[Findings] = field(default_factory=list)
    asked: list[tuple[Server, str]] = field(default_factory=list)  # and the configuration that names it
    containers: list[str] = field(default_factory=list)

    def read(self, source: Any, position: int) -> None:
        if isinstance(source, Server):
            self.asked.append((source, ""))
        elif isinstance(source, str) and source.startswith(("http://", "https://")):
            self.asked.append((servers.of_url(source, self.server, self.timeout), ""))
        elif isinstance(source, str | os.PathLike):
            self._read_path(Path(source), self.server)
        elif isinstance(source, tuple) and len(source) == 2 and all(isinstance(part, str) for part in source):
            self._read_path(Path(source[1]), clean(source[0]))
        else:
            self._value(plain(source), Findings(f"value {position + 1}", server=self.server))

    def ask(self) -> None:
        """Asks the servers that were named."""
        for listing, (server, within) in zip(listings([s for s, _ in self.asked]), self.asked, strict=True):
            name = server.name or self.server or clean(listing.name)[:ID] or server.shown
            found = Findings(f"server {name}", "mcp", name, error=listing.error, within=within)
            if not listing.error:
                READERS["mcp"](listing.tools, found)
                for tool, why in listing.faults:
                    found.note(f"{name}/{clean(tool)[:ID]}", "kept", f"it is not as MCP wants it: {why}")
                found.add_group("server", name, listing.text)
            self.found.append(found)

    def _read_path(self, path: Path, server: str) -> None:
        name = self._name(path)
        if not path.is_dir():
            self._file(path, Findings(name, server=server, given=str(path)))
            return
        self.containers.append(name)
        top = path.parts
        parts = (p for p in path.rglob("*") if not any(part[0] == "." for part in p.parts[len(top) :]))
        files = sorted(p for p in parts if p.suffix.lower() in documents.ENDINGS and p.is_file())
        if len(files) > FILES:
            raise InputError(f"{path} holds {len(files):,} files, at most {FILES:,} are read")
        here = _Folder(Findings(name, server=server, given=str(path)))
        for file in files:
            self._file(file, Findings(self._name(file), server=server, within=name, given=str(file)), here)
        if here.workflows:  # a node is used in many of them, and what it is used for belongs together
            self._take("n8n", here.workflows, here.into)
        elif here.into.notes or not files:
            here.into.error = "" if files else "it holds no file of JSON or YAML"
            self.found.append(here.into)

    def _name(self, path: Path) -> str:
        """What a folder remembers a file as: its way from there, so that the machine and the working directory do not matter."""
        if str(path) == documents.STDIN:
            return "stdin"
        return Path(os.path.relpath(path, self.base)).as_posix() if self.base is not None else path.as_posix()

    def _file(self, path: Path, into: Findings, here: "_Folder | None" = None) -> None:
        """One file, given itself or in a folder."""
        try:
            document = documents.read(path)
        except (InputError, MissingExtraError) as error:
            into.kind, into.error = self.kind or "", str(error)
            self.found.append(into)
            return
        for place in document.faults:
            into.note(place, "left out", "it is no JSON")
        kind, value = self.kind or kind_of(document.value), document.value
        if kind == "n8n" and isinstance(value, Mapping) and not value.get("name"):
            value = {**value, "name": path.stem}
        if here is None:
            self._value(value, into)
        elif kind is None:
            here.into.note(into.shown, "left out", "what it holds is of no known kind")
        elif kind == SERVERS:
            here.into.note(into.shown, "left out", "its servers are only started where it is given itself, and not in a folder")
        elif kind == "n8n":
            here.workflows += value if isinstance(value, list) else [value]
            here.into.notes += [Note(f"{into.shown}: {note.item}", note.what, note.why) for note in into.notes]
        else:
            self._value(value, into)

    def _value(self, value: Any, into: Findings) -> None:
        kind = self.kind or kind_of(value)
        if kind is None:
            into.error = f"what it holds is of no known kind; one of {', '.join(KINDS)} may be given as its kind"
            self.found.append(into)
        elif kind != SERVERS:
            self._take(kind, value, into)
        else:
            into.kind = kind
            self.containers.append(into.source)
            if servers.entries_of(value) is None:
                into.error = "it names no servers: mcpServers is missing"
            self.asked += [(server, into.source) for server in servers.read(value, into, self.timeout)]
            if into.notes or into.error:
                self.found.append(into)

    def _take(self, kind: str, value: Any, into: Findings) -> None:
        into.kind, into.repeats = kind, kind in LOGS
        if kind == "openapi" and not isinstance(value, Mapping):
            into.error = "it is no OpenAPI document: that is a mapping"
        else:
            READERS[kind](value, into)
            if not into.tools and not into.traces:
                into.error = f"it holds nothing of the kind {kind}" + (f": {into.notes[0]}" if into.notes else "")
        self.found.append(into)


def read(*sources: Any, kind: str | None = None, server: str = "", timeout: float = servers.TIMEOUT) -> Imported:
    """A catalogue and traces of what sources hold. A source that cannot be read is named in the report, and the others are.

    Parameters
    ----------
    sources : paths of files and folders, "-" for standard input; pairs (server, path); URLs of MCP servers; `Server`s; values, as JSON
        gives them; what SDKs return for `tools/list`, and lists of their tools
    kind : of all that is no server; None: each is what it looks like
    server : that tools belong to which name none
    timeout : seconds that a running server has to list its tools

    Raises
    ------
    InputError
        for an unknown kind, a URL that is none, and where no source can be read at all, be it that what it takes is not installed.
    """
    reader = _read(sources, kind, server, timeout, None)
    joined = _joined(reader, Known())
    catalog = Catalog.from_records(joined.tools, joined.capabilities)
    return Imported(catalog, tuple(joined.traces), _report(reader, joined, Known()))


def update(
    directory: str | Path, *sources: Any, kind: str | None = None, server: str = "", timeout: float = servers.TIMEOUT
) -> Imported:
    """The same into a folder: `catalog.json`, `tools.jsonl`, `capabilities.jsonl`, `traces.jsonl` and `sources.json`.

    What the folder has from other sources, or by hand, stays; what it had from these sources and they do not have any more goes. Ids and
    embeddings of what did not change stay, and so do traces. A source that cannot be read changes nothing.

    Parameters
    ----------
    directory : is created where it does not exist
    sources, kind, server, timeout : as those of `read`

    Raises
    ------
    InputError
        as `read`, and for a folder whose catalogue has faults, or that cannot be written; it is left as it was then.
    """
    where = Path(directory)
    before, catalog = folder.known(where)
    reader = _read(sources, kind, server, timeout, where)
    joined = _joined(reader, before)
    new, said = folder.save(where, joined, catalog)
    return Imported(new, tuple(joined.traces), _report(reader, joined, before, said))


def _read(sources: Sequence[Any], kind: str | None, server: str, timeout: float, base: Path | None) -> _Reader:
    if not sources:
        raise InputError("give at least one source")
    if kind is not None:
        _check.choice(kind, KINDS, "kind")
    if server:
        _check.storable_text(server, "server")
    reader = _Reader(kind, clean(server), _check.number(timeout, 0.001, 86_400.0, "timeout"), base)
    for position, source in enumerate(sources):
        reader.read(source, position)
    reader.ask()
    if not any(found.tools or found.traces for found in reader.found if not found.error):
        said = "; ".join(
            f"{found.shown}: {found.error or found.notes[0]}" for found in reader.found[:5] if found.error or found.notes
        )
        raise InputError(
            f"nothing was imported: {said}" if said else "nothing was imported: there is no source that is switched on"
        )
    return reader


def _joined(reader: _Reader, known: Known) -> Joined:
    names: dict[str, int] = {}
    for found in reader.found:  # two sources of one name would be one to the folder
        n = names[found.source] = names.get(found.source, 0) + 1
        if n > 1:
            found.source = f"{found.source} ({n})"
    joining = Joining(known, known.gone(reader.found, reader.containers))
    for found in reader.found:
        joining.add(found)
    return joining.finish()


def _report(reader: _Reader, joined: Joined, before: Known, embeddings: str = "") -> Report:
    sources = joined.sources
    reports = (
        SourceReport.of(f, len(sources[f.source].capabilities) if f.source in sources and not f.error else 0) for f in reader.found
    )
    had = {trace.id for trace in before.traces}
    return Report(
        tuple(reports),
        tuple(joined.notes),
        Difference.of({t.id: (t.text, t.server) for t in before.tools}, {t.id: (t.text, t.server) for t in joined.tools}),
        Difference.of(
            {c.id: (c.text, c.tools, c.capabilities) for c in before.capabilities},
            {c.id: (c.text, c.tools, c.capabilities) for c in joined.capabilities},
        ),
        sum(trace.id not in had for trace in joined.traces),
        embeddings,
    )
