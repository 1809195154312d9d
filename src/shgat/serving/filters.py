"""What a request may have, settled before anything is ranked: allow-list, servers, tags, exclusions and blocks as columns of a catalogue."""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .. import _fork
from .._types import Bool, Int32
from ..graph import Catalog, Incidence
from ..model.candidates import Kind
from ..model.channels import tools_within

KEPT = 256  # combinations of servers and tags whose masks are kept
_TAG_KINDS = ("tag", "category")  # of capabilities that importers make of tags


@dataclass(frozen=True)
class Filters:
    """As a request has them; None where it does not say.

    Attributes
    ----------
    candidates : ids to choose among, each once
    servers, tags : of tools
    exclude : ids that it may not have
    """

    candidates: tuple[str, ...] | None = None
    servers: frozenset[str] | None = None
    tags: frozenset[str] | None = None
    exclude: frozenset[str] = frozenset()

    @property
    def given(self) -> bool:
        return self.exclude != frozenset() or any(v is not None for v in (self.candidates, self.servers, self.tags))


NO_FILTERS = Filters()


@dataclass(frozen=True, eq=False)
class Eligible:
    """What is left for a request.

    Attributes
    ----------
    columns : sorted, None for the whole catalogue
    strangers : candidates that the catalogue does not know, in the order of the request
    why : what of the filters means nothing here
    """

    column: Mapping[str, int]
    columns: Int32 | None = None
    strangers: tuple[str, ...] = ()
    why: tuple[str, ...] = ()

    def __contains__(self, item: object) -> bool:
        place = self.column.get(str(item))
        if place is None:
            return item in self.strangers
        return self.columns is None or place in self._places

    @cached_property
    def _places(self) -> frozenset[int]:
        return frozenset(() if self.columns is None else self.columns.tolist())


NOTHING = Eligible({})


class Membership:
    """Which tools and capabilities of a catalogue have a server or a tag.

    A tag is the capability `tag:NAME` or `category:NAME`, as importers declare them, or any capability by its id: all tools within it have
    it. A capability may be had where all its tools may.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self.within = tools_within(catalog.hierarchy)  # tools of each capability, members of members included
        self._columns: dict[Kind, Mapping[str, int]] = {"tools": catalog.tool_column, "capabilities": catalog.capability_column}
        self._kept: dict[tuple[object, object], tuple[Bool, tuple[str, ...]]] = {}
        self.after_fork()
        _fork.renew(self)

    def after_fork(self) -> None:
        """A thread of the parent may have held the lock."""
        self._lock = threading.Lock()

    def eligible(self, kind: Kind, filters: Filters, blocked: Iterable[str] = ()) -> Eligible:
        """What is left of a kind.

        Parameters
        ----------
        blocked : ids that nobody may have
        """
        column = self._columns[kind]
        gone = filters.exclude.union(blocked)
        if not filters.given and not gone:
            return Eligible(column)
        tools, why = self._tools(filters.servers, filters.tags)
        out = [place for item in gone if (place := self._columns["tools"].get(item)) is not None]
        if out:
            tools = tools.copy()
            tools[out] = False
        mask = tools if kind == "tools" else self._holding(tools)
        if kind == "capabilities":
            mask[[place for item in gone if (place := column.get(item)) is not None]] = False
        if filters.candidates is None:
            return Eligible(column, np.flatnonzero(mask).astype(np.int32), (), why)
        found = np.array([column.get(i, -1) for i in filters.candidates], np.int32)
        places = np.unique(found)
        strangers: tuple[str, ...] = ()
        if len(places) and places[0] < 0:
            places = places[1:]
            strangers = tuple(i for i in filters.candidates if i not in column and i not in gone)
        if strangers:
            why = (*why, f"{len(strangers)} candidates are not in the catalogue, among them {strangers[0]!r:.100}")
            if filters.servers is not None or filters.tags is not None:  # nobody knows theirs
                strangers = ()
        return Eligible(column, places[mask[places]], strangers, why)

    def _tools(self, servers: frozenset[str] | None, tags: frozenset[str] | None) -> tuple[Bool, tuple[str, ...]]:
        """(n_tools,) those of the servers that have a tag, and which names mean nothing; not to be written to."""
        found = self._kept.get((servers, tags))
        if found is None:
            mask, unknown = np.ones(len(self._catalog.tools), bool), list[str]()
            for what, names, known in (("servers", servers, self._servers), ("tags", tags, self._tags)):
                if names is None:
                    continue
                unknown += [f"{what}: nothing has {name!r:.100}" for name in sorted(names) if name not in known]
                mask &= np.isin(np.arange(len(mask)), [t for name in names for t in known.get(name, ())])
            found = mask, tuple(unknown)
            with self._lock:
                if len(self._kept) >= KEPT:
                    self._kept.clear()
                self._kept[servers, tags] = found
        return found

    def _holding(self, tools: Bool) -> Bool:
        """(n_capabilities,) those that hold no other tools."""
        rows = self._incidence
        others = np.bincount(rows.row_of_entry[~tools[rows.indices]], minlength=rows.n_rows)
        return np.asarray(others[: rows.n_rows] == 0)

    @cached_property
    def _incidence(self) -> Incidence:
        return Incidence.from_rows(self.within)

    @cached_property
    def _servers(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for i, tool in enumerate(self._catalog.tools):
            if tool.server:
                found.setdefault(tool.server, []).append(i)
        return found

    @cached_property
    def _tags(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for capability, tools in zip(self._catalog.capabilities, self.within, strict=True):
            kind, _, name = capability.id.partition(":")
            for tag in {capability.id, name if kind in _TAG_KINDS and name else capability.id}:
                found.setdefault(tag, []).extend(tools)
        return found
