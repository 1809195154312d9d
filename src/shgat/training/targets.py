"""What training wants each intent to find: tools, and the capabilities that stand for them."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .._types import Bool, Float32
from ..graph import Catalog, Incidence
from ..model.channels import tools_within
from ..traces.columns import Traces
from .origins import Origins

OVERLAP_POWER = 4  # capability targets are proportional to Jaccard^4
SMALLEST = 1e-3  # below it a capability is no target


@dataclass(frozen=True, eq=False)
class Targets:
    """A distribution over columns for each trace: rows of `incidence`, with `values` (nnz,) float32 summing to 1 in each row."""

    incidence: Incidence
    values: Float32

    def take(self, rows: npt.NDArray[np.integer]) -> "Targets":
        """The given rows, in the given order."""
        entries = Incidence(self.incidence.indptr, np.arange(self.incidence.nnz, dtype=np.int32)).take(rows)
        return Targets(Incidence(entries.indptr, self.incidence.indices[entries.indices]), self.values[entries.indices])

    def without(self, hidden: Bool) -> "Targets":
        """The targets whose column is not hidden, each row summing to 1 again (or left empty)."""
        keep = ~hidden[self.incidence.indices]
        rows = self.incidence.row_of_entry[keep]
        n = self.incidence.n_rows
        indptr = np.zeros(n + 1, np.int32)
        np.cumsum(np.bincount(rows, minlength=n), out=indptr[1:])
        values = self.values[keep]
        total = np.bincount(rows, values, n)
        return Targets(
            Incidence(indptr, self.incidence.indices[keep]), (values / np.maximum(total[rows], 1e-12)).astype(np.float32)
        )

    def merged(self, other: "Targets", from_other: Bool) -> "Targets":
        """Row by row: this row, or the other's where `from_other` (n_rows,)."""
        mine, theirs = ~from_other[self.incidence.row_of_entry], from_other[other.incidence.row_of_entry]
        rows = np.concatenate([self.incidence.row_of_entry[mine], other.incidence.row_of_entry[theirs]])
        order = np.argsort(rows, kind="stable")
        indptr = np.zeros(self.incidence.n_rows + 1, np.int32)
        np.cumsum(np.bincount(rows, minlength=self.incidence.n_rows), out=indptr[1:])
        columns = np.concatenate([self.incidence.indices[mine], other.incidence.indices[theirs]])[order]
        return Targets(Incidence(indptr, columns), np.concatenate([self.values[mine], other.values[theirs]])[order])


def tool_targets(traces: Traces) -> Targets:
    """Uniform over the tools that were run."""
    share = 1.0 / np.maximum(traces.tools.degrees, 1)
    return Targets(traces.tools, np.repeat(share, traces.tools.degrees).astype(np.float32))


@dataclass(frozen=True, eq=False)
class CapabilityTargets:
    """Capability targets of all traces, who vouches for each capability, and where it comes from.

    Attributes
    ----------
    exact : the capability that the trace names, else those whose tools it ran exactly; many rows are empty
    overlapping : proportional to Jaccard^4 of the tools
    support : (n_capabilities rows) -> traces that name the capability, else traces that ran exactly its tools
    origins : which traces each capability would not be there without
    """

    exact: Targets
    overlapping: Targets
    support: Incidence
    origins: Origins

    def visible(self, rows: npt.NDArray[np.integer], hidden: Bool) -> Targets:
        """Targets of the given traces among the capabilities that are not hidden: exact ones where any is left, else overlapping ones."""
        exact, overlapping = (t.take(rows).without(hidden) for t in (self.exact, self.overlapping))
        empty = exact.incidence.degrees == 0
        return exact.merged(overlapping, empty)

    @classmethod
    def build(cls, traces: Traces, catalog: Catalog) -> "CapabilityTargets":
        within = tools_within(catalog.hierarchy)
        containing: list[list[int]] = [[] for _ in catalog.tools]
        for c, tools in enumerate(within):
            for t in tools:
                containing[t].append(c)
        overlap: dict[frozenset[int], list[tuple[int, float]]] = {}  # by tool set: (capability, Jaccard)
        exact: list[list[tuple[int, float]]] = []
        overlapping: list[list[tuple[int, float]]] = []
        named: list[list[int]] = [[] for _ in within]
        same: list[list[int]] = [[] for _ in within]
        sets = [frozenset(traces.tools.row(i).tolist()) for i in range(len(traces))]
        for i, (capability, ran) in enumerate(zip(traces.capability.tolist(), sets, strict=True)):
            if ran not in overlap:
                overlap[ran] = _overlaps(ran, within, containing)
            same_tools = [c for c, jaccard in overlap[ran] if jaccard == 1.0]
            if capability >= 0:
                named[capability].append(i)
            for c in same_tools:
                same[c].append(i)
            exact.append([(c, 1.0) for c in ([capability] if capability >= 0 else same_tools)])
            soft = [(c, jaccard**OVERLAP_POWER) for c, jaccard in overlap[ran]]
            overlapping.append([(c, value) for c, value in soft if value >= SMALLEST])
        support = Incidence.from_rows(n or s for n, s in zip(named, same, strict=True))
        origins = Origins.of(catalog.capabilities, support, Counter(sets), within, traces.ids.tolist())
        return cls(_normalized(exact), _normalized(overlapping), support, origins)


def _overlaps(ran: frozenset[int], within: list[frozenset[int]], containing: list[list[int]]) -> list[tuple[int, float]]:
    touched = sorted({c for t in ran for c in containing[t]})
    return [(c, len(within[c] & ran) / len(within[c] | ran)) for c in touched]


def _normalized(rows: Iterable[list[tuple[int, float]]]) -> Targets:
    columns, values = [], []
    for row in rows:
        total = sum(v for _, v in row)
        columns.append([c for c, _ in row])
        values += [v / total for _, v in sorted(row)]
    return Targets(Incidence.from_rows(columns), np.array(values, np.float32))
