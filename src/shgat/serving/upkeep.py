"""Changing the catalogue while it serves: tools and capabilities come, change, are renamed and go between two requests."""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, TypeVar

from .. import _check
from ..errors import InputError
from ..features import with_embeddings
from ..features.cache import Remembering
from ..features.encoder import of_members
from ..graph import Capability, Catalog, Tool
from ..importers.report import Difference
from ..importers.snapshot import beside
from ..learning.journal import Journal
from ..learning.scheduler import Scheduler
from .answering import Answering

_Node = TypeVar("_Node", Tool, Capability)
Record = Mapping[str, Any]
NO_DIFFERENCE = Difference()


@dataclass(frozen=True)
class Change:
    """What became of a catalogue.

    Attributes
    ----------
    tools, capabilities : ids that were added, changed and removed
    renamed : former id -> id
    left_out : what could not be taken, one sentence each that names the item; all else was
    """

    tools: Difference = NO_DIFFERENCE
    capabilities: Difference = NO_DIFFERENCE
    renamed: Mapping[str, str] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "tools": self.tools.to_dict(),
            "capabilities": self.capabilities.to_dict(),
            "renamed": dict(self.renamed),
            "left_out": list(self.left_out),
        }


class Upkeep:
    """The part of a ranker that changes what it serves.

    A change is made beside the answers and holds from one request to the next; what was learned follows the ids. What goes is remembered
    by the store and by the version that serves, and has its history where it comes back. Removed tools stay in the store's catalogue, which
    other gateways may share.
    """

    _answering: Answering
    _journal: Journal
    _scheduler: Scheduler
    _changing: threading.Lock

    @property
    def catalog(self) -> Catalog:
        raise NotImplementedError

    def _awake(self) -> None:
        raise NotImplementedError

    def add(self, tools: Iterable[Tool | Record] = (), capabilities: Iterable[Capability | Record] = ()) -> Change:
        """Adds tools and capabilities, or replaces those of the same id. One that is wrong is left out and named.

        Records without an embedding are encoded by what makes the vectors of intents; one whose text is as before keeps its own.
        """
        given = list(tools), list(capabilities)
        return self._changed(lambda before, left_out: self._whole(before, *_with(before, *given), left_out))

    def remove(self, items: str | Iterable[str]) -> Change:
        """Removes tools and capabilities, from every capability that contains them too; InputError for an unknown id."""
        gone = [items] if isinstance(items, str) else _check.texts(items, "the ids to remove")
        return self._changed(lambda before, _: before.without(*gone) if gone else before)

    def rename(self, old: str, new: str) -> Change:
        """Gives a tool another id. What was learned of it stays its own, feedback and requests find it by both, on all gateways of the store.

        Raises
        ------
        InputError
            where there is no such tool, or the new id is another's.
        """
        _check.storable_text(new, "the new id")
        change = self._changed(lambda before, _: before.renamed(_check.text(old, "the old id"), new))
        return replace(change, tools=NO_DIFFERENCE, capabilities=NO_DIFFERENCE, renamed={old: new})

    def sync(self, snapshot: Any, server: str = "", ids: Mapping[str, str] = MappingProxyType({})) -> Change:
        """Brings the catalogue to what a `tools/list` snapshot holds, at once; what did not change is not encoded again.

        Parameters
        ----------
        snapshot : the result, its pages, a list of definitions, or what an SDK returns
        server : whose tools it lists; the others stay. "": those of the whole catalogue
        ids : of the server's tools, by name, where they should not be made of server and name: a tool with another id than before begins
            anew, and has its history again where it gets the former id back

        Raises
        ------
        InputError
            where it holds no tool that can be read; nothing changes then.
        """

        def make(before: Catalog, left_out: list[str]) -> Catalog:
            tools, capabilities, notes = beside(before, snapshot, server, ids)
            left_out += [str(note) for note in notes if note.what == "left out"]
            return self._whole(before, tools, capabilities, left_out)

        return self._changed(make)

    def _changed(self, make: Callable[[Catalog, list[str]], Catalog]) -> Change:
        self._awake()
        with self._changing:
            before, left_out = self.catalog, list[str]()
            after = make(before, left_out)
            if after.checksum != before.checksum or after.aliases != before.aliases:
                self._answering.prepare(after)
                self._scheduler.move(after)
                self._journal.keep(after)
            return Change(
                _difference(before.tools, after.tools), _difference(before.capabilities, after.capabilities), {}, tuple(left_out)
            )

    def _whole(self, before: Catalog, tools: Sequence[Any], capabilities: Sequence[Any], left_out: list[str]) -> Catalog:
        """A catalogue of the records, with embeddings for those that have none; what is wrong is left out and named."""
        old = {node.id: node for nodes in before.records() for node in nodes}
        known_tools = [_kept(t, old) for t in _read(tools, Tool.from_record, left_out)]
        known_capabilities = [_kept(c, old) for c in _read(capabilities, Capability.from_record, left_out)]
        asked = self._answering.encoder
        if asked is not None:
            encoder = Remembering(asked.encoder, asked.cache, asked.quick)
            made = {n.id: n for n in with_embeddings([t for t in known_tools if t.embedding is None], encoder)}
            known_tools = [made.get(t.id, t) for t in known_tools]
            said = {n.id: n for n in with_embeddings([c for c in known_capabilities if c.embedding is None], encoder)}
            rows = {t.id: t.embedding for t in known_tools}
            known_capabilities = [of_members(said[c.id], rows) if c.id in said else c for c in known_capabilities]
        found = Catalog.from_records(known_tools, known_capabilities, encoder=before.encoder, strict=False)
        if not found.has_embeddings:
            raise InputError(f"the catalogue is left as it was: {(*found.left_out, 'nothing has an embedding')[0]}")
        left_out += found.left_out
        return replace(found, aliases={old: new for old, new in before.aliases.items() if new in found.tool_column})


def _with(before: Catalog, tools: list[Any], capabilities: list[Any]) -> tuple[list[Any], list[Any]]:
    """All records of a catalogue with some more, or in place of those of the same id; what has no id is left for the reader to refuse."""
    mine = before.records()
    return _over(mine[0], tools), _over(mine[1], capabilities)


def _over(mine: Sequence[Tool | Capability], more: list[Any]) -> list[Any]:
    new: dict[object, Any] = {}
    for record in more:
        key = record.get("id") if isinstance(record, Mapping) else getattr(record, "id", None)
        new[key if isinstance(key, str) else id(record)] = record
    return [*(new.pop(node.id, node) for node in mine), *new.values()]


def _read(records: Sequence[Any], make: Callable[[Any, list[str] | None], _Node], left_out: list[str]) -> list[_Node]:
    found = []
    for record in records:
        try:
            found.append(make(record, left_out))
        except InputError as error:
            left_out.append(f"{error}: left out")
    return found


def _kept(node: _Node, old: Mapping[str, Tool | Capability]) -> _Node:
    """With the embedding that it had where nothing else is said of it."""
    before = old.get(node.id)
    same = node.embedding is None and type(before) is type(node) and before is not None and before.text == node.text
    return replace(node, embedding=before.embedding) if same and before is not None else node


def _difference(before: Sequence[Tool | Capability], after: Sequence[Tool | Capability]) -> Difference:
    def said(nodes: Sequence[Tool | Capability]) -> dict[str, Any]:
        return {n.id: {k: v for k, v in vars(n).items() if k != "embedding"} for n in nodes}

    return Difference.of(said(before), said(after))
