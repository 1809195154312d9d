"""Tools and capabilities as the nodes of one graph, joined where one is a direct member of the other."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from .._types import Int32
from ..graph import Catalog, Incidence

Node = tuple[Literal["tool", "capability"], str]  # kind and id: a tool and a capability may share an id


@dataclass(frozen=True, eq=False)
class MemberGraph:
    """An undirected graph; between tools and capabilities it is bipartite, capabilities inside capabilities are edges too.

    Attributes
    ----------
    nodes : (n,) kind and id of each node
    neighbours : (n rows) -> the nodes it is joined with
    """

    nodes: tuple[Node, ...]
    neighbours: Incidence

    @classmethod
    def of(cls, catalog: Catalog, known: Sequence[Node] = ()) -> "MemberGraph":
        """The graph of a catalogue: tools, then capabilities, in its order.

        Parameters
        ----------
        known : nodes that stand first, in this order, as in an earlier graph; those that the catalogue no longer has are alone
        """
        there: list[Node] = [("tool", t.id) for t in catalog.tools]
        there += [("capability", c.id) for c in catalog.capabilities]
        number = {node: i for i, node in enumerate(dict.fromkeys([*known, *there]))}
        place = np.array([number[node] for node in there], np.int64)
        graph, n_tools = catalog.hierarchy, len(catalog.tools)
        whole = place[n_tools + np.concatenate([graph.tools_of.row_of_entry, graph.capabilities_of.row_of_entry])]
        part = place[np.concatenate([graph.tools_of.indices, n_tools + graph.capabilities_of.indices])]
        rows, columns = np.concatenate([whole, part]), np.concatenate([part, whole])
        order = np.lexsort((columns, rows))
        indptr = np.searchsorted(rows[order], np.arange(len(number) + 1)).astype(np.int32)
        return cls(tuple(number), Incidence(indptr, columns[order].astype(np.int32)))

    @cached_property
    def number(self) -> dict[Node, int]:
        """Where each node stands."""
        return {node: i for i, node in enumerate(self.nodes)}

    @property
    def degrees(self) -> Int32:
        """(n,) neighbours of each node."""
        return self.neighbours.degrees

    def __len__(self) -> int:
        return len(self.nodes)
