"""Tools that are used together: weighted, directed edges between tools."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .._check import number
from .._types import Float32
from ..errors import InputError
from .incidence import Incidence


@dataclass(frozen=True, eq=False)
class Cooccurrence:
    """Neighbours of each tool with fixed weights.

    Attributes
    ----------
    incidence : (n_tools rows) -> neighbouring tools
    weights : (nnz,) float32
    """

    incidence: Incidence
    weights: Float32

    @classmethod
    def from_pairs(cls, pairs: Iterable[tuple[str, str, float]], column: Mapping[str, int]) -> "Cooccurrence | None":
        """From (from id, to id, weight); a pair given twice adds its weights. None where there is no pair."""
        rows: list[dict[int, float]] = [{} for _ in column]
        for position, (source, target, weight) in enumerate(pairs):
            for tool in (source, target):
                if tool not in column:
                    raise InputError(f"co-occurrence pair {position} names the unknown tool {tool!r}")
            if source == target:
                raise InputError(f"co-occurrence pair {position} joins the tool {source!r} with itself")
            w = number(weight, 0.0, 1e6, f"the weight of the co-occurrence pair {source!r}, {target!r}")
            row = rows[column[source]]
            row[column[target]] = row.get(column[target], 0.0) + w
        if not any(rows):
            return None
        incidence = Incidence.from_rows(rows)
        weights = [row[i] for row in rows for i in sorted(row)]
        return cls(incidence, np.array(weights, np.float32))

    def resized(self, n_tools: int) -> "Cooccurrence":
        """The same edges among more tools."""
        indptr = self.incidence.indptr
        padded = np.concatenate([indptr, np.full(n_tools + 1 - len(indptr), indptr[-1], np.int32)])
        return Cooccurrence(Incidence(padded, self.incidence.indices), self.weights)

    def over(self, column: Sequence[int], n_tools: int) -> "Cooccurrence | None":
        """The same edges among other tools: `column` says where each tool stands now, -1 where it is gone. None where no edge is left."""
        moved = np.array(column, np.int64)
        rows, columns = moved[self.incidence.row_of_entry], moved[self.incidence.indices]
        keep = (rows >= 0) & (columns >= 0)
        if not keep.any():
            return None
        order = np.lexsort((columns[keep], rows[keep]))
        rows, columns = rows[keep][order], columns[keep][order]
        indptr = np.searchsorted(rows, np.arange(n_tools + 1)).astype(np.int32)
        return Cooccurrence(Incidence(indptr, columns.astype(np.int32)), self.weights[keep][order])
