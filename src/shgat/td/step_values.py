"""Values at the steps of logged sessions, as evaluation over sessions asks for them."""

from dataclasses import dataclass

import numpy as np

from .._types import Float32
from ..errors import InputError
from ..graph import Catalog
from ..model.session_state import SessionState
from ..model.value_network import ValueNetwork
from ..model.values import Values
from ..traces.sessions import Step


@dataclass(frozen=True, eq=False)
class StepValues:
    """The network over the tools of one catalogue.

    Attributes
    ----------
    of : values with what every tool contributes computed once
    column : of each tool
    ids_alone : are states made of what was used, and not of how that went, as `learn_values` has them?
    """

    of: Values
    column: dict[str, int]
    ids_alone: bool = True

    @classmethod
    def over(cls, network: ValueNetwork, catalog: Catalog, *, ids_alone: bool = True) -> "StepValues":
        """InputError for a catalogue without embeddings of tools."""
        if catalog.tool_embeddings is None:
            raise InputError("values are of embeddings: the catalogue has none of tools")
        return cls(Values.build(network, catalog.tool_embeddings), dict(catalog.tool_column), ids_alone)

    def values(self, step: Step) -> Float32:
        """(n_tools,) expected return of each tool at a step, from its intent and context."""
        if step.embedding is None:
            raise InputError(f"trace {step.trace.id!r:.100} has no embedding: its values are not known")
        used = tuple(self.column[tool.tool] for tool in step.context)
        outcomes = () if self.ids_alone else tuple(1.0 if tool.outcome is None else float(tool.outcome) for tool in step.context)
        return self.of.of(np.asarray(step.embedding, np.float32), SessionState(used, outcomes))
