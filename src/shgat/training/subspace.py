"""The part of W_child that training can reach.

Level 0 projects tools, and while their embeddings are frozen and fewer than dimensions they span only r < d dimensions: the gradient of
W_child has no component outside. Kept as W_child Q with an orthonormal basis Q (d, r) of the tools, the map costs r / d of its products
and of its optimiser step. Outside the span nothing moves.
"""

from dataclasses import dataclass, replace

import numpy as np

from .._types import Float32
from ..config import SHGATConfig
from ..graph import Catalog, Cooccurrence
from ..model.params import Params

NAME = "level0.w_child"
LARGEST_SHARE = 0.5  # r / d up to which it pays
RANK_TOLERANCE = 1e-6


@dataclass(frozen=True, eq=False)
class Subspace:
    """A basis of the members of level 0.

    Attributes
    ----------
    basis : (d, r) orthonormal columns
    coordinates : (n_members, r); members = coordinates basis^T
    """

    basis: Float32
    coordinates: Float32

    @classmethod
    def of(cls, catalog: Catalog, cooccurrence: Cooccurrence | None, config: SHGATConfig) -> "Subspace | None":
        """The subspace, or None where W_child sees something that is trained, or where it would not pay."""
        levels = catalog.hierarchy.levels
        if (
            not levels
            or not config.message_passing
            or config.node_offsets
            or cooccurrence is not None
            or not levels[0].members_unchanged
        ):
            return None
        assert catalog.tool_embeddings is not None
        members = catalog.tool_embeddings[levels[0].members].astype(np.float64)
        n, d = members.shape
        if n == 0 or n > LARGEST_SHARE * d:
            return None
        _, values, rows = np.linalg.svd(members, full_matrices=False)
        basis = rows[values > RANK_TOLERANCE * values[0]].T
        return cls(np.ascontiguousarray(basis, np.float32), np.ascontiguousarray(members @ basis, np.float32))

    def reduce(self, params: Params) -> Params:
        """The parameters with W_child Q in the place of W_child."""
        reduced = Params(replace(params.layout, child_rank=self.basis.shape[1]))
        for name, view in params.items():
            reduced[name][:] = view @ self.basis if name == NAME else view
        return reduced

    def expand(self, reduced: Params, start: Params) -> Params:
        """The parameters with W_child = its start + (what training moved within the span) Q^T."""
        params = Params(start.layout)
        for name, view in reduced.items():
            moved = start[name] + (view - start[name] @ self.basis) @ self.basis.T if name == NAME else view
            params[name][:] = moved
        return params
