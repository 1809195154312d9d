"""Findings of many sources as one catalogue and its traces: one id a tool, whichever source has it, and the ids that it had before."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

from ..errors import TraceError
from ..graph import Capability, Tool
from ..traces import Trace
from .findings import Findings, FoundTool, Group, Key, Note
from .kinds import LOGS
from .known import Joined, Known, Source
from .logged import TracedCalls, traced
from .names import Names, free, id_of
from .openapi import slug


class Joining:
    """Takes findings one by one.

    A tool is what one server calls by one name. Where two sources have it with the same text it is one tool; where their texts differ
    the first stays, and of tools without a server the second belongs to its source from there on. An id that a folder has given stays.

    Parameters
    ----------
    known : what the folder holds
    gone : names of its sources that are no more
    wanted : ids of tools that should not be made of server and name
    """

    def __init__(self, known: Known, gone: Iterable[str] = (), wanted: Mapping[Key, str] = MappingProxyType({})) -> None:
        self.known, self.notes, self._wanted = known, list[Note](), wanted
        self._gone = set(gone)
        self._found: dict[str, Findings] = {}
        self._texts: dict[Key, str] = {}
        self._servers: dict[Key, str] = {}  # what a record says, which a qualified key does not
        self._of: dict[str, dict[Key, Key]] = {}  # source -> its keys as they are here
        self._placed: set[Key] = set()  # by a source of this import
        self._fixed: set[Key] = set()  # that a source of the folder has which is not read now
        self._groups: dict[Key, tuple[Group, list[str]]] = {}  # and the sources that have it
        self._ids: dict[Key, str] = {}
        self._bare: dict[Key, str] = {}  # ids of what only logs know, by name
        self._names: Names | None = None

    def add(self, found: Findings) -> None:
        """One more source; one that could not be read leaves everything as it was."""
        if not found.error:
            self._found[found.source] = found

    def finish(self) -> Joined:
        """Everything that was added, beside what stays of the folder."""
        renewed = {*self._found, *self._gone}
        kept = {name: source for name, source in self.known.sources.items() if name not in renewed}
        staying = self._stay(kept)
        for found in sorted(self._found.values(), key=lambda f: f.repeats):  # what logs call tools is looked up, so they come last
            self._join(found)
        aliases = self._settled(staying)
        logs = [found for found in self._found.values() if found.traces]
        traces = traced(logs, self._lookup(), self._add_bare, self.notes) if logs else []
        self._name()
        tools = self._tools()
        there = {tool.id for tool in tools}
        capabilities = self._capabilities(kept, staying, there)
        left = {name: replace(s, tools={key: k for key, k in s.tools.items() if key in there}) for name, s in kept.items()}
        sources = {**left, **{name: self._source(found) for name, found in self._found.items()}}
        return Joined(
            tools, capabilities, self._all_traces(traces, aliases, there, {c.id for c in capabilities}), sources, self.notes
        )

    def _stay(self, kept: Mapping[str, Source]) -> set[str]:
        """Ids of the folder's tools that are no renewed source's alone; they are there before anything is joined."""
        keys = {key: found for source in self.known.sources.values() for key, found in source.tools.items()}
        elsewhere = {key: source.kind for source in kept.values() for key in source.tools}
        staying = set()
        for tool in self.known.tools:
            key = keys.get(tool.id) or (tool.server, tool.id.removeprefix(f"{tool.server}/") if tool.server else tool.id)
            while key in self._ids:
                key = (f"{key[0]}~", tool.id)
            self._ids[key] = tool.id
            if elsewhere.get(tool.id) in LOGS and not tool.text:
                self._bare[key] = tool.id  # what it is may be known by now
                continue
            if tool.id in elsewhere:
                self._fixed.add(key)
            if tool.id in elsewhere or tool.id not in keys:
                staying.add(tool.id)
                self._texts[key], self._servers[key] = tool.text, tool.server
        return staying

    def _settled(self, staying: set[str]) -> dict[str, Key]:
        """Ids of the folder that only logs knew by name, with the tools that are called so now; the others stay."""
        aliases: dict[str, Key] = {}
        for key, tool in self._bare.items():
            if key in self._texts:
                continue
            found, _ = self._lookup().find(key[1])
            if found is not None:
                aliases[tool] = found
                self.notes.append(Note(tool, "joined", f"it was known by its name alone, and is {'/'.join(p for p in found if p)}"))
            else:
                staying.add(tool)
                self._texts[key] = self._servers[key] = ""
                self._lookup().add(key)
        return aliases

    def _lookup(self) -> Names:
        """What tools may be called, made when it is first needed: by then all sources but logs have been joined."""
        if self._names is None:
            self._names = Names(self._texts)
        return self._names

    def _add_bare(self, name: str, found: Findings) -> Key:
        """A tool that only a log has, known by its name."""
        key = "", name
        self._texts[key] = self._servers[key] = ""
        self._of[found.source][key] = key
        self._lookup().add(key)
        return key

    def _join(self, found: Findings) -> None:
        place = self._looked_up if found.repeats else self._place
        mine = {key: place(key, tool, found) for key, tool in found.tools.items()}
        self._of[found.source] = mine
        for key, group in found.groups.items():
            tools = tuple(mine[k] for k in group.tools if k in mine)
            known, sources = self._groups.get(key, (Group(*key), []))
            groups = tuple(dict.fromkeys((*known.groups, *group.groups)))
            merged = Group(*key, known.text or group.text, tuple(dict.fromkeys((*known.tools, *tools))), groups)
            self._groups[key] = merged, [*sources, found.source]

    def _place(self, key: Key, tool: FoundTool, found: Findings) -> Key:
        known, shown = self._texts.get(key), "/".join(part for part in key if part)
        if not known or not (key in self._placed or key in self._fixed):  # what the folder has by hand is brought up to date
            self._texts[key], self._servers[key] = tool.text, tool.server
        elif known != tool.text and tool.text and not tool.server:
            stem = slug(found.source.rpartition("/")[2].partition(".")[0]) or "source"
            key = stem, tool.name
            self._texts[key], self._servers[key] = tool.text, ""
            self.notes.append(Note(shown, "changed", f"another tool is called so: that of {found.shown} is {stem}/{tool.name}"))
        elif known != tool.text and tool.text:
            self.notes.append(Note(shown, "left out", f"it is described otherwise in {found.shown}: the first description stays"))
        self._placed.add(key)
        return key

    def _looked_up(self, key: Key, tool: FoundTool, found: Findings) -> Key:
        """A tool that a log describes: the one that it calls so, where there is one."""
        there = key if key in self._texts else self._lookup().find(tool.name)[0]
        key = there or key
        if not self._texts.get(key):
            self._texts[key], self._servers[key] = tool.text, tool.server
        self._lookup().add(key)
        return key

    def _name(self) -> None:
        """An id for every tool; those that are known stay."""
        alone = len({server for server in self._servers.values() if server}) <= 1
        taken = {self._ids[key] for key in self._texts if key in self._ids}
        for key in self._texts:
            if key in self._ids:
                continue
            wanted = self._wanted.get(key) or id_of(key, alone)
            if wanted in taken and key[0] and key not in self._wanted:
                wanted = id_of(key, False)
            found = free(wanted, taken)
            if found != wanted:
                self.notes.append(Note("/".join(key), "changed", f"its id is {found}, as another tool has {wanted}"))
            self._ids[key] = found
            taken.add(found)

    def _tools(self) -> list[Tool]:
        found = {self._ids[key]: Tool(self._ids[key], text, self._servers[key]) for key, text in self._texts.items()}
        old = {tool.id: found.pop(tool.id) for tool in self.known.tools if tool.id in found}
        return [*old.values(), *found.values()]

    def _capabilities(self, kept: Mapping[str, Source], staying: set[str], tools: set[str]) -> list[Capability]:
        self._add_servers()
        taken, ids = set(tools), dict[Key, str]()
        for kind, name in self._groups:
            ids[kind, name] = free(f"{kind}:{name}", taken)
            taken.add(ids[kind, name])
        managed = {c for source in self.known.sources.values() for c in source.capabilities}
        elsewhere = {c for source in kept.values() for c in source.capabilities}
        out: dict[str, Capability] = {}
        for c in self.known.capabilities:
            if c.id in elsewhere or c.id not in managed:
                among = tools if c.id not in managed else staying
                out[c.id] = replace(c, tools=tuple(t for t in c.tools if t in among), embedding=None)
        old = {c.id: c for c in self.known.capabilities}
        for key, (group, _) in self._groups.items():
            before = out.get(ids[key])
            members = dict.fromkeys((*(before.tools if before else ()), *(self._ids[k] for k in group.tools)))
            inside = dict.fromkeys((*(before.capabilities if before else ()), *(ids[g] for g in group.groups if g in ids)))
            model = before or old.get(ids[key]) or Capability(ids[key], origin="declared")
            text = group.text or (before.text if before else "")
            out[ids[key]] = replace(model, text=text, tools=tuple(members), capabilities=tuple(inside), embedding=None)
        self._group_ids = ids
        for c in out.values():
            out[c.id] = replace(c, capabilities=tuple(m for m in c.capabilities if m in out and m != c.id))
        return [c for c in out.values() if c.tools or c.capabilities or c.id not in managed]

    def _add_servers(self) -> None:
        """A group for each server that was read: the groups it has, and its tools that are in none of them."""
        members: dict[str, dict[Key, None]] = {}
        sources: dict[str, list[str]] = {}
        for name in self._found:
            for key in self._of[name].values():
                server = self._servers.get(key, "")
                if server:
                    members.setdefault(server, {})[key] = None
                    if name not in sources.setdefault(server, []):
                        sources[server].append(name)
        for server, keys in members.items():
            group, _ = self._groups.get(("server", server), (Group("server", server), []))
            inside = {k for g in group.groups if g in self._groups for k in self._groups[g][0].tools}
            tools = tuple(dict.fromkeys((*group.tools, *(k for k in keys if k not in inside))))
            self._groups["server", server] = replace(group, tools=tools), sources[server]

    def _source(self, found: Findings) -> Source:
        tools = {self._ids[key]: key for key in dict.fromkeys(self._of[found.source].values())}
        capabilities = tuple(self._group_ids[key] for key, (_, names) in self._groups.items() if found.source in names)
        return Source(found.kind, tools, capabilities, found.within)

    def _all_traces(
        self, traces: list[TracedCalls], aliases: Mapping[str, Key], tools: set[str], capabilities: set[str]
    ) -> list[Trace]:
        """Those of the folder, without what is gone, and the new ones; of one id the new one."""
        now = {old: self._ids[key] for old, key in aliases.items()}
        out: dict[str, Trace] = {}
        for trace in self.known.traces:
            left, context = (
                tuple(t for t in (now.get(t, t) for t in several) if t in tools) for several in (trace.tools, trace.context_tools)
            )
            if left or not trace.tools:
                capability = trace.capability if trace.capability in capabilities else None
                same = (left, context, capability) == (trace.tools, trace.context_tools, trace.capability)
                out[trace.id] = trace if same else replace(trace, tools=left, context_tools=context, capability=capability)
        for found, keys, before_it in traces:
            before = out.get(found.id)
            try:
                trace = Trace(
                    id=found.id,
                    intent=found.intent,
                    tools=tuple(self._ids[k] for k in keys),
                    outcome=found.outcome,
                    embedding=before.embedding if before is not None and before.intent == found.intent else None,
                    capability=None if found.capability is None else self._group_ids.get(found.capability),
                    context_tools=tuple(self._ids[k] for k in before_it),
                    duration_ms=found.duration_ms,
                    error=found.error,
                    parent_id=found.parent_id,
                    timestamp=found.timestamp,
                )
            except TraceError as error:
                self.notes.append(Note(f"trace {found.id}", "left out", str(error)))
            else:
                out[trace.id] = trace
        return list(out.values())
