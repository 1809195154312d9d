"""Levels of the superhypergraph, and the plan by which messages travel through them."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from .._types import Bool, Int32, Int64
from ..errors import CatalogError
from .incidence import Incidence


@dataclass(frozen=True, eq=False)
class Level:
    """One level of capabilities and its members, as rows of the stacked nodes X = [tools; level 0; level 1; ...].

    Attributes
    ----------
    start, stop : the level's rows of X
    members : (n_members,) sorted rows of X that are members of some capability of this level: tools or lower capabilities
    up : (n_level rows) -> positions in `members`
    down : (n_members rows) -> positions in the level, `up` transposed
    members_unchanged : no other level writes these members between this level's up and down phase, so projections can be shared
    """

    start: int
    stop: int
    members: Int64
    up: Incidence
    down: Incidence
    members_unchanged: bool


@dataclass(frozen=True, eq=False)
class Hierarchy:
    """All levels of a catalogue.

    Attributes
    ----------
    n_tools, n_capabilities : vertices and hyperedges
    level_of : (n_capabilities,) level of each capability, in catalogue order
    row_of : (n_capabilities,) row of each capability in X
    levels : from level 0 upwards
    tools_of, capabilities_of : (n_capabilities rows) direct members, in catalogue order
    """

    n_tools: int
    n_capabilities: int
    level_of: Int32
    row_of: Int64
    levels: tuple[Level, ...]
    tools_of: Incidence
    capabilities_of: Incidence

    @cached_property
    def containing(self) -> Incidence:
        """(n_tools rows) -> the capabilities that list each tool."""
        return self.tools_of.transpose(self.n_tools)

    @property
    def max_level(self) -> int:
        return len(self.levels) - 1

    def with_isolated_tools(self, k: int) -> "Hierarchy":
        """The same graph with k more tools, in no capability: every capability moves down k rows."""
        n = self.n_tools
        levels = tuple(
            replace(v, start=v.start + k, stop=v.stop + k, members=v.members + k * (v.members >= n)) for v in self.levels
        )
        return replace(self, n_tools=n + k, row_of=self.row_of + k, levels=levels)

    def hiding(self, hidden: Bool) -> "Hierarchy":
        """The same nodes without the edges to and from the hidden capabilities (n_capabilities,): they neither gather nor carry."""
        silent = np.zeros(self.n_tools + self.n_capabilities, bool)  # by row of X
        silent[self.row_of] = hidden
        levels = []
        for v in self.levels:
            own, members = silent[v.start : v.stop], silent[v.members]
            up = v.up.keeping(~(own[v.up.row_of_entry] | members[v.up.indices]))
            down = v.down.keeping(~(members[v.down.row_of_entry] | own[v.down.indices]))
            levels.append(replace(v, up=up, down=down))
        return replace(self, levels=tuple(levels))

    @classmethod
    def build(cls, n_tools: int, tools_of: Incidence, capabilities_of: Incidence, ids: list[str]) -> "Hierarchy":
        """From direct memberships; a membership cycle is a CatalogError that names it.

        A capability's level is 0 if it contains tools only (or nothing), else 1 + the highest level among its members.
        """
        level_of = _levels(capabilities_of, ids)
        order = np.argsort(level_of, kind="stable")
        row_of = np.empty(len(ids), np.int64)
        row_of[order] = n_tools + np.arange(len(ids))
        n_levels = int(level_of.max(initial=-1)) + 1
        bounds = n_tools + np.searchsorted(level_of[order], np.arange(n_levels + 1))
        members = [np.concatenate([tools_of.row(c), row_of[capabilities_of.row(c)]]) for c in order]
        levels: list[Level] = []
        written: set[int] = set()  # rows that higher levels write on the way down
        for k in reversed(range(n_levels)):
            start, stop = int(bounds[k]), int(bounds[k + 1])
            rows = members[start - n_tools : stop - n_tools]
            unique = np.unique(np.concatenate([*rows, np.zeros(0, np.int64)])).astype(np.int64)
            up = Incidence.from_rows(np.searchsorted(unique, r).tolist() for r in rows)
            down = up.transpose(len(unique))
            levels.insert(0, Level(start, stop, unique, up, down, written.isdisjoint(unique.tolist())))
            written.update(unique.tolist())
        return cls(n_tools, len(ids), level_of, row_of, tuple(levels), tools_of, capabilities_of)


def cycles(capabilities_of: Incidence, ids: list[str]) -> list[str]:
    """One sentence for each membership cycle, in which no two share a capability; none where the graph is a hierarchy."""
    faults: list[str] = []
    graph = capabilities_of
    while True:
        _, waiting = _climb(graph)
        if not (waiting > 0).any():
            return faults
        loop = _cycle(graph, waiting)
        faults.append("membership cycle: " + " -> ".join(repr(ids[c]) for c in [*loop, loop[0]]))
        cut = np.zeros(len(ids), bool)
        cut[loop] = True
        graph = graph.keeping(~(cut[graph.row_of_entry] | cut[graph.indices]))


def without_cycles(capabilities_of: Incidence) -> list[tuple[int, int]]:
    """(capability, member) of the memberships that a depth-first walk in catalogue order finds to close a cycle: without them none is left."""
    closing: list[tuple[int, int]] = []
    waiting, open_, done = 0, 1, 2
    state = np.zeros(capabilities_of.n_rows, np.int8)
    for root in range(capabilities_of.n_rows):
        if state[root] != waiting or not len(capabilities_of.row(root)):
            continue
        path = [(root, iter(capabilities_of.row(root).tolist()))]
        state[root] = open_
        while path:
            c, members = path[-1]
            member = next(members, None)
            if member is None:
                state[c] = done
                path.pop()
            elif state[member] == open_:
                closing.append((c, member))
            elif state[member] == waiting:
                state[member] = open_
                path.append((member, iter(capabilities_of.row(member).tolist())))
    return closing


def _levels(capabilities_of: Incidence, ids: list[str]) -> Int32:
    """Longest path from each capability to its deepest member; a cycle is a CatalogError."""
    level, waiting = _climb(capabilities_of)
    if (waiting > 0).any():
        raise CatalogError(cycles(capabilities_of, ids))
    return level


def _climb(capabilities_of: Incidence) -> tuple[Int32, Int32]:
    """(levels, members not yet reached), without recursion (Kahn's order over members); the latter is 0 where there is no cycle."""
    n = capabilities_of.n_rows
    level = np.zeros(n, np.int32)
    waiting = capabilities_of.degrees.copy()
    if not capabilities_of.nnz:
        return level, waiting
    parents = capabilities_of.transpose(n)
    ready = [c for c in range(n) if waiting[c] == 0]
    while ready:
        child = ready.pop()
        for parent in parents.row(child).tolist():
            level[parent] = max(level[parent], level[child] + 1)
            waiting[parent] -= 1
            if waiting[parent] == 0:
                ready.append(parent)
    return level, waiting


def _cycle(capabilities_of: Incidence, waiting: Int32) -> list[int]:
    """One cycle among the capabilities that are still waiting: each of them has a waiting member, so walking must repeat."""
    c = int(np.argmax(waiting > 0))
    seen: dict[int, int] = {}
    while c not in seen:
        seen[c] = len(seen)
        c = next(m for m in capabilities_of.row(c).tolist() if waiting[m] > 0)
    return [x for x, position in seen.items() if position >= seen[c]]
